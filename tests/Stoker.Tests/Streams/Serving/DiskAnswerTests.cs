using System.Net;
using System.Text;
using Stoker.Streams.Log;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Serving;

/// <summary>What producers are told when the disk does not take their events.</summary>
public sealed class DiskAnswerTests
{
    [Fact]
    public async Task A_full_disk_is_a_507_until_there_is_room()
    {
        await using var bench = StreamBench.Start();
        Assert.Equal(202, (await bench.PostAsync(StreamBench.Fact("a"))).Status);
        var full = true;
        bench.Disk.Fault = (call, _, _) => Volatile.Read(ref full) && call is DiskCall.Write or DiskCall.Allocate ? DiskFault.Full : null;
        using (var answer = await SendAsync(bench, "b"))
        {
            Assert.Equal((HttpStatusCode)507, answer.StatusCode);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
            Assert.True(answer.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        }

        Assert.Equal("disk_full", (string?)(await bench.GetAsync("/status"))["partitions"]![0]!["state"]);
        Assert.Equal(0, (await bench.MetricsAsync())["stoker_stream_log_writable{partition=\"0\"}"]);
        Volatile.Write(ref full, false);
        await bench.UntilAsync(async () => (await bench.PostAsync(StreamBench.Fact("c"))).Status == 202);
        Assert.Equal(1, (await bench.MetricsAsync())["stoker_stream_log_writable{partition=\"0\"}"]);
    }

    [Fact]
    public async Task A_disk_that_failed_is_a_503_and_the_status_says_why()
    {
        await using var bench = StreamBench.Start();
        var broken = true;
        bench.Disk.Fault = (call, path, _) => Volatile.Read(ref broken) && call == DiskCall.Sync && path.EndsWith(".log", StringComparison.Ordinal) ? DiskFault.Broken : null;
        using var answer = await SendAsync(bench, "a");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        Volatile.Write(ref broken, false);
        // Nobody trusts a sync after one that failed.
        Assert.Equal(503, (await bench.PostAsync(StreamBench.Fact("b"))).Status);
        var partition = (await bench.GetAsync("/status"))["partitions"]![0]!;
        Assert.Equal("failed", (string?)partition["state"]);
        Assert.NotEmpty((string?)partition["problem"] ?? "");
    }

    [Fact]
    public async Task A_disk_that_is_too_slow_is_a_503_for_those_who_come_too_many()
    {
        using var let = new ManualResetEventSlim();
        await using var bench = StreamBench.Start(options: new LogOptions(ReserveBytes: 0, BatchBytes: 16 << 10, MostWaiting: 32 << 10, Window: TimeSpan.Zero) { TestsDrive = false });
        bench.Disk.Fault = (call, path, _) =>
        {
            if (call == DiskCall.Sync && path.EndsWith(".log", StringComparison.Ordinal)) let.Wait();
            return null;
        };
        var noise = $",\"extra\":{{\"noise\":\"{new string('x', 4000)}\"}}";
        var answers = Enumerable.Range(0, 40).Select(i => bench.PostAsync(StreamBench.Fact($"e{i}", noise))).ToList();
        var busy = await await Task.WhenAny(answers);
        Assert.Equal(503, busy.Status);
        Assert.Equal("urn:stoker:problem:busy", (string?)busy.Body["type"]);
        let.Set();
        var all = await Task.WhenAll(answers);
        Assert.Equal((ulong)all.Count(answer => answer.Status == 202), bench.State.Log.Partitions[0].NextOffset);
        Assert.Contains(all, answer => answer.Status == 202);
    }

    private static Task<HttpResponseMessage> SendAsync(StreamBench bench, string id) =>
        bench.Client.PostAsync("/metadata", new StringContent(StreamBench.Fact(id), Encoding.UTF8, "application/json"));
}
