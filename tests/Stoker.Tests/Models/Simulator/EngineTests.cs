using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Models.Simulator;
using Stoker.Models.Simulator.Engine;
using Xunit;

namespace Stoker.Tests.Models.Simulator;

public sealed class EngineTests
{
    private const string Path = "/v1/chat/completions";

    [Fact]
    public void The_tokens_of_a_text_are_the_text() => Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), text =>
    {
        var at = 0;
        while (at < text.Get.Length)
        {
            var end = Tokenizer.End(text.Get, at);
            Assert.True(end > at && end <= text.Get.Length);
            at = end;
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Blocks_are_never_lost_and_never_given_twice() => Prop.ForAll(
        Gen.Choose(0, 99).ArrayOf(60).ToArbitrary(),
        steps =>
        {
            var pool = new BlockPool(12, 4, caches: true);
            var held = new List<List<int>>();
            foreach (var step in steps)
            {
                if (step % 3 == 0 && held.Count > 0)
                {
                    pool.Release(held[step % held.Count]);
                    held.RemoveAt(step % held.Count);
                }
                else
                {
                    // Few beginnings, so that many share them.
                    ulong[] chain = [.. Enumerable.Range(1, step % 4).Select(i => (ulong)((step % 5 * 100) + i))];
                    var blocks = new List<int>();
                    if (pool.TryTake(chain, chain.Length, chain.Length + (step % 2), blocks) >= 0) held.Add(blocks);
                }

                Assert.Equal(held.SelectMany(one => one).Distinct().Count(), pool.Used);
            }

            foreach (var blocks in held) pool.Release(blocks);
            Assert.Equal(0, pool.Used);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_known_beginning_is_found_until_its_place_is_needed()
    {
        var pool = new BlockPool(4, 4, caches: true);
        var blocks = new List<int>();
        Assert.Equal(0, pool.TryTake([1, 2], 2, 2, blocks));
        pool.Release(blocks);
        Assert.Equal(2, pool.TryTake([1, 2], 2, 3, blocks));
        pool.Release(blocks);
        // The last block goes first: the beginning is still known after two others took places.
        Assert.Equal(0, pool.TryTake([8, 9, 10], 3, 3, blocks));
        pool.Release(blocks);
        Assert.Equal(1, pool.TryTake([1, 2], 2, 2, blocks));
    }

    [Theory]
    [InlineData("50ms", 50, 0, false)]
    [InlineData("50ms±10ms", 50, 0.01, false)]
    [InlineData("50ms+-10ms", 50, 0.01, false)]
    [InlineData("normal(1s, 200ms)", 1000, 0.2, false)]
    [InlineData("lognormal(1s,0.5)", 1000, 0.5, true)]
    [InlineData("constant(3ms)", 3, 0, false)]
    public void A_latency_is_read_in_all_its_forms(string text, int milliseconds, double deviation, bool isLognormal) =>
        Assert.Equal(new LatencySpec(Bench.Ms(milliseconds), deviation, isLognormal), LatencySpec.Parse(text, Stoker.Cli.Durations.Parse));

    [Theory]
    [InlineData("50")]
    [InlineData("")]
    [InlineData("50ms±")]
    [InlineData("1s±2s±3s")]
    [InlineData("lognormal(1s)")]
    [InlineData("uniform(1s,2s)")]
    public void What_is_no_latency_is_refused(string text) => Assert.Equal(text == "50", LatencySpec.Parse(text, Stoker.Cli.Durations.Parse) is not null);

    [Fact]
    public void Samples_have_the_mean_and_the_deviation_that_was_asked_for()
    {
        var chance = new Chance(7);
        var samples = Enumerable.Range(0, 20_000).Select(_ => new LatencySpec(Bench.Ms(100), 0.01).Sample(ref chance).TotalMilliseconds).ToList();
        var mean = samples.Average();
        Assert.InRange(mean, 99.5, 100.5);
        Assert.InRange(Math.Sqrt(samples.Average(one => (one - mean) * (one - mean))), 9.5, 10.5);
    }

    [Fact]
    public async Task So_many_run_the_rest_waits_in_order_and_one_more_is_refused()
    {
        await using var bench = Bench.Start(o => o with { MaxRunning = 1, MaxWaiting = 1, Ttft = new LatencySpec(TimeSpan.FromHours(1)) });
        using var first = await bench.SendAsync(Path, Bench.Chat("a", "\"stream\":true"));
        using var leaves = new CancellationTokenSource();
        var second = bench.SendAsync(Path, Bench.Chat("b"), cancel: leaves.Token);
        await Bench.UntilAsync(async () => await bench.MetricAsync("vllm:num_requests_waiting") == 1);
        Assert.Equal(1, await bench.MetricAsync("vllm:num_requests_running"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await bench.PostAsync(Path, Bench.Chat("c"))).Status);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await Bench.UntilAsync(async () => await bench.MetricAsync("vllm:num_requests_waiting") == 0);
        first.Dispose();
        await Bench.UntilAsync(async () => await bench.MetricAsync("vllm:num_requests_running") == 0);
        Assert.Equal(2, await bench.MetricAsync("vllm:request_success_total{engine=\"0\",model_name=\"m\",finished_reason=\"abort\"}"));
    }

    [Fact]
    public async Task A_thousand_requests_go_through_one_place()
    {
        await using var bench = Bench.Start(o => o with { MaxRunning = 1, MaxWaiting = 2000 });
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => bench.PostAsync(Path, Bench.Chat($"{i}"))));
        Assert.Equal(1000, await bench.MetricAsync("vllm:e2e_request_latency_seconds_count"));
        Assert.Equal(0, bench.Server.Engine.Batch.Load.Running);
    }

    [Fact]
    public async Task A_client_that_leaves_ends_its_request_and_what_was_not_made_is_not_counted()
    {
        await using var bench = Bench.Start(o => o with { Itl = new LatencySpec(Bench.Ms(5)) });
        using (var answer = await bench.SendAsync(Path, Bench.Chat("x", "\"stream\":true,\"ignore_eos\":true,\"max_tokens\":30000")))
        {
            await using var stream = await answer.Content.ReadAsStreamAsync();
            await stream.ReadExactlyAsync(new byte[2000]);
        }

        var seen = await bench.LastRequestAsync();
        Assert.Equal("cancelled", seen.GetProperty("outcome").GetString());
        var made = seen.GetProperty("tokens").GetInt32();
        Assert.InRange(made, 1, 10_000);
        Assert.Equal(made, await bench.MetricAsync("vllm:generation_tokens_total"));
        Assert.True(seen.GetProperty("noticed_ms").GetDouble() >= 0);
        Assert.Equal(0, await bench.MetricAsync("vllm:kv_cache_usage_perc"));
    }

    [Fact]
    public async Task A_client_that_leaves_an_answer_that_is_no_stream_is_noticed_too()
    {
        await using var bench = Bench.Start(o => o with { Ttft = new LatencySpec(TimeSpan.FromHours(1)) });
        using (var raw = await bench.RawAsync())
        {
            await raw.SendAsync(Path, Bench.Chat("x"));
            await Bench.UntilAsync(async () => await bench.MetricAsync("vllm:num_requests_running") == 1);
        }

        Assert.Equal("cancelled", (await bench.LastRequestAsync()).GetProperty("outcome").GetString());
        Assert.Equal(0, await bench.MetricAsync("vllm:generation_tokens_total"));
    }

    [Fact]
    public async Task A_dialogue_finds_its_earlier_turns_in_the_prefix_cache()
    {
        await using var bench = Bench.Start(o => o with { Mode = AnswerMode.Echo });
        var text = string.Concat(Enumerable.Range(0, 100).Select(i => $"word{i} "));
        await bench.PostAsync(Path, Bench.Chat(text));
        var json = System.Text.Json.JsonSerializer.Serialize(text);
        var messages = $"[{{\"role\":\"user\",\"content\":{json}}},{{\"role\":\"assistant\",\"content\":{json}}},{{\"role\":\"user\",\"content\":\"more\"}}]";
        var usage = (await bench.PostAsync(Path, $"{{\"model\":\"m\",\"messages\":{messages}}}")).Body.GetProperty("usage");
        // The first question and its answer: about two hundred tokens, in whole blocks.
        Assert.InRange(usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32(), 192, 208);
        Assert.InRange(await bench.MetricAsync("vllm:prefix_cache_hits_total"), 192, 208);
    }

    [Fact]
    public async Task A_full_cache_preempts_the_last_and_both_come_to_their_end()
    {
        await using var bench = Bench.Start(o => o with { Blocks = 20, BlockSize = 4, Itl = new LatencySpec(Bench.Ms(1)) });
        const string more = "\"ignore_eos\":true,\"max_tokens\":60";
        var answers = await Task.WhenAll(bench.PostAsync(Path, Bench.Chat("a", more)), bench.PostAsync(Path, Bench.Chat("b", more)));
        Assert.All(answers, answer => Assert.Equal(60, answer.Body.GetProperty("usage").GetProperty("completion_tokens").GetInt32()));
        Assert.True(await bench.MetricAsync("vllm:num_preemptions_total") >= 1);
    }

    [Fact]
    public async Task It_is_not_healthy_and_answers_nothing_before_it_is_loaded()
    {
        await using var bench = Bench.Start(o => o with { LoadTime = TimeSpan.FromHours(1) });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await bench.Client.GetAsync("/health")).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await bench.PostAsync(Path, Bench.Chat("x"))).Status);
    }

    [Fact]
    public async Task A_model_that_sleeps_answers_after_it_is_woken()
    {
        await using var bench = Bench.Start();
        await bench.Client.PostAsync("/sleep?level=1", null);
        Assert.Equal("""{"is_sleeping":true}""", await bench.Client.GetStringAsync("/is_sleeping"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await bench.PostAsync(Path, Bench.Chat("x"))).Status);
        await bench.Client.PostAsync("/wake_up", null);
        Assert.Equal(HttpStatusCode.OK, (await bench.PostAsync(Path, Bench.Chat("x"))).Status);
    }

    [Theory]
    [InlineData(nameof(EngineKind.Vllm), "vllm:num_requests_running", "NotFoundError")]
    [InlineData(nameof(EngineKind.Sglang), "sglang:num_running_reqs", "\"object\":\"error\"")]
    [InlineData(nameof(EngineKind.LlamaCpp), "llamacpp:requests_processing", "not_found_error")]
    [InlineData(nameof(EngineKind.Tgi), "tgi_queue_size", "\"error_type\":\"not_found\"")]
    [InlineData(nameof(EngineKind.Ollama), null, "try pulling it first")]
    public async Task Each_engine_has_its_own_metrics_and_errors(string engine, string? metric, string error)
    {
        await using var bench = Bench.Start(o => o with { Engine = Enum.Parse<EngineKind>(engine) });
        var page = await bench.Client.GetAsync("/metrics");
        if (metric is null) Assert.Equal(HttpStatusCode.NotFound, page.StatusCode);
        else Assert.Contains($"\n{metric}", await page.Content.ReadAsStringAsync());
        using var answer = await bench.SendAsync(Path, """{"model":"other","messages":[{"role":"user","content":"x"}]}""");
        Assert.Contains(error, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Who_is_running_is_finished_when_it_ends_and_who_is_idle_is_let_go()
    {
        await using var bench = Bench.Start(o => o with { Itl = new LatencySpec(Bench.Ms(2)) });
        using var idle = await bench.RawAsync();
        using var answer = await bench.SendAsync(Path, Bench.Chat("x", "\"stream\":true,\"ignore_eos\":true,\"max_tokens\":100"));
        var stopping = bench.Server.StopAsync(TimeSpan.FromSeconds(20), CancellationToken.None);
        Assert.EndsWith("data: [DONE]\n\n", await answer.Content.ReadAsStringAsync());
        await stopping;
        Assert.Equal("", await idle.ReadUntilAsync());
    }
}
