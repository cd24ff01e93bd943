using System.IO.Compression;
using System.Text;
using Stoker.Tests.Gateway.Shared;
using Stoker.Tests.Models.Simulator;
using Xunit;

namespace Stoker.Tests.Gateway.Forwarding;

/// <summary>What model servers do that is right and rare, and what becomes of requests when servers and plans change under load.</summary>
public sealed class EngineFaultTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_packed_answer_passes_as_it_is(bool stream)
    {
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(model.Server.Address);
        using var answer = await bench.SendAsync(Sse.Path, stream ? Sse.Stream("x") : Sse.Chat("x"), "gzip");
        Assert.Equal("gzip", Assert.Single(answer.Content.Headers.ContentEncoding));
        using var reader = new StreamReader(new GZipStream(await answer.Content.ReadAsStreamAsync(), CompressionMode.Decompress));
        Assert.EndsWith(stream ? Sse.Done : "}", await reader.ReadToEndAsync());
        Assert.True(Assert.Single(await bench.LedgerAsync(1)).IsEstimated);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}", true)]
    [InlineData("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}", true)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 51\r\n\r\n{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}", false)]
    [InlineData("HTTP/1.1 200\r\ncontent-length: 51\r\n\r\n{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}", false)]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n33;x=y\r\n{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\r\n0\r\nt: 1\r\n\r\n", false)]
    public async Task Each_way_to_frame_an_answer_is_understood(string answer, bool closes)
    {
        await using var model = new RawServer(async peer =>
        {
            while (await peer.ReadRequestAsync() is not null)
            {
                await peer.SendAsync(answer);
                if (closes) return;
            }
        });
        await using var bench = GatewayBench.Start(model.Address);
        using var raw = await bench.RawAsync();
        for (var i = 0; i < 2; i++)
        {
            await raw.SendAsync(Sse.Path, Sse.Chat("x"));
            var heard = (await raw.ReadUntilAsync(closes || answer.Contains("chunked", StringComparison.Ordinal) ? "\r\n0\r\n\r\n" : "}}"))!;
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", heard);
            Assert.Equal(1, Sse.Count(heard, "{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}"));
            Assert.DoesNotContain("link", heard);
        }

        Assert.All(await bench.LedgerAsync(2), row => Assert.Equal((1L, 2L), (row.Prompt, row.Completion)));
    }

    [Fact]
    public async Task An_answer_that_comes_before_the_request_is_sent_is_heard()
    {
        await using var model = new RawServer(async peer =>
        {
            await peer.Socket.ReceiveAsync(new byte[100]);
            await peer.SendAsync(Sse.Json("{\"error\":{\"message\":\"too long for me\"}}", 413, "connection: close\r\n"));
            peer.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            await peer.LeftAsync();
        });
        await using var bench = GatewayBench.Start(model.Address);
        var (status, body) = await bench.PostAsync(Sse.Path, Sse.Chat(new string('x', 20_000_000)));
        Assert.Equal((413, "too long for me"), (status, body.GetProperty("error").GetProperty("message").GetString()));
    }

    [Theory]
    [InlineData(413)]
    [InlineData(502)]
    public async Task An_engine_that_never_reads_the_rest_is_heard_before_it_is_sent(int status)
    {
        var over = new TaskCompletionSource();
        await using var model = new RawServer(async peer =>
        {
            await peer.Socket.ReceiveAsync(new byte[100]);
            if (status == 413) await peer.SendAsync(Sse.Json("{\"error\":{\"message\":\"too much\"}}", status));
            else peer.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            await over.Task.WaitAsync(TimeSpan.FromMinutes(1));
        });
        await using var bench = GatewayBench.Start(model.Address);
        Assert.Equal(status, (await bench.PostAsync(Sse.Path, Sse.Chat(new string('x', 30_000_000)))).Status);
        over.SetResult();
    }

    [Fact]
    public async Task A_kept_connection_that_the_server_closes_just_now_is_replaced_unseen()
    {
        await using var model = new RawServer(async peer =>
        {
            await peer.ReadRequestAsync();
            await peer.SendAsync(Sse.Json(Sse.Answer($"{peer.Number}")));
            await peer.ReadRequestAsync();
        });
        await using var bench = GatewayBench.Start(model.Address);
        using var raw = await bench.RawAsync();
        for (var i = 1; i <= 3; i++)
        {
            await raw.SendAsync(Sse.Path, Sse.Chat("x"));
            Assert.Contains($"\"content\":\"{i}\"", await raw.ReadUntilAsync("\"usage\""));
        }

        Assert.Equal(0, bench.Replica("m", 1).Health.Failures);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Bytes_that_nobody_asked_for_reach_nobody(bool atOnce)
    {
        var evil = Sse.Json(Sse.Answer("evil"));
        var (first, spoken) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var model = new RawServer(async peer =>
        {
            while (await peer.ReadRequestAsync() is not null)
            {
                await peer.SendAsync(Sse.Json(Sse.Answer("good")) + (atOnce && peer.Number == 1 ? evil : ""));
                if (peer.Number != 1 || atOnce || spoken.Task.IsCompleted) continue;
                await first.Task;
                await peer.SendAsync(evil);
                spoken.SetResult();
            }
        });
        await using var bench = GatewayBench.Start(model.Address);
        using var raw = await bench.RawAsync();
        await raw.SendAsync(Sse.Path, Sse.Chat("x"));
        await raw.ReadUntilAsync("\"usage\"");
        first.SetResult();
        if (!atOnce) await spoken.Task;
        for (var i = 0; i < 3; i++) Assert.Contains("\"good\"", await bench.TextAsync(Sse.Path, Sse.Chat("x")));
        await raw.SendAsync(Sse.Path, Sse.Chat("x"));
        Assert.Contains("\"good\"", await raw.ReadUntilAsync("\"usage\""));
    }

    [Fact]
    public async Task A_replica_killed_under_load_costs_no_request_that_had_not_begun()
    {
        var served = 0;
        Func<string, string> answer = _ =>
        {
            Interlocked.Increment(ref served);
            return Sse.Json(Sse.Answer("x"));
        };
        await using var one = TrapTests.Serving(answer);
        var other = TrapTests.Serving(answer);
        await using var bench = GatewayBench.Start(one.Address, other.Address);
        var load = LoadAsync(bench, workers: 16, each: 100);
        await bench.UntilAsync(() => Volatile.Read(ref served) > 400);
        await other.DisposeAsync();
        Assert.All(await load, status => Assert.Equal(200, status));
        await bench.LedgerAsync(1600);
    }

    [Fact]
    public async Task A_plan_that_changes_under_load_costs_no_request()
    {
        Func<string, string> answer = _ => Sse.Json(Sse.Answer("x"));
        await using var one = TrapTests.Serving(answer);
        await using var two = TrapTests.Serving(answer);
        await using var three = TrapTests.Serving(answer);
        await using var bench = GatewayBench.Start(one.Address, two.Address);
        var load = LoadAsync(bench, workers: 16, each: 200);
        System.Net.IPEndPoint[][] places = [[one.Address], [two.Address, three.Address], [three.Address, one.Address], [two.Address]];
        for (var i = 0; !load.IsCompleted; i++)
        {
            bench.Apply(GatewayBench.Plan(places[i % places.Length]));
            (await bench.Client.GetAsync("/health")).Dispose();
        }

        Assert.All(await load, status => Assert.Equal(200, status));
    }

    [Fact]
    public async Task An_orderly_end_lets_running_answers_finish_and_closes_what_is_idle()
    {
        var release = new TaskCompletionSource();
        await using var model = new RawServer(async peer =>
        {
            await peer.ReadRequestAsync();
            await peer.SendAsync(Sse.Head + Sse.Chunk(Sse.Role + Sse.Text("a")));
            await release.Task;
            await peer.SendAsync(Sse.Chunk(Sse.Stop + Sse.Done) + Sse.LastChunk);
            await peer.LeftAsync();
        });
        await using var bench = GatewayBench.Start(model.Address);
        using var busy = await bench.RawAsync();
        using var idle = await bench.RawAsync();
        using var used = await bench.RawAsync();
        await used.Socket.SendAsync(Encoding.ASCII.GetBytes("GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n"));
        await used.ReadUntilAsync("\"data\"");
        await busy.SendAsync(Sse.Path, Sse.Stream("x"));
        await busy.ReadUntilAsync("\"a\"");
        bench.Client.CancelPendingRequests();
        var drained = bench.DrainAsync();
        Assert.Equal("", await idle.ReadUntilAsync());
        await used.ReadUntilAsync();
        Assert.False(drained.IsCompleted);
        release.SetResult();
        Assert.EndsWith(Sse.Done + "\r\n0\r\n\r\n", await busy.ReadUntilAsync());
        await drained.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("good", Assert.Single(await bench.LedgerAsync(1)).Outcome);
    }

    private static async Task<List<int>> LoadAsync(GatewayBench bench, int workers, int each)
    {
        var all = await Task.WhenAll(Enumerable.Range(0, workers).Select(async _ =>
        {
            var told = new List<int>();
            for (var i = 0; i < each; i++)
            {
                using var answer = await bench.SendAsync(Sse.Path, Sse.Chat("x"));
                await answer.Content.ReadAsByteArrayAsync();
                told.Add((int)answer.StatusCode);
            }

            return told;
        }));
        return [.. all.SelectMany(told => told)];
    }
}
