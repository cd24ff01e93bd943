using System.ClientModel;
using System.Text;
using System.Text.Json;
using OpenAI.Chat;
using OpenAI.Embeddings;
using Stoker.Keys;
using Stoker.Limits;
using Stoker.Tests.Gateway.Forwarding;
using Stoker.Tests.Gateway.Shared;
using Stoker.Tests.Models.Simulator;
using Xunit;

namespace Stoker.Tests.Gateway;

/// <summary>The official .NET client through a real gateway: what it hears of answers, refusals, and answers that break off.</summary>
public sealed class OfficialClientTests
{
    [Fact]
    public async Task It_chats_with_a_model_under_each_of_its_names()
    {
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(GatewayBench.Plan(GatewayBench.Model("org/m", model.Server.Address) with { Aliases = ["fast"], UpstreamNames = ["m"] }));
        foreach (var name in (string[])["org/m", "fast"])
        {
            ChatCompletion answer = await Client(bench).GetChatClient(name).CompleteChatAsync([new UserChatMessage("hello")], new ChatCompletionOptions { MaxOutputTokenCount = 5 });
            Assert.Equal((ChatMessageRole.Assistant, 5), (answer.Role, answer.Usage.OutputTokenCount));
            Assert.NotEmpty(answer.Content[0].Text);
        }
    }

