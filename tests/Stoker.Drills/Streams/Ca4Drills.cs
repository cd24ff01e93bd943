using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Stoker.Drills.Shared;
using Stoker.Drills.Streams.Shared;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>
/// The estate <c>ca4</c> from its own files, in each of its environments: a document is posted as a notebook posts it, and arrives: stored, archived, with a receipt.
/// Everything that the estate starts is real but the brokers, which are librdkafka's mock.
/// </summary>
public sealed class Ca4Drills
{
    private const string Stream = "gpu-metadata";

    /// <summary>A database, a cluster and an S3 server begin meanwhile.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public Task As_it_is() => RunAsync(null);

    [Fact]
    public Task With_documents_in_PostgreSQL() => RunAsync("postgres");

    [Fact]
    public Task With_a_topic_as_the_log_and_PostgreSQL() => RunAsync("kafka");

    [Fact]
    public Task With_the_archive_in_a_bucket() => RunAsync("s3");

    [Fact]
    public Task With_a_topic_PostgreSQL_and_a_bucket_together() => RunAsync("whole");

    private static async Task RunAsync(string? environment)
    {
        var (hasPostgres, hasKafka, hasBucket) = (environment is "postgres" or "kafka" or "whole", environment is "kafka" or "whole", environment is "s3" or "whole");
        if (hasPostgres) Assert.SkipUnless(PostgresServer.IsInstalled, "PostgreSQL's server is not installed (Debian: postgresql)");
        if (hasKafka) MockKafka.SkipUnlessThere();
        var machine = new Machine("");
        var places = Directory.CreateTempSubdirectory("stoker-ca4-").FullName;
        try
        {
            Copy(Path.Combine(Machine.Repository, "estates", "ca4"), machine.Directory);
            // PostgreSQL is run by a user of its own, who reads its script there.
            const UnixFileMode readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
            foreach (var directory in (string[])[machine.Directory, places]) File.SetUnixFileMode(directory, readable);
            var ports = FreePorts.Take(4);
            machine.Variables["CA4_PORT"] = Text(ports[0]);
            machine.Variables["CA4_POSTGRES_PORT"] = Text(ports[1]);
            machine.Variables["CA4_POSTGRES"] = Path.Combine(places, "postgres");
            machine.Variables["CA4_STORE_PASSWORD"] = "of the drill's own";
            machine.Variables["CA4_KAFKA_PORT"] = Text(ports[2]);
            machine.Variables["CA4_S3_PORT"] = Text(ports[3]);
            machine.Variables["CA4_S3"] = Path.Combine(places, "s3");
            machine.Variables["CA4_ARCHIVE_EVERY"] = "1s";
            machine.Variables["AWS_ACCESS_KEY_ID"] = machine.Variables["AWS_SECRET_ACCESS_KEY"] = S3Server.Key;
            if (hasBucket) machine.Variables["PATH"] = $"{await S3Server.ProgramsAsync()}:{Environment.GetEnvironmentVariable("PATH")}";
            machine.RunFor(Patience, ["up", "-d", .. environment is null ? (string[])[] : ["--env", environment]]).Succeeded();
            machine.Until("the stream is healthy", () => machine.StateOf(Stream) == "healthy", Patience);
            machine.Until("the notebook runs", () => machine.StateOf("notebook") == "running", Patience);
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://127.0.0.1:{ports[0]}") };
            var receipt = await PostAsync(client);
            await ArrivedAsync(machine, client, receipt, ports[0]);
            AssertPlaces(machine, hasPostgres, hasKafka, hasBucket);
            // What the estate's own notebook sent is there as well.
            machine.Until("the notebook's documents are stored", () => machine.Run("stream", "query", "--type", "gpu.facts.v1", "--json").Succeeded().Json["documents"]!.AsArray().Any(each => ((string)each!["id"]!).StartsWith("image-", StringComparison.Ordinal)));
            // What comes meanwhile is archived by the time that the notebook has ended.
            machine.Run("stop", "notebook").Succeeded();
            machine.Until("all is archived", () => machine.Run("stream", "status", "--json") is { Code: 0 } status && status.Json["streams"]![0]!["partitions"]!.AsArray().All(each => (long?)each!["archived"] == (long)each["next"]!), Patience);
            var verified = machine.Run("stream", "archive", "verify", "--json").Succeeded().Json;
            Assert.True((bool)verified["is_whole"]!, $"{verified}");
            Assert.Equal(verified["partitions"]!.AsArray().Sum(each => (long)each!["events"]!), verified["partitions"]!.AsArray().Sum(each => (long)each!["held_to_log"]!));
            machine.Run("stream", "verify", "--json").Succeeded();
            machine.Run("stream", "check").Succeeded();
            var pids = machine.Services().Select(service => (int?)service!["pid"]).OfType<int>().ToList();
            Assert.NotEmpty(pids);
            machine.RunFor(Patience, "down").Succeeded();
            Assert.DoesNotContain(pids, Machine.Alive);
        }
        finally
        {
            machine.Dispose();
            Directory.Delete(places, recursive: true);
        }
    }

