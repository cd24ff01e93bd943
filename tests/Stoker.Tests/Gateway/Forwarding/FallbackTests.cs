using System.Net;
using Stoker.Gateway;
using Stoker.Models.Simulator;
using Stoker.Tests.Gateway.Shared;
using Stoker.Tests.Models.Simulator;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Gateway.Forwarding;

/// <summary>Which model answers instead of another, and whose answer stands when none does: with real servers whose contexts are small.</summary>
public sealed class FallbackTests
{
    private static readonly string Long = Sse.Chat(string.Concat(Enumerable.Repeat("word ", 300)), "\"max_tokens\":5");

    [Fact]
    public async Task A_prompt_that_is_too_long_is_not_brought_to_a_model_that_takes_no_more()
    {
        await using var asked = Context(200);
        await using var small = Context(100);
        await using var bench = GatewayBench.Start(GatewayBench.Plan(Model("m", asked.Server.Address, 200) with { Fallbacks = ["small"] }, Model("small", small.Server.Address, 100)));
        Assert.Equal("context_length_exceeded 200", await RefusedAsync(bench));
        Assert.Equal(0, await AskedAsync(small));
        Assert.Equal([("m", "m.1", "refused", 400)], await RowsAsync(bench, 1));
    }

    [Theory]
    [InlineData(EngineKind.Vllm)]
    [InlineData(EngineKind.Sglang)]
    [InlineData(EngineKind.LlamaCpp)]
    [InlineData(EngineKind.Tgi)]
    [InlineData(EngineKind.Ollama)]
    internal async Task A_prompt_that_is_too_long_is_answered_by_a_model_that_takes_more_in_whichever_words_the_engine_refuses_it(EngineKind engine)
    {
        await using var asked = Context(200, engine);
        await using var large = Context(8192, engine);
        await using var bench = GatewayBench.Start(GatewayBench.Plan(Model("m", asked.Server.Address, 200) with { Fallbacks = ["large"] }, Model("large", large.Server.Address, null)));
        Assert.Equal(200, (await bench.PostAsync(Sse.Path, Long)).Status);
        Assert.Equal([("large", "large.1", "good", 200)], await RowsAsync(bench, 1));
    }

    [Fact]
    public async Task Where_it_does_not_fit_any_of_them_the_client_is_told_of_the_model_that_it_asked_for()
    {
        await using var asked = Context(200);
        await using var other = Context(150);
        await using var bench = GatewayBench.Start(GatewayBench.Plan(Model("m", asked.Server.Address, 200) with { Fallbacks = ["other"] }, Model("other", other.Server.Address, null)));
        Assert.Equal("context_length_exceeded 200", await RefusedAsync(bench));
        Assert.Equal(1, await AskedAsync(other));
        Assert.Equal([("m", "m.1", "refused", 400)], await RowsAsync(bench, 1));
    }

    [Fact]
    public async Task A_model_that_is_down_is_not_called_too_small_because_its_fallback_is()
    {
        await using var small = Context(100);
        using var down = new HeldPort();
        await using var bench = GatewayBench.Start(GatewayBench.Plan(Model("m", down.Address, 8192) with { Fallbacks = ["small"] }, Model("small", small.Server.Address, 100)));
        var (status, body) = await bench.PostAsync(Sse.Path, Long);
        Assert.Equal(502, status);
        Assert.Contains("m.1 cannot be reached", body.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, await AskedAsync(small));
        Assert.Equal([("m", "m.1", "failed", 502)], await RowsAsync(bench, 1));
    }

    [Fact]
    public async Task Behind_a_fallback_that_is_too_small_comes_the_next_for_the_case_that_led_there()
    {
        await using var small = Context(100);
        await using var middle = Context(4096);
        using var down = new HeldPort();
        await using var bench = GatewayBench.Start(GatewayBench.Plan(
            Model("m", down.Address, 8192) with { Fallbacks = ["small", "middle"] }, Model("small", small.Server.Address, 100), Model("middle", middle.Server.Address, 4096)));
        Assert.Equal(200, (await bench.PostAsync(Sse.Path, Long)).Status);
        Assert.Equal([("middle", "middle.1", "good", 200)], await RowsAsync(bench, 1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_came_to_a_fallback_because_the_model_is_full_waits_for_the_model_when_the_fallback_cannot_help(bool fallbackIsUp)
    {
        await using var asked = Context(8192);
        await using var small = Context(100);
        using var down = new HeldPort();
        var other = fallbackIsUp ? small.Server.Address : down.Address;
        await using var bench = GatewayBench.Start(GatewayBench.Plan(
            Model("m", asked.Server.Address, 8192) with { MaxConcurrency = 1, Fallbacks = ["other"] }, Model("other", other, 100)));
        using var leave = new CancellationTokenSource();
        var first = bench.SendAsync(Sse.Path, Sse.Chat("x"), "stall-before-headers", cancel: leave.Token);
        await bench.UntilAsync(() => bench.InFlight == 1);

        var second = bench.PostAsync(Sse.Path, Long);
        await bench.UntilAsync(() => bench.State.Tables.Router.Table.Find("m")!.Life.Queue.Waiting == 1);
        Assert.False(second.IsCompleted);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.Equal(200, (await second).Status);
        // The place is given back before the row is written: on another loop, who waited for it may be through by then.
        Assert.Equal([("m", "m.1", "abandoned", 499), ("m", "m.1", "good", 200)], (await RowsAsync(bench, 2)).OrderBy(row => row.Outcome, StringComparer.Ordinal));
    }

    private static Bench Context(int tokens, EngineKind engine = EngineKind.Vllm) => Bench.Start(o => o with { ContextLength = tokens, Engine = engine });

    private static RoutePlan Model(string name, IPEndPoint server, int? context) => GatewayBench.Model(name, [server]) with { ContextSize = context, UpstreamNames = ["m"] };

    /// <summary>The error's code and the limit that its message tells of.</summary>
    private static async Task<string> RefusedAsync(GatewayBench bench)
    {
        var (status, body) = await bench.PostAsync(Sse.Path, Long);
        Assert.Equal(400, status);
        var error = body.GetProperty("error");
        var words = error.GetProperty("message").GetString()!.Split(' ');
        return $"{error.GetProperty("code").GetString()} {words[Array.IndexOf(words, "tokens.") - 1]}";
    }

    /// <summary>Requests that the server has seen.</summary>
    private static async Task<int> AskedAsync(Bench server)
    {
        using var seen = System.Text.Json.JsonDocument.Parse(await server.Client.GetStringAsync("/admin/requests"));
        return seen.RootElement.GetProperty("requests").GetArrayLength();
    }

    private static async Task<List<(string Model, string Replica, string Outcome, int Status)>> RowsAsync(GatewayBench bench, int count) =>
        [.. (await bench.LedgerAsync(count)).Select(row => (row.Model, row.Replica, row.Outcome, row.Status))];
}