    [Fact]
    public async Task It_calls_tools_and_gets_what_a_schema_says()
    {
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(model.Server.Address);
        var schema = BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}""");
        ChatCompletion called = await Client(bench).GetChatClient("m").CompleteChatAsync(
            [new UserChatMessage("how is the weather?")],
            new ChatCompletionOptions { Tools = { ChatTool.CreateFunctionTool("get_weather", functionParameters: schema) }, ToolChoice = ChatToolChoice.CreateRequiredChoice() });
        Assert.Equal(ChatFinishReason.ToolCalls, called.FinishReason);
        Assert.Equal(JsonValueKind.String, JsonDocument.Parse(called.ToolCalls[0].FunctionArguments).RootElement.GetProperty("city").ValueKind);

        ChatCompletion shaped = await Client(bench).GetChatClient("m").CompleteChatAsync(
            [new UserChatMessage("a city")], new ChatCompletionOptions { ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("city", schema, jsonSchemaIsStrict: true) });
        Assert.Equal(JsonValueKind.String, JsonDocument.Parse(shaped.Content[0].Text).RootElement.GetProperty("city").ValueKind);
    }

    [Fact]
    public async Task It_hears_a_stream_to_its_end_with_the_usage_that_it_asks_for()
    {
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(model.Server.Address);
        var (heard, finish, tokens) = await HearAsync(Client(bench).GetChatClient("m"), 7);
        Assert.NotEmpty(heard);
        Assert.Equal((ChatFinishReason.Length, 7), (finish, tokens));
        Assert.Equal(7, Assert.Single(await bench.LedgerAsync(1)).Completion);
    }

    [Fact]
    public async Task It_gets_embeddings_and_the_models_that_its_key_may_use()
    {
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(GatewayBench.Plan(
            GatewayBench.Model("m", model.Server.Address) with { Aliases = ["fast"] }, GatewayBench.Model("other", model.Server.Address)) with { RequiresKeys = true });
        var client = OfficialClient.Of($"{bench.Address}", await bench.KeyAsync("ci", new KeyTerms { Models = ["m"] }));
        OpenAIEmbeddingCollection found = await client.GetEmbeddingClient("m").GenerateEmbeddingsAsync(["a", "b"]);
        Assert.Equal([384, 384], found.Select(each => each.ToFloats().Length));
        var models = client.GetOpenAIModelClient();
        Assert.Equal(["m", "fast"], (await models.GetModelsAsync()).Value.Select(each => each.Id));
        Assert.Equal("m", (await models.GetModelAsync("m")).Value.Id);
        Assert.Equal(404, (await Assert.ThrowsAsync<ClientResultException>(() => models.GetModelAsync("other"))).Status);
    }

    [Fact]
    public async Task What_it_may_not_or_cannot_ask_is_an_exception_with_the_status_and_the_code()
    {
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(GatewayBench.Plan(model.Server.Address) with { RequiresKeys = true });
        var key = await bench.KeyAsync("ci");
        Assert.Equal((401, "invalid_api_key"), await RefusedAsync(OfficialClient.Of($"{bench.Address}", "sk-nobody").GetChatClient("m")));
        Assert.Equal((404, "model_not_found"), await RefusedAsync(OfficialClient.Of($"{bench.Address}", key).GetChatClient("nobody")));
        Assert.Equal((400, "context_length_exceeded"), await RefusedAsync(OfficialClient.Of($"{bench.Address}", key).GetChatClient("m"), string.Concat(Enumerable.Repeat("word ", 40_000))));
        Assert.Equal((500, null), await RefusedAsync(OfficialClient.Of($"{bench.Address}", key, simulate: "status=500").GetChatClient("m")));
    }

    [Fact]
    public async Task At_a_limit_it_is_told_when_to_come_again_and_comes_then_by_itself()
    {
        await using var model = RawServer.Saying(Sse.Json(Sse.Answer("x")));
        await using var bench = GatewayBench.Start(GatewayBench.Plan(model.Address) with { RequiresKeys = true });
        var key = await bench.KeyAsync("ci", new KeyTerms { Limits = new KeyLimits(new LimitSpec(1, null, null), [], null) });
        var impatient = OfficialClient.Of($"{bench.Address}", key).GetChatClient("m");
        await impatient.CompleteChatAsync("x");
        var refused = await Assert.ThrowsAsync<ClientResultException>(() => impatient.CompleteChatAsync("x"));
        Assert.Equal(429, refused.Status);
        var headers = refused.GetRawResponse()!.Headers;
        Assert.True(headers.TryGetValue("retry-after", out var seconds) && int.Parse(seconds!) is > 50 and <= 61, seconds);
        Assert.True(headers.TryGetValue("x-ratelimit-remaining-requests", out var left) && left == "0");
    }

    [Fact]
    public async Task It_tries_again_by_itself_what_the_gateway_says_may_be_tried()
    {
        var asked = 0;
        await using var model = TrapTests.Serving(_ =>
            Interlocked.Increment(ref asked) == 1 ? Sse.Json("{\"error\":{\"message\":\"busy\"}}", 429, "retry-after: 1\r\n") : Sse.Json(Sse.Answer("at last")));
        await using var bench = GatewayBench.Start(model.Address);
        ChatCompletion answer = await Client(bench, retries: 2).GetChatClient("m").CompleteChatAsync("x");
        Assert.Equal("at last", answer.Content[0].Text);
        Assert.Equal(2, asked);
    }

    [Theory]
    [InlineData("reset-after=3")]
    [InlineData("end-after=3")]
    [InlineData("error-after=3")]
    [InlineData("malformed-after=3")]
    public async Task A_stream_that_breaks_off_is_an_exception_after_what_was_heard(string fault)
    {
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(model.Server.Address);
        var heard = 0;
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            await foreach (var _ in OfficialClient.Of($"{bench.Address}", simulate: fault).GetChatClient("m").CompleteChatStreamingAsync("tell me all")) heard++;
        });
        Assert.True(heard > 0);
    }

    [Fact]
    public async Task What_it_gives_up_is_cancelled_in_the_engine()
    {
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(model.Server.Address);
        using var leave = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in OfficialClient.Of($"{bench.Address}", simulate: "stall-after=3").GetChatClient("m").CompleteChatStreamingAsync([new UserChatMessage("x")], cancellationToken: leave.Token))
                await leave.CancelAsync();
        });
        Assert.Equal("cancelled", (await model.LastRequestAsync()).GetProperty("outcome").GetString());
        Assert.Equal("abandoned", Assert.Single(await bench.LedgerAsync(1)).Outcome);
    }

    private static OpenAI.OpenAIClient Client(GatewayBench bench, int retries = 0) => OfficialClient.Of($"{bench.Address}", retries: retries);

    private static async Task<(string Heard, ChatFinishReason? Finish, int? Tokens)> HearAsync(ChatClient chat, int most)
    {
        var (heard, finish, tokens) = (new StringBuilder(), (ChatFinishReason?)null, (int?)null);
        await foreach (var piece in chat.CompleteChatStreamingAsync([new UserChatMessage("hello")], new ChatCompletionOptions { MaxOutputTokenCount = most }))
        {
            foreach (var part in piece.ContentUpdate) heard.Append(part.Text);
            finish = piece.FinishReason ?? finish;
            tokens = piece.Usage?.OutputTokenCount ?? tokens;
        }

        return (heard.ToString(), finish, tokens);
    }

    private static async Task<(int Status, string? Code)> RefusedAsync(ChatClient chat, string text = "x")
    {
        var refused = await Assert.ThrowsAsync<ClientResultException>(() => chat.CompleteChatAsync(text));
        return (refused.Status, JsonDocument.Parse(refused.GetRawResponse()!.Content).RootElement.GetProperty("error").GetProperty("code").GetString());
    }
}
