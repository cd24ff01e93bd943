using System.Net;
using System.Net.Sockets;
using Stoker.Tests.Gateway.Shared;
using Stoker.Tests.Models.Simulator;
using Xunit;

namespace Stoker.Tests.Gateway.Forwarding;

/// <summary>The ways in which gateways before a model server have gone wrong, each through real sockets: truncation, leaving, counting, repeating, blaming.</summary>
public sealed class TrapTests
{
    [Theory]
    [InlineData("reset-after=3")]
    [InlineData("end-after=3")]
    [InlineData("close-delimited; end-after=3")]
    [InlineData("malformed-after=3")]
    public async Task Trap_01_what_is_cut_off_is_told_counted_and_blamed(string fault)
    {
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(model.Server.Address);
        var heard = await bench.BrokenTextAsync(Sse.Path, Sse.Stream("hello", "\"max_tokens\":6"), fault);
        Assert.Contains("data: {\"error\":{\"message\":\"", heard);
        Assert.Contains("\"code\":\"stream_truncated\"", heard);
        Assert.DoesNotContain("[DONE]", heard);
        Assert.Equal("truncated", Assert.Single(await bench.LedgerAsync(1)).Outcome);
        await bench.UntilAsync(() => bench.Replica("m", 1).Health.Failures == 1);
    }

