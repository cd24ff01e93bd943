using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Stoker.Streams.Stores;
using Stoker.Tests.Streams.Stores;
using Stoker.Tests.Streams.Stores.Wire;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>
/// There is no MongoDB here, and a server and a client by the same hand could be wrong in the same way: so a driver of MongoDB's own talks to the tests' server, and reads
/// what this program wrote there.
/// </summary>
public sealed class MongoClientDrills
{
    [Theory]
    [InlineData("SCRAM-SHA-1")]
    [InlineData("SCRAM-SHA-256")]
    public async Task A_real_driver_reads_what_the_store_wrote_and_finds_the_server_as_it_should_be(string mechanism)
    {
        Assert.SkipUnless(Directory.Exists("/usr/lib/python3/dist-packages/pymongo"), "python3-pymongo is not installed: the tests' server is tried by our own client only");
        await using var bed = new MongoBed(new MongoServer { Account = ("me", "secret") });
        var options = new Dictionary<string, string> { ["authSource"] = "admin", ["authMechanism"] = mechanism };
        var address = bed.Address with { User = "me", Options = options };
        await using var store = StoresModule.Open(bed.Spec() with { Address = address, Password = () => "secret" }, TimeProvider.System);
        var batch = new DocumentBatch((_, _) => Task.CompletedTask);
        var claim = await store.TakeAsync(Worker.Place, default, TestContext.Current.CancellationToken);
        batch.Begin(0);
        batch.Add(Documents.Of("a", 0, vector: [1, 2]));
        batch.Add(Documents.Of("b", 1, vector: [0.5f]));
        batch.End(new StorePosition(2, 0));
        Assert.IsType<ApplyOutcome.Applied>(await store.ApplyAsync(claim, batch, TestContext.Current.CancellationToken));

        var said = JsonDocument.Parse(await RunAsync($"{bed.Server.Port}", "me", "secret", mechanism)).RootElement;
        Assert.Equal(
            """[{"id": "a", "name": "NVIDIA H100 80GB", "sequence": 0, "embedding": [0, 0, 128, 63, 0, 0, 0, 64]}, {"id": "b", "name": "NVIDIA H100 80GB", "sequence": 1, "embedding": [0, 0, 0, 63]}]""",
            said.GetProperty("ours").GetRawText());
        Assert.Equal((250, 150, 11000, true),
            (said.GetProperty("upserted").GetInt32(), said.GetProperty("found").GetInt32(), said.GetProperty("duplicate").GetInt32(), said.GetProperty("refused").GetBoolean()));
        Assert.Equal("""{"list": [1, 2.5, "\u00e9", null, true]}""", said.GetProperty("nested").GetRawText());
    }

    private static string Here([CallerFilePath] string here = "") => here;

    private static async Task<string> RunAsync(params string[] arguments)
    {
        var script = Path.Combine(Path.GetDirectoryName(Here())!, "mongo_client.py");
        using var python = Process.Start(new ProcessStartInfo("/usr/bin/python3", [script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = python.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await python.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await python.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(python.ExitCode == 0, await errors);
        return output;
    }
}
