using Stoker.Gateway;
using Stoker.Gateway.Routing;
using Stoker.Platform;
using Stoker.Tests.Gateway.Shared;
using Xunit;

namespace Stoker.Tests.Gateway;

/// <summary>Engines whose metrics hang, fail or are nonsense, and what that does to requests and to the watching of others.</summary>
public sealed class EngineWatchTests
{
    private const string Metrics = "HTTP/1.1 200 OK\r\ncontent-length: 56\r\n\r\nvllm:num_requests_running 3\nvllm:num_requests_waiting 2\n";

    private static readonly EngineWatchPace Fast = new(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(20), TimeSpan.FromMinutes(5));

    [Fact]
    public async Task A_metrics_page_that_hangs_keeps_nobody_else_from_being_watched_and_is_asked_for_once()
    {
        var (frozen, well) = (new Engine(_ => null), new Engine(_ => Metrics));
        await using var one = frozen.Server;
        await using var other = well.Server;
        await using var bench = GatewayBench.Start(one.Address, other.Address);
        await using var watch = new Watching(bench, Fast);
        await bench.UntilAsync(() => frozen.Asked == 1 && well.Asked > 5);
        Assert.Equal(1, frozen.Asked);
        Assert.Equal(200, (await bench.PostAsync(Sse.Path, Sse.Chat("x"))).Status);
    }

    [Fact]
    public async Task A_replica_that_does_not_answer_the_watch_is_ejected_while_another_serves_and_comes_back_with_it()
    {
        // Once it hangs, then it hangs up: three patiences of real time in a row could pass without an answer of the other one, too.
        var (frozen, well) = (new Engine(asked => asked == 1 ? null : ""), new Engine(_ => Metrics));
        await using var one = frozen.Server;
        await using var other = well.Server;
        await using var bench = GatewayBench.Start(one.Address, other.Address);
        await using var watch = new Watching(bench, Fast with { Patience = TimeSpan.FromSeconds(1) });
        await bench.UntilAsync(() => !bench.Replica("m", 1).IsUsable);
        Assert.True(bench.Replica("m", 2).IsUsable);
        frozen.Says = _ => Metrics;
        await bench.UntilAsync(() => bench.Replica("m", 1).Health.ProbesSucceeded >= 2);
        Assert.Equal(HealthPhase.Trial, bench.Replica("m", 1).Health.PhaseAt(Stoker.Gateway.Forwarding.GatewayLoop.Steady));

        // The one request that tries it is the proof.
        await bench.UntilAsync(() => bench.PostAsync(Sse.Path, Sse.Chat("x")).GetAwaiter().GetResult().Status == 200 && bench.Replica("m", 1).IsUsable);
    }

    [Theory]
    [InlineData("HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length: 46\r\n\r\nvllm:num_requests_running nonsense\n{{{\0\xff\n\n= 7\n")]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")]
    public async Task Metrics_that_say_nothing_cost_no_replica_its_place(string answer)
    {
        var (broken, well) = (new Engine(_ => answer), new Engine(_ => Metrics));
        await using var one = broken.Server;
        await using var other = well.Server;
        await using var bench = GatewayBench.Start(one.Address, other.Address);
        await using var watch = new Watching(bench, Fast);
        await bench.UntilAsync(() => broken.Asked > 5);
        Assert.True(bench.Replica("m", 1).IsUsable);
        Assert.Equal((0, 0), (bench.Replica("m", 1).Health.ProbesFailed, bench.Replica("m", 1).Health.Ejections));
        for (var i = 0; broken.Answered == 0; i++) Assert.Equal((200, true), ((await bench.PostAsync(Sse.Path, Sse.Chat($"{i}"))).Status, i < 1_000));
    }

    [Fact]
    public async Task A_metrics_page_without_end_is_not_read_to_it()
    {
        var sent = 0L;
        await using var endless = new RawServer(async peer =>
        {
            await peer.ReadRequestAsync();
            await peer.SendAsync("HTTP/1.1 200 OK\r\n\r\n");
            var piece = System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("vllm:num_requests_running 1\n", 2_000)));
            // Of the first time that it is asked for: it goes on being asked.
            while (true) Interlocked.Add(ref sent, await peer.Socket.SendAsync(piece) * (peer.Number == 1 ? 1 : 0));
        });
        await using var bench = GatewayBench.Start(endless.Address);
        await using var watch = new Watching(bench, Fast);
        await bench.UntilAsync(() => bench.Replica("m", 1).Health.ProbesFailed > 0);
        // A piece is counted after it was sent, and may have been read by then.
        await bench.UntilAsync(() => Volatile.Read(ref sent) >= 16 << 20);
        Assert.InRange(Volatile.Read(ref sent), 16 << 20, 1 << 30);
    }

    /// <summary>A server that answers chats, and whose metrics the test says.</summary>
    private sealed class Engine
    {
        private int _asked;
        private int _answered;

        /// <param name="says">By the number of the question; null: nothing, until the other side leaves; empty: it hangs up.</param>
        public Engine(Func<int, string?> says)
        {
            Says = says;
            Server = new RawServer(async peer =>
            {
                while (await peer.ReadRequestAsync() is { } request)
                {
                    if (!request.StartsWith("GET /metrics ", StringComparison.Ordinal))
                    {
                        Interlocked.Increment(ref _answered);
                        await peer.SendAsync(Sse.Json(Sse.Answer("x")));
                    }
                    else if (Says(Interlocked.Increment(ref _asked)) is { } page)
                    {
                        if (page.Length == 0) return;
                        await peer.SendAsync(System.Text.Encoding.Latin1.GetBytes(page));
                    }
                    else
                    {
                        await peer.LeftAsync();
                    }
                }
            });
        }

        public Func<int, string?> Says { get; set; }

        public RawServer Server { get; }

        public int Asked => Volatile.Read(ref _asked);

        public int Answered => Volatile.Read(ref _answered);
    }

    private sealed class Watching : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public Watching(GatewayBench bench, EngineWatchPace pace) => _running = new EngineWatch(bench.State, new SteadyClock(), pace).RunAsync(_stop.Token);

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running);
            _stop.Dispose();
        }
    }
}