    [Fact]
    public async Task Trap_01_an_answer_that_breaks_off_is_never_a_short_one()
    {
        await using var model = new RawServer(async peer =>
        {
            await peer.ReadRequestAsync();
            await peer.SendAsync($"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{Sse.Chunk("{\"id\":")}");
        });
        await using var bench = GatewayBench.Start(model.Address);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => bench.TextAsync(Sse.Path, Sse.Chat("x")));
        Assert.Equal("truncated", Assert.Single(await bench.LedgerAsync(1)).Outcome);
    }

    [Fact]
    public async Task Trap_01_a_stream_that_says_only_that_it_is_done_has_answered_nothing()
    {
        var asked = 0;
        await using var model = Serving(_ => Interlocked.Increment(ref asked) == 1
            ? $"{Sse.Head}{Sse.Chunk(Sse.Done)}{Sse.LastChunk}"
            : Whole("good"));
        await using var bench = GatewayBench.Start(model.Address);
        Assert.Equal(Sse.Role + Sse.Text("good") + Sse.Stop + Sse.Done, await bench.TextAsync(Sse.Path, Sse.Stream("x")));
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task Trap_02_who_leaves_the_queue_is_never_served()
    {
        var release = new TaskCompletionSource();
        var asked = 0;
        await using var model = new RawServer(async peer =>
        {
            while (await peer.ReadRequestAsync() is not null)
            {
                Interlocked.Increment(ref asked);
                await release.Task;
                await peer.SendAsync(Sse.Json(Sse.Answer("x")));
            }
        });
        await using var bench = GatewayBench.Start(GatewayBench.Plan(GatewayBench.Model("m", model.Address) with { MaxConcurrency = 1 }));
        var first = bench.PostAsync(Sse.Path, Sse.Chat("first"));
        await bench.UntilAsync(() => asked == 1);
        var queue = bench.State.Tables.Router.Table.Routes[0].Life.Queue;
        using (var raw = await bench.RawAsync())
        {
            await raw.SendAsync(Sse.Path, Sse.Chat("second"));
            await bench.UntilAsync(() => queue.Waiting == 1);
        }

        // Its row is written after it has left the queue; the other's is to come behind it.
        Assert.Equal("abandoned", Assert.Single(await bench.LedgerAsync(1)).Outcome);
        Assert.Equal(0, queue.Waiting);
        release.SetResult();
        Assert.Equal(200, (await first).Status);
        Assert.Equal(["abandoned", "good"], (await bench.LedgerAsync(2)).Select(row => row.Outcome));
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task Trap_02_who_leaves_while_the_replica_is_connected_to_holds_nothing()
    {
        using var deaf = new Deaf();
        await using var bench = GatewayBench.Start(GatewayBench.Plan(deaf.Address) with { Times = new() { Connect = 120_000 } });
        using (var raw = await bench.RawAsync())
        {
            await raw.SendAsync(Sse.Path, Sse.Chat("x"));
            await bench.UntilAsync(() => bench.InFlight == 1);
        }

        await bench.UntilAsync(() => bench.InFlight == 0);
        var row = Assert.Single(await bench.LedgerAsync(1));
        Assert.Equal(("abandoned", 0L, 499), (row.Outcome, row.Prompt + row.Completion, row.Status));
        Assert.Equal(0, bench.Replica("m", 1).Health.Failures);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"id\":")]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n6\r\n{\"id\":\r\n")]
    [InlineData("HTTP/1.1 400 Bad\r\ncontent-length: 1000\r\n\r\n{")]
    [InlineData(Sse.Head)]
    [InlineData(Sse.Head + "3\r\n: a\r\n")]
    public async Task Trap_02_who_leaves_ends_the_work_at_once(string heardSoFar)
    {
        var (asked, left) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var model = new RawServer(async peer =>
        {
            await peer.ReadRequestAsync();
            await peer.SendAsync(heardSoFar);
            asked.TrySetResult();
            await peer.LeftAsync();
            left.TrySetResult();
        });
        await using var bench = GatewayBench.Start(model.Address);
        using (var raw = await bench.RawAsync())
        {
            await raw.SendAsync(Sse.Path, Sse.Stream("x"));
            await asked.Task;
        }

        await left.Task.WaitAsync(TimeSpan.FromSeconds(20));
        var row = Assert.Single(await bench.LedgerAsync(1));
        Assert.Equal("abandoned", row.Outcome);
        Assert.True(row.Prompt > 0, "the engine has had the prompt");
        Assert.Equal(1, model.Connections);
        Assert.Equal(0, bench.Replica("m", 1).Health.Failures);
    }

    [Fact]
    public async Task Trap_02_who_leaves_a_stream_cancels_it_in_the_engine()
    {
        await using var model = Bench.Start(o => o with { Itl = new(Bench.Ms(5)) });
        await using var bench = GatewayBench.Start(model.Server.Address);
        using (var raw = await bench.RawAsync())
        {
            await raw.SendAsync(Sse.Path, Sse.Stream("x", "\"max_tokens\":20000,\"ignore_eos\":true"));
            await raw.ReadUntilAsync("\"content\":");
        }

        Assert.Equal("cancelled", (await model.LastRequestAsync()).GetProperty("outcome").GetString());
        var row = Assert.Single(await bench.LedgerAsync(1));
        Assert.Equal(("abandoned", false, 200), (row.Outcome, row.IsEstimated, row.Status));
    }

    [Theory]
    [InlineData("hold-open")]
    [InlineData("comments")]
    public async Task Trap_03_a_close_after_the_end_is_no_leaving(string fault)
    {
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(model.Server.Address);
        using (var raw = await bench.RawAsync())
        {
            await raw.SendAsync(Sse.Path, Sse.Stream("x"), $"x-simulate: {fault}\r\n");
            await raw.ReadUntilAsync(Sse.Done);
        }

        Assert.Equal("good", Assert.Single(await bench.LedgerAsync(1)).Outcome);
        Assert.Equal(0, bench.Replica("m", 1).Health.Failures);
    }

    [Fact]
    public async Task Trap_04_a_place_is_given_back_whatever_happens()
    {
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(model.Server.Address);
        string[] faults =
        [
            "comments", "status=500", "status=503", "status=429", "status=400", "status=302", "reset-before-headers", "reset-after=0", "reset-after=2", "end-after=0",
            "end-after=2", "error-first", "error-after=2", "malformed-after=0", "no-done", "no-usage", "gzip", "close-delimited", "close-silently",
        ];
        foreach (var fault in faults)
        {
            foreach (var body in (string[])[Sse.Chat("x"), Sse.Stream("x")])
            {
                using var raw = await bench.RawAsync();
                await raw.SendAsync(Sse.Path, body, $"x-simulate: {fault}\r\nconnection: close\r\n");
                await raw.ReadUntilAsync();
                await bench.UntilAsync(() => bench.InFlight == 0 && bench.State.Metrics.ActiveRequests == 0);
            }
        }

        await bench.LedgerAsync(faults.Length * 2);
    }

    [Theory]
    [InlineData("HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")]
    [InlineData(Sse.Head)]
    [InlineData(Sse.Head + "25\r\ndata: {\"error\":{\"message\":\"no GPU\"}}\n\n\r\n0\r\n\r\n")]
    [InlineData("nonsense\r\n\r\n")]
    [InlineData("")]
    public async Task Trap_05_what_fails_before_its_first_byte_is_answered_by_another(string failure)
    {
        var asked = 0;
        Task Script(RawPeer peer) => AnswerAsync(peer, _ => Interlocked.Increment(ref asked) == 1 ? failure : Whole("good"), closes: true);
        await using var one = new RawServer(Script);
        await using var other = new RawServer(Script);
        await using var bench = GatewayBench.Start(one.Address, other.Address);
        Assert.Equal(Sse.Role + Sse.Text("good") + Sse.Stop + Sse.Done, await bench.TextAsync(Sse.Path, Sse.Stream("x")));
        Assert.Equal((1, 1), (one.Connections, other.Connections));
        Assert.Equal("good", Assert.Single(await bench.LedgerAsync(1)).Outcome);
    }

    [Fact]
    public async Task Trap_05_after_the_first_byte_nothing_is_asked_twice()
    {
        var asked = 0;
        Task Script(RawPeer peer)
        {
            Interlocked.Increment(ref asked);
            return AnswerAsync(peer, _ => Sse.Head + Sse.Chunk(Sse.Role + Sse.Text("half")), closes: true);
        }

        await using var one = new RawServer(Script);
        await using var other = new RawServer(Script);
        await using var bench = GatewayBench.Start(one.Address, other.Address);
        var heard = await bench.BrokenTextAsync(Sse.Path, Sse.Stream("x"));
        Assert.StartsWith(Sse.Role + Sse.Text("half") + "data: {\"error\":", heard);
        Assert.Equal(1, asked);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(413)]
    [InlineData(422)]
    public async Task Trap_06_what_is_wrong_with_the_request_is_nobody_elses_fault(int status)
    {
        var asked = 0;
        await using var model = Serving(_ =>
        {
            Interlocked.Increment(ref asked);
            return Sse.Json("{\"error\":{\"message\":\"not so\",\"type\":\"BadRequestError\",\"code\":400}}", status);
        });
        await using var bench = GatewayBench.Start(model.Address);
        var (told, body) = await bench.PostAsync(Sse.Path, Sse.Stream("x"));
        Assert.Equal(status, told);
        Assert.Equal("not so", body.GetProperty("error").GetProperty("message").GetString());
        Assert.Equal(1, asked);
        Assert.Equal(0, bench.Replica("m", 1).Health.Failures);
        Assert.Equal("refused", Assert.Single(await bench.LedgerAsync(1)).Outcome);
    }

    internal static string Whole(string text) => Sse.Head + Sse.Chunk(Sse.Role + Sse.Text(text) + Sse.Stop + Sse.Done) + Sse.LastChunk;

    internal static RawServer Serving(Func<string, string> answer) => new(peer => AnswerAsync(peer, answer, closes: false));

    private static async Task AnswerAsync(RawPeer peer, Func<string, string> answer, bool closes)
    {
        while (await peer.ReadRequestAsync() is { } request)
        {
            await peer.SendAsync(answer(request));
            if (closes) return;
        }
    }
}

/// <summary>An address where connecting neither succeeds nor fails: a listener that never accepts and whose queue is full.</summary>
internal sealed class Deaf : IDisposable
{
    private readonly List<Socket> _waiting = [];
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public Deaf()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(0);
        for (var i = 0; i < 4; i++)
        {
            var one = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _waiting.Add(one);
            try
            {
                one.Connect(Address);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                // It fills the queue, or waits before it: both are wanted.
            }
        }
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    public void Dispose()
    {
        foreach (var one in _waiting) one.Dispose();
        _listener.Dispose();
    }
}