    /// <summary>As the notebook does.</summary>
    private static async Task<string> PostAsync(HttpClient client)
    {
        var embedding = string.Join(',', Enumerable.Range(1, 768).Select(each => Math.Sin(each).ToString("0.0000", CultureInfo.InvariantCulture)));
        var document = $$$"""
            {"metadata_id":"drill-1","source_uri":"gs://ca4/images/drill.png","embedding":[{{{embedding}}}],
             "gpu_hardware":{"device_name":"Tesla T4","total_memory":15835660288,"allocated_memory":1000000,"compute_capability":"7.5","cuda_version":"12.1","pytorch_version":"2.3.0"},
             "extra":{"model":"clip-vit-l-14"}}
            """;
        using var content = new StringContent(document, Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync("/metadata", content, Cancellation);
        var body = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, body);
        var said = JsonNode.Parse(body)!;
        Assert.Equal(("drill-1", 768), ((string?)said["metadata_id"], (int)said["embedding_dim"]!));
        return (string)said["receipt"]!["id"]!;
    }

    private static async Task ArrivedAsync(Machine machine, HttpClient client, string receipt, int port)
    {
        JsonNode told = new JsonObject();
        machine.Until("it is stored and archived", () =>
        {
            told = machine.Run("stream", "receipt", receipt, "--json").Succeeded().Json;
            return ((string?)told["state"], (string?)told["archive"]) is ("stored", "archived");
        }, Patience);
        Assert.Equal(("drill-1", "gs://ca4/images/drill.png"), ((string?)told["metadata_id"], (string?)told["source"]));
        Assert.NotNull(told["archived"]);
        var found = Assert.Single(machine.Run("stream", "query", "--id", "drill-1", "--json").Succeeded().Json["documents"]!.AsArray())!;
        Assert.Equal((768, "clip-vit-l-14", "Tesla T4"), ((int)found["embedding_dim"]!, (string?)found["document"]!["model"], (string?)found["document"]!["gpu_hardware"]!["device_name"]));
        Assert.Contains("stoker_stream_archived_total", await client.GetStringAsync($"http://127.0.0.1:{port}/metrics", Cancellation), StringComparison.Ordinal);
    }

    private static void AssertPlaces(Machine machine, bool hasPostgres, bool hasKafka, bool hasBucket)
    {
        var status = machine.Run("stream", "status", "--json").Json["streams"]![0]!;
        Assert.StartsWith(hasPostgres ? "postgres://" : "sqlite:", (string)status["store"]!, StringComparison.Ordinal);
        Assert.Equal(hasKafka, ((string)status["log"]!).StartsWith("kafka:", StringComparison.Ordinal));
        Assert.Equal(hasBucket ? "s3://ca4/archive" : Path.Combine(machine.Directory, "archive"), (string?)status["archive"]);
        if (!hasBucket) Assert.NotEmpty(Directory.GetFiles(Path.Combine(machine.Directory, "archive"), "*.ndjson.gz", SearchOption.AllDirectories));
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories).Where(file => !file.StartsWith(Path.Combine(from, "archive"), StringComparison.Ordinal)))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target, overwrite: true);
        }
    }

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
