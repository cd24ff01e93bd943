using System.Text;
using System.Text.RegularExpressions;
using Stoker.Gateway;
using Stoker.Gateway.Forwarding;
using Stoker.Keys;
using Stoker.Limits;
using Stoker.Gateway.Routing;
using Stoker.Tests.Gateway.Shared;
using Stoker.Tests.Models.Simulator;
using Xunit;

namespace Stoker.Tests.Gateway.Forwarding;

/// <summary>The other half of the traps: usage, reservations, framing, buffering, timeouts, stale metrics.</summary>
public sealed partial class StreamTrapTests
{
    [Theory]
    [InlineData("")]
    [InlineData("\"stream_options\":null")]
    [InlineData("\"stream_options\":{}")]
    [InlineData("\"stream_options\":{\"include_usage\":true}")]
    [InlineData("\"stream_options\":{\"include_usage\":false}")]
    [InlineData("\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}")]
    [InlineData("\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":false}")]
    [InlineData("\"stream_options\":{\"continuous_usage_stats\":true}")]
    [InlineData("\"stream_options\":{\"include_obfuscation\":false,\"include_usage\":true}")]
    public async Task Trap_07_the_client_gets_the_events_it_would_have_got_without_us(string options)
    {
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(model.Server.Address);
        var body = Sse.Stream("hello you", "\"max_tokens\":9" + (options.Length > 0 ? "," + options : ""));
        using var direct = await model.SendAsync(Sse.Path, body);
        var expected = Plain(await direct.Content.ReadAsStringAsync());
        Assert.Equal(expected, Plain(await bench.TextAsync(Sse.Path, body)));
        var row = Assert.Single(await bench.LedgerAsync(1));
        Assert.Equal((9, false), (row.Completion, row.IsEstimated));
        Assert.Equal(await model.MetricAsync("vllm:prompt_tokens_total"), row.Prompt * 2);
    }

    [Fact]
    public async Task Trap_07_an_engine_that_says_null_for_usage_is_passed_on_as_asked()
    {
        var said = Sse.Role.Replace("\"choices\"", "\"usage\":null,\"choices\"", StringComparison.Ordinal);
        var usage = "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":1}}\n\n";
        await using var model = TrapTests.Serving(_ => Sse.Head + Sse.Chunk(said + Sse.Text("a") + Sse.Stop + usage + Sse.Done) + Sse.LastChunk);
        await using var bench = GatewayBench.Start(GatewayBench.Plan(GatewayBench.Model("m", model.Address) with { Engine = "openai" }));
        Assert.Equal(said + Sse.Text("a") + Sse.Stop + usage + Sse.Done, await bench.TextAsync(Sse.Path, Sse.Stream("x", "\"stream_options\":{\"include_usage\":true}")));
        Assert.Equal(Sse.Role + Sse.Text("a") + Sse.Stop + Sse.Done, await bench.TextAsync(Sse.Path, Sse.Stream("x")));
        Assert.All(await bench.LedgerAsync(2), row => Assert.Equal((7L, 1L), (row.Prompt, row.Completion)));
    }

    [Fact]
    public async Task Trap_07_who_leaves_pays_exactly_what_the_engine_had_made()
    {
        var left = new TaskCompletionSource();
        await using var model = new RawServer(async peer =>
        {
            Assert.Contains("\"continuous_usage_stats\":true", await peer.ReadRequestAsync());
            await peer.SendAsync(Sse.Head);
            for (var made = 0; made <= 5; made++)
            {
                var one = Sse.Text("t").Replace("\"choices\"", $"\"usage\":{{\"prompt_tokens\":11,\"completion_tokens\":{made}}},\"choices\"", StringComparison.Ordinal);
                await peer.SendAsync(Sse.Chunk(one));
            }

            await peer.LeftAsync();
            left.SetResult();
        });
        await using var bench = GatewayBench.Start(model.Address);
        using (var raw = await bench.RawAsync())
        {
            await raw.SendAsync(Sse.Path, Sse.Stream("x"));
            var heard = "";
            while (Sse.Count(heard, "\"t\"") < 6) heard += await raw.ReadUntilAsync("\"t\"");
            Assert.DoesNotContain("usage", heard);
        }

        await left.Task.WaitAsync(TimeSpan.FromSeconds(20));
        var row = Assert.Single(await bench.LedgerAsync(1));
        Assert.Equal(("abandoned", 11L, 5L, false), (row.Outcome, row.Prompt, row.Completion, row.IsEstimated));
    }

    [Fact]
    public async Task Trap_08_tokens_by_minute_are_exact_under_64_streams_at_once()
    {
        const int Streams = 64, MaxTokens = 100, Allowed = 20;
        var (release, asked) = (new TaskCompletionSource(), 0);
        await using var model = new RawServer(async peer =>
        {
            await peer.ReadRequestAsync();
            Interlocked.Increment(ref asked);
            await release.Task;
            await peer.SendAsync(Sse.Json(Sse.Answer("x", prompt: 5, completion: 5)));
        });
        var body = Sse.Chat("x", $"\"max_tokens\":{MaxTokens}");
        await using var bench = GatewayBench.Start(GatewayBench.Plan(GatewayBench.Model("m", model.Address) with { MaxConcurrency = Streams }) with { RequiresKeys = true });
        var cost = bench.State.Estimates.Prompt("m", body.IndexOf("}],", StringComparison.Ordinal) + 2 - body.IndexOf('[')) + MaxTokens;
        var limit = (cost * Allowed) + (cost / 2);
        var key = await bench.KeyAsync("one", new KeyTerms { Limits = new KeyLimits(new LimitSpec(null, limit, null), [], null) });
        var refused = 0;
        var all = Enumerable.Range(0, Streams).Select(async _ =>
        {
            using var answer = await bench.SendAsync(Sse.Path, body, key: key);
            if ((int)answer.StatusCode == 429) Interlocked.Increment(ref refused);
            else Assert.Equal(200, (int)answer.StatusCode);
        }).ToList();
        await bench.UntilAsync(() => Volatile.Read(ref asked) + Volatile.Read(ref refused) == Streams);
        Assert.Equal((Allowed, Streams - Allowed), (asked, refused));
        release.SetResult();
        await Task.WhenAll(all);
        await bench.UntilAsync(() => bench.InFlight == 0);
        var view = bench.State.Limiter.Look((await bench.LedgerAsync(Streams))[0].Key, new KeyLimits(new LimitSpec(null, limit, null), [], null), "m", DateTimeOffset.UtcNow.UtcTicks);
        Assert.Equal(limit - (Allowed * 10), view.Tokens!.Value.Remaining);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(100_000)]
    public async Task Trap_09_every_byte_passes_untouched_however_it_comes(int step)
    {
        string[] bodies =
        [
            Sse.Role + Sse.Text("é漢😀") + Sse.Stop + Sse.Done,
            (Sse.Role + Sse.Text("a") + Sse.Stop + Sse.Done).Replace("\n", "\r\n", StringComparison.Ordinal),
            (Sse.Role + Sse.Text("a") + Sse.Stop + Sse.Done).Replace("\n", "\r", StringComparison.Ordinal),
            Sse.Role + ": ping\n\n" + Sse.Text("a") + ":\n" + Sse.Stop + "event: x\nid: 7\n" + Sse.Text("b") + Sse.Done,
            (Sse.Role + Sse.Text("a") + Sse.Stop + Sse.Done).Replace("data: ", "data:", StringComparison.Ordinal),
            Sse.Role + Sse.Text("a").Replace(",\"object\"", ",\ndata: \"object\"", StringComparison.Ordinal) + Sse.Stop + Sse.Done,
            Sse.Role + Sse.Text(new string('x', 100_000)) + Sse.Event("{\"reasoning_content\":\"r\",\"n\":1.0e2}") + Sse.Stop + Sse.Done,
        ];
        foreach (var body in bodies)
        {
            if (step == 1 && body.Length > 50_000) continue;
            var bytes = Encoding.UTF8.GetBytes(body);
            await using var model = new RawServer(async peer =>
            {
                await peer.ReadRequestAsync();
                await peer.SendAsync(Sse.Head);
                for (var at = 0; at < bytes.Length; at += step)
                {
                    var piece = bytes[at..Math.Min(bytes.Length, at + step)];
                    await peer.SendAsync([.. Encoding.ASCII.GetBytes($"{piece.Length:x}\r\n"), .. piece, .. "\r\n"u8]);
                }

                await peer.SendAsync(Sse.LastChunk);
                await peer.LeftAsync();
            });
            await using var bench = GatewayBench.Start(model.Address);
            Assert.Equal(body, await bench.TextAsync(Sse.Path, Sse.Stream("x")));
            Assert.Equal("good", Assert.Single(await bench.LedgerAsync(1)).Outcome);
        }
    }

    [Fact]
    public async Task Trap_10_each_event_arrives_before_the_next_is_sent()
    {
        var (heard, said) = (new SemaphoreSlim(0), new TaskCompletionSource<string>());
        await using var model = new RawServer(async peer =>
        {
            said.SetResult((await peer.ReadRequestAsync())!);
            await peer.SendAsync(Sse.Head);
            for (var i = 0; i < 20; i++)
            {
                await peer.SendAsync(Sse.Chunk(Sse.Text($"[{i}]")));
                await heard.WaitAsync();
            }

            await peer.SendAsync(Sse.Chunk(Sse.Stop + Sse.Done) + Sse.LastChunk);
        });
        await using var bench = GatewayBench.Start(model.Address);
        using var raw = await bench.RawAsync();
        await raw.SendAsync(Sse.Path, Sse.Stream("x"), "accept-encoding: gzip, br\r\n");
        for (var i = 0; i < 20; i++)
        {
            var text = await raw.ReadUntilAsync($"[{i}]");
            if (i == 0) Assert.Contains("cache-control: no-cache\r\nx-accel-buffering: no\r\ntransfer-encoding: chunked\r\n", text);
            heard.Release();
        }

        await raw.ReadUntilAsync(Sse.Done);
        Assert.DoesNotContain("accept-encoding", await said.Task);
    }

    [Fact]
    public async Task Trap_11_a_replica_that_takes_no_connection_is_passed_by()
    {
        using var deaf = new Deaf();
        await using var model = TrapTests.Serving(_ => Sse.Json(Sse.Answer("x")));
        await using var bench = GatewayBench.Start(GatewayBench.Plan(deaf.Address, model.Address) with { Times = new() { Connect = 100 } });
        for (var i = 0; i < 4; i++) Assert.Equal(200, (await bench.PostAsync(Sse.Path, Sse.Chat("x"))).Status);
        Assert.All(await bench.LedgerAsync(4), row => Assert.Equal("m.2", row.Replica));
    }

    [Theory]
    [InlineData("", false, 504, "upstream_timeout")]
    [InlineData(Sse.Head, false, 504, "upstream_timeout")]
    [InlineData("", true, 200, "stream_truncated")]
    public async Task Trap_11_each_silence_has_its_own_time(string beginning, bool begins, int status, string code)
    {
        await using var model = new RawServer(async peer =>
        {
            await peer.ReadRequestAsync();
            await peer.SendAsync(begins ? Sse.Head + Sse.Chunk(Sse.Role + Sse.Text("a")) : beginning);
            await peer.LeftAsync();
        });
        var times = begins ? new TimesPlan { BetweenChunks = 150 } : new TimesPlan { FirstByte = 150 };
        await using var bench = GatewayBench.Start(GatewayBench.Plan(model.Address) with { Times = times });
        using var raw = await bench.RawAsync();
        await raw.SendAsync(Sse.Path, Sse.Stream("x"));
        var heard = await raw.ReadUntilAsync("}}");
        Assert.StartsWith($"HTTP/1.1 {status} ", heard);
        Assert.Contains($"\"code\":\"{code}\"", heard);
        await bench.UntilAsync(() => bench.Replica("m", 1).Health.Failures == 1);
    }

    [Fact]
    public async Task Trap_11_a_stream_that_goes_on_for_ever_ends_with_its_total_time()
    {
        await using var model = new RawServer(async peer =>
        {
            await peer.ReadRequestAsync();
            await peer.SendAsync(Sse.Head);
            var gone = peer.LeftAsync();
            while (!gone.IsCompleted)
            {
                await peer.SendAsync(Sse.Chunk(Sse.Text("again")));
                await Task.WhenAny(gone, Task.Delay(5));
            }
        });
        // On a machine that stands still it may be over before anything has begun, which is the next test's case: then it gets more.
        for (var total = 300; ; total *= 4)
        {
            await using var bench = GatewayBench.Start(GatewayBench.Plan(model.Address) with { Times = new() { Total = total } });
            using var raw = await bench.RawAsync();
            await raw.SendAsync(Sse.Path, Sse.Stream("x"));
            var heard = (await raw.ReadUntilAsync())!;
            if (heard.StartsWith("HTTP/1.1 504 ", StringComparison.Ordinal) && total < 10_000) continue;
            Assert.StartsWith("HTTP/1.1 200 ", heard);
            Assert.DoesNotContain(Sse.LastChunk, heard);
            Assert.Contains("\"code\":\"stream_truncated\"", heard);
            Assert.Contains("in total", heard);
            Assert.Equal("truncated", Assert.Single(await bench.LedgerAsync(1)).Outcome);
            await NobodyIsBlamedAsync(bench);
            return;
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(Sse.Head)]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")]
    public async Task Trap_11_a_request_whose_total_time_is_over_before_its_first_byte_blames_nobody(string beginning)
    {
        await using var model = new RawServer(async peer =>
        {
            await peer.ReadRequestAsync();
            await peer.SendAsync(beginning);
            await peer.LeftAsync();
        });
        await using var bench = GatewayBench.Start(GatewayBench.Plan(model.Address, model.Address) with { Times = new() { Total = 200 } });
        var (status, body) = await bench.PostAsync(Sse.Path, Sse.Stream("x"));
        Assert.Equal(504, status);
        Assert.Contains("in total", body.GetProperty("error").GetProperty("message").GetString());
        Assert.Equal("failed", Assert.Single(await bench.LedgerAsync(1)).Outcome);

        // The kernel takes a connection before the server does.
        await bench.UntilAsync(() => model.Connections > 0);
        Assert.Equal(1, model.Connections);
        await NobodyIsBlamedAsync(bench);
    }

    [Fact]
    public async Task Trap_12_old_news_of_engines_keeps_nobody_out()
    {
        await using var one = Bench.Start();
        await using var other = Bench.Start();
        await using var bench = GatewayBench.Start(one.Server.Address, other.Server.Address);
        foreach (var index in (int[])[1, 2])
            bench.Replica("m", index).Observe(new EngineSignal(1_000, 1_000, 1), GatewayLoop.Steady - TimeSpan.FromHours(1).Ticks);
        for (var i = 0; i < 8; i++) Assert.Equal(200, (await bench.PostAsync(Sse.Path, Sse.Chat("x"))).Status);
    }

    /// <summary>A request's place is given back with what it says of the replica.</summary>
    private static async Task NobodyIsBlamedAsync(GatewayBench bench)
    {
        await bench.UntilAsync(() => bench.InFlight == 0);
        Assert.Equal((0, 0), (bench.Replica("m", 1).Health.Failures, bench.Replica("m", 1).Health.Bad));
    }

    /// <summary>Without what differs from answer to answer.</summary>
    private static string Plain(string events) => Changing().Replace(events, "");

    [GeneratedRegex("\"(id|created)\":(\"[^\"]*\"|[0-9]+),?")]
    private static partial Regex Changing();
}
