using System.Net.Sockets;
using System.Text;
using Stoker.Gateway;
using Stoker.Tests.Gateway.Shared;
using Stoker.Tests.Models.Simulator;
using Xunit;

namespace Stoker.Tests.Gateway.Forwarding;

/// <summary>Clients that send or read so slowly that they would hold what others need: memory, places at replicas, time.</summary>
public sealed class SlowClientTests
{
    /// <summary>Far more than all buffers of the kernel between an engine and a client.</summary>
    private const int Flood = 512 << 20;

    /// <summary>What those buffers, which the kernel lets grow to some MiB each, and the gateway may hold.</summary>
    private const int HeldAtMost = 128 << 20;

    [Theory]
    [InlineData("content-length: 100000", "{")]
    [InlineData("transfer-encoding: chunked", "1\r\n{\r\n")]
    public async Task A_body_that_comes_drop_by_drop_ends_with_its_time_and_holds_nobody_up(string length, string drop)
    {
        await using var model = RawServer.Saying(Sse.Json(Sse.Answer("x")));
        await using var bench = GatewayBench.Start(GatewayBench.Plan(model.Address) with { Times = new() { Body = 500 } });
        using var raw = await bench.RawAsync();
        await raw.Socket.SendAsync(Encoding.ASCII.GetBytes($"POST {Sse.Path} HTTP/1.1\r\nhost: x\r\n{length}\r\n\r\n"));
        while (!raw.Socket.Poll(TimeSpan.FromMilliseconds(5), SelectMode.SelectRead)) await raw.Socket.SendAsync(Encoding.ASCII.GetBytes(drop));
        var heard = (await raw.ReadUntilAsync("}}"))!;
        Assert.StartsWith("HTTP/1.1 408 ", heard);
        Assert.Contains("\"code\":\"request_timeout\"", heard);
        Assert.Contains("connection: close\r\n", heard);
        Assert.Equal(200, (await bench.PostAsync(Sse.Path, Sse.Chat("x"))).Status);
        Assert.Equal([("refused", 408), ("good", 200)], (await bench.LedgerAsync(2)).Select(row => (row.Outcome, row.Status)));
        Assert.Equal(1, model.Connections);
    }

    [Fact]
    public async Task Who_leaves_in_the_middle_of_a_body_has_asked_for_nothing()
    {
        await using var model = RawServer.Saying(Sse.Json(Sse.Answer("x")));
        await using var bench = GatewayBench.Start(model.Address);
        using (var raw = await bench.RawAsync())
        {
            await raw.Socket.SendAsync(Encoding.ASCII.GetBytes($"POST {Sse.Path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n{{"));
            await bench.UntilAsync(() => bench.State.Metrics.OpenConnections == 2);
        }

        await bench.UntilAsync(() => bench.State.Metrics.OpenConnections == 1);
        Assert.Equal(0, model.Connections);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_takes_nothing_holds_the_engine_back_and_is_given_up_after_its_time(bool stream)
    {
        var sent = 0L;
        await using var model = new RawServer(async peer =>
        {
            await peer.ReadRequestAsync();
            var piece = Encoding.ASCII.GetBytes(stream ? Sse.Chunk(Sse.Text(new string('x', 60_000))) : new string('x', 60_000));
            await peer.SendAsync(stream ? Sse.Head : $"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {Flood}\r\n\r\n");
            while (Volatile.Read(ref sent) < Flood) Interlocked.Add(ref sent, await peer.Socket.SendAsync(piece));
        });
        await using var bench = GatewayBench.Start(GatewayBench.Plan(model.Address) with { Times = new() { ClientStall = 500 } });
        using var raw = await bench.RawAsync();
        await raw.SendAsync(Sse.Path, stream ? Sse.Stream("x") : Sse.Chat("x"));

        var row = Assert.Single(await bench.LedgerAsync(1));
        Assert.Equal("abandoned", row.Outcome);
        Assert.InRange(Volatile.Read(ref sent), 1, HeldAtMost);
        Assert.Equal((0, 0), (bench.InFlight, bench.Replica("m", 1).Health.Failures));
    }

    [Fact]
    public async Task A_client_that_takes_it_slowly_gets_all_of_it()
    {
        const int Count = 500;
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var model = new RawServer(async peer =>
        {
            await peer.ReadRequestAsync();
            await peer.SendAsync(Sse.Head);
            for (var i = 0; i < Count; i++)
            {
                var sending = peer.SendAsync(Sse.Chunk(Sse.Text($"({i})" + new string('x', 60_000))));
                if (!sending.IsCompleted) held.TrySetResult();
                await sending;
            }

            held.TrySetResult();
            await peer.SendAsync(Sse.Chunk(Sse.Stop + Sse.Done) + Sse.LastChunk);
        });
        await using var bench = GatewayBench.Start(model.Address);
        using var answer = await bench.SendAsync(Sse.Path, Sse.Stream("x"));
        await held.Task;
        var heard = await answer.Content.ReadAsStringAsync();
        Assert.Equal(Enumerable.Range(0, Count).Select(i => $"{i}"), heard.Split('(').Skip(1).Select(part => part.Split(')')[0]));
        Assert.EndsWith(Sse.Done, heard);
        Assert.Equal("good", Assert.Single(await bench.LedgerAsync(1)).Outcome);
    }
}
