using System.Net;
using Stoker.Drills.Streams.Shared;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>A disk that fills up while events come in: they are refused with the time to come again, and nothing that was acknowledged is lost.</summary>
public sealed class FullDiskDrills
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_full_disk_is_a_refusal_and_the_stream_goes_on_by_itself_when_there_is_room(bool dies)
    {
        // The segments that are begun (64 MiB; each round uses one up), the reserve, and the documents of all of them fit; the next segment does not when the rest is taken.
        using var disk = SmallDisk.Mount("700m");
        await using var box = new StreamBox(Path.Combine(disk.Path, "state"), plan => plan with { Partitions = 1 });
        var oracle = new Oracle();
        await box.UpAsync();
        await using (var producers = new Producers(box, oracle, count: 4, issue: static o => o.Issue(noise: 30_000)))
        {
            for (var round = 0; round < 2; round++)
            {
                var enough = oracle.Acknowledged + 200;
                await box.UntilAsync("events come in", () => Task.FromResult(oracle.Acknowledged >= enough));
                var refused = producers.Refused;
                var ballast = Fill(disk.Path);
                await box.UntilAsync("they are refused", () => Task.FromResult(producers.Refused > refused + 20));
                Assert.Equal((HttpStatusCode)507, producers.LastRefusal.Status);
                Assert.Equal("application/problem+json", producers.LastRefusal.Type);
                Assert.InRange(producers.LastRefusal.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
                await box.UntilAsync("the status says it", async () =>
                    (await box.StatusAsync())["partitions"]!.AsArray().Any(p => (string?)p!["state"] == "disk_full"));
                if (dies)
                {
                    box.Kill();
                    await box.UpAsync();
                }

                File.Delete(ballast);
                enough = oracle.Acknowledged + 200;
                await box.UntilAsync("they are taken again", () => Task.FromResult(oracle.Acknowledged >= enough));
            }

            await producers.StopAsync();
        }

        await box.AssertHoldsAsync(oracle);
    }

    /// <summary>Until nothing more fits, whatever else is written meanwhile.</summary>
    private static string Fill(string directory)
    {
        var path = Path.Combine(directory, "ballast");
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[1 << 20];
        try
        {
            while (true) file.Write(block);
        }
        catch (IOException)
        {
            // Full.
        }

        return path;
    }
}
