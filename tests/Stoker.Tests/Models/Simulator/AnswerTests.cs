using System.Net;
using System.Text;
using System.Text.Json;
using Stoker.Models.Simulator;
using Stoker.Models.Simulator.Engine;
using Xunit;

namespace Stoker.Tests.Models.Simulator;

public sealed class AnswerTests
{
    private const string Path = "/v1/chat/completions";

    private const string Weather =
        """
        "tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":
          {"city":{"type":"string","enum":["Bern","Wien"]},"days":{"type":"integer","minimum":2,"maximum":4}},"required":["city"]}}}]
        """;

    [Fact]
    public async Task The_same_request_has_the_same_words_and_another_seed_others()
    {
        await using var bench = Bench.Start();
        var first = Text((await bench.PostAsync(Path, Bench.Chat("hello"))).Body);
        Assert.Equal(first, Text((await bench.PostAsync(Path, Bench.Chat("hello"))).Body));
        Assert.NotEqual(first, Text((await bench.PostAsync(Path, Bench.Chat("hello", "\"seed\":2"))).Body));
        Assert.Contains(first, character => character > 127);
    }

    [Fact]
    public async Task Usage_is_what_the_tokenizer_counts()
    {
        await using var bench = Bench.Start();
        var (_, body) = await bench.PostAsync(Path, Bench.Chat("Hello, wide  world!"));
        var usage = body.GetProperty("usage");
        // Six of the text, begin, role and end of the message, and the beginning of the answer.
        Assert.Equal(10, usage.GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(Tokenizer.Count(Text(body)), usage.GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task A_stream_says_what_the_whole_answer_says()
    {
        await using var bench = Bench.Start();
        var whole = Text((await bench.PostAsync(Path, Bench.Chat("tell me"))).Body);
        var events = await bench.EventsAsync(Path, Bench.Chat("tell me", "\"stream\":true,\"stream_options\":{\"include_usage\":true}"));
        Assert.Equal("[DONE]", events[^1]);
        var chunks = events.SkipLast(1).Select(one => JsonDocument.Parse(one).RootElement).ToList();
        Assert.Equal(whole, string.Concat(chunks.SelectMany(Deltas)));
        Assert.Equal("stop", chunks[^2].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Empty(chunks[^1].GetProperty("choices").EnumerateArray());
        Assert.Equal(Tokenizer.Count(whole), chunks[^1].GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task Usage_grows_with_every_chunk_when_that_is_asked_for()
    {
        await using var bench = Bench.Start();
        var events = await bench.EventsAsync(Path, Bench.Chat("x", "\"stream\":true,\"max_tokens\":4,\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}"));
        var counts = events.SkipLast(1).Select(one => JsonDocument.Parse(one).RootElement.GetProperty("usage").GetProperty("completion_tokens").GetInt32()).ToList();
        Assert.Equal([1, 1, 2, 3, 4, 4, 4], counts);
    }

    [Fact]
    public async Task The_most_tokens_cut_it_and_a_stop_ends_it()
    {
        await using var bench = Bench.Start(o => o with { Mode = AnswerMode.Echo });
        var cut = (await bench.PostAsync(Path, Bench.Chat("one two three four", "\"max_tokens\":2"))).Body;
        Assert.Equal("one two", Text(cut));
        Assert.Equal("length", cut.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal("one two ", Text((await bench.PostAsync(Path, Bench.Chat("one two three four", "\"stop\":[\"three\"]"))).Body));
    }

    [Fact]
    public async Task It_goes_on_to_the_most_tokens_when_the_end_is_ignored()
    {
        await using var bench = Bench.Start();
        var body = (await bench.PostAsync(Path, Bench.Chat("x", "\"max_tokens\":500,\"ignore_eos\":true"))).Body;
        Assert.Equal(500, body.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Theory]
    [InlineData("my name is Ada Byron. Nice to meet you", "what is my name?", "Your name is Ada Byron.")]
    [InlineData("My favourite colour is deep blue", "And what's my favourite colour again?", "Your favourite colour is deep blue.")]
    [InlineData("call me Grace", "who am I?", "Your name is Grace.")]
    [InlineData("the door is open", "what did I say?", "Before this you said: “the door is open”")]
    [InlineData("nothing", "what is my dog?", "You have not told me your dog.")]
    public async Task What_was_said_earlier_is_remembered(string earlier, string asked, string answer)
    {
        await using var bench = Bench.Start();
        var messages = JsonSerializer.Serialize(new[] { new { role = "user", content = earlier }, new { role = "assistant", content = "ok" }, new { role = "user", content = asked } });
        Assert.Equal(answer, Text((await bench.PostAsync(Path, $"{{\"model\":\"m\",\"messages\":{messages}}}")).Body));
    }

    [Theory]
    [InlineData("what is the weather?", "\"tool_choice\":\"required\"", true)]
    [InlineData("please get weather", "\"tool_choice\":\"auto\"", true)]
    [InlineData("please get_weather", "\"tool_choice\":\"none\"", false)]
    [InlineData("hello", "\"tool_choice\":\"auto\"", false)]
    public async Task A_tool_is_called_when_it_must_be_or_is_named(string text, string choice, bool isCalled)
    {
        await using var bench = Bench.Start();
        var body = (await bench.PostAsync(Path, Bench.Chat(text, $"{Weather},{choice}"))).Body.GetProperty("choices")[0];
        Assert.Equal(isCalled ? "tool_calls" : "stop", body.GetProperty("finish_reason").GetString());
        if (!isCalled) return;
        var function = body.GetProperty("message").GetProperty("tool_calls")[0].GetProperty("function");
        var arguments = JsonDocument.Parse(function.GetProperty("arguments").GetString()!).RootElement;
        Assert.Contains(arguments.GetProperty("city").GetString(), new[] { "Bern", "Wien" });
        Assert.InRange(arguments.GetProperty("days").GetInt32(), 2, 4);
    }

    [Fact]
    public async Task A_streamed_call_has_its_name_once_and_its_arguments_in_pieces()
    {
        await using var bench = Bench.Start();
        var events = await bench.EventsAsync(Path, Bench.Chat("get weather", $"\"stream\":true,{Weather}"));
        var calls = events.SkipLast(1).Select(one => JsonDocument.Parse(one).RootElement.GetProperty("choices")[0].GetProperty("delta"))
            .Where(delta => delta.TryGetProperty("tool_calls", out _)).Select(delta => delta.GetProperty("tool_calls")[0]).ToList();
        Assert.Equal("get_weather", calls[0].GetProperty("function").GetProperty("name").GetString());
        Assert.All(calls.Skip(1), call => Assert.False(call.GetProperty("function").TryGetProperty("name", out _)));
        JsonDocument.Parse(string.Concat(calls.Select(call => call.GetProperty("function").GetProperty("arguments").GetString())));
    }

    [Fact]
    public async Task A_schema_is_answered_with_json_that_it_allows()
    {
        const string schema =
            """
            {"type":"object","$defs":{"node":{"type":"object","properties":{"id":{"type":"string","pattern":"^[A-Z]{3}-\\d{2}$"},"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["id","next"]}},
             "properties":{"first":{"$ref":"#/$defs/node"},"scores":{"type":"array","items":{"type":"number","minimum":0,"maximum":1},"minItems":3},"kind":{"const":"list"},"when":{"type":"string","format":"date"}}}
            """;
        await using var bench = Bench.Start();
        var body = (await bench.PostAsync(Path, Bench.Chat("x", $"\"response_format\":{{\"type\":\"json_schema\",\"json_schema\":{{\"name\":\"n\",\"schema\":{schema}}}}}"))).Body;
        var made = JsonDocument.Parse(Text(body)).RootElement;
        Assert.Matches("^[A-Z]{3}-[0-9]{2}$", made.GetProperty("first").GetProperty("id").GetString());
        Assert.Equal(3, made.GetProperty("scores").GetArrayLength());
        Assert.All(made.GetProperty("scores").EnumerateArray(), score => Assert.InRange(score.GetDouble(), 0, 1));
        Assert.Equal("list", made.GetProperty("kind").GetString());
        Assert.True(DateOnly.TryParse(made.GetProperty("when").GetString(), out _));
    }

    [Fact]
    public async Task A_response_streams_its_typed_events_in_order()
    {
        await using var bench = Bench.Start();
        using var answer = await bench.SendAsync("/v1/responses", """{"model":"m","stream":true,"input":"hello","reasoning":{"effort":"low"}}""");
        var text = await answer.Content.ReadAsStringAsync();
        var events = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(one => JsonDocument.Parse(one[(one.IndexOf("data: ", StringComparison.Ordinal) + 6)..]).RootElement).ToList();
        Assert.Equal(Enumerable.Range(0, events.Count), events.Select(one => one.GetProperty("sequence_number").GetInt32()));
        Assert.Equal("response.created", events[0].GetProperty("type").GetString());
        var last = events[^1].GetProperty("response");
        Assert.Equal(["reasoning", "message"], last.GetProperty("output").EnumerateArray().Select(item => item.GetProperty("type").GetString()));
        Assert.Equal(
            last.GetProperty("output")[1].GetProperty("content")[0].GetProperty("text").GetString(),
            string.Concat(events.Where(one => one.GetProperty("type").GetString() == "response.output_text.delta").Select(one => one.GetProperty("delta").GetString())));
    }

    [Fact]
    public async Task Completions_answer_every_prompt_n_times_with_logprobs()
    {
        await using var bench = Bench.Start();
        var body = (await bench.PostAsync("/v1/completions", """{"model":"m","prompt":["a","b"],"n":2,"logprobs":2,"max_tokens":3}""")).Body;
        Assert.Equal([0, 1, 2, 3], body.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("index").GetInt32()));
        Assert.Equal(3, body.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("tokens").GetArrayLength());
        Assert.Equal(12, body.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task Embeddings_are_the_same_as_numbers_and_as_base64()
    {
        await using var bench = Bench.Start();
        var numbers = (await bench.PostAsync("/v1/embeddings", """{"model":"m","input":"red fox","dimensions":8}""")).Body.GetProperty("data")[0].GetProperty("embedding");
        var packed = (await bench.PostAsync("/v1/embeddings", """{"model":"m","input":["red fox"],"dimensions":8,"encoding_format":"base64"}""")).Body;
        var bytes = packed.GetProperty("data")[0].GetProperty("embedding").GetBytesFromBase64();
        Assert.Equal(numbers.EnumerateArray().Select(one => one.GetSingle()), Enumerable.Range(0, 8).Select(i => BitConverter.ToSingle(bytes, i * 4)));
        Assert.Equal(2, packed.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public async Task The_document_that_shares_words_ranks_first()
    {
        await using var bench = Bench.Start();
        var body = (await bench.PostAsync("/v1/rerank", """{"model":"m","query":"a red fox","documents":["the blue sea","one red fox"],"top_n":1}""")).Body;
        Assert.Equal(1, body.GetProperty("results")[0].GetProperty("index").GetInt32());
        Assert.Equal(1, body.GetProperty("results").GetArrayLength());
    }

    [Fact]
    public async Task Sound_is_made_and_written_down_and_a_picture_is_a_png()
    {
        await using var bench = Bench.Start();
        using var spoken = await bench.SendAsync("/v1/audio/speech", """{"model":"m","input":"hello there"}""");
        var sound = await spoken.Content.ReadAsByteArrayAsync();
        Assert.Equal("RIFF"u8.ToArray(), sound[..4]);
        using var form = new MultipartFormDataContent { { new ByteArrayContent(sound), "file", "a.wav" }, { new StringContent("m"), "model" } };
        using var written = await bench.Client.PostAsync("/v1/audio/transcriptions", form);
        Assert.Contains("\"text\":", await written.Content.ReadAsStringAsync());
        var picture = (await bench.PostAsync("/v1/images/generations", """{"model":"m","prompt":"sun"}""")).Body.GetProperty("data")[0].GetProperty("b64_json").GetBytesFromBase64();
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], picture[..4]);
    }

    [Theory]
    [InlineData("""{"model":"other","messages":[{"role":"user","content":"x"}]}""", 404, "NotFoundError")]
    [InlineData("""{"model":"m","messages":[]}""", 400, "BadRequestError")]
    [InlineData("""{"model":"m"}""", 400, "BadRequestError")]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":"many"}""", 400, "BadRequestError")]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":90}""", 400, "BadRequestError")]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"\ud800"}]}""", 400, "BadRequestError")]
    [InlineData("{", 400, "BadRequestError")]
    public async Task A_wrong_request_is_refused_as_vllm_does(string body, int status, string type)
    {
        await using var bench = Bench.Start(o => o with { ContextLength = 80 });
        var (found, answer) = await bench.PostAsync(Path, body);
        Assert.Equal(status, (int)found);
        Assert.Equal(status, answer.GetProperty("error").GetProperty("code").GetInt32());
        Assert.Equal(type, answer.GetProperty("error").GetProperty("type").GetString());
    }

    [Fact]
    public async Task A_prompt_longer_than_the_context_is_refused()
    {
        await using var bench = Bench.Start(o => o with { ContextLength = 10 });
        var (status, answer) = await bench.PostAsync(Path, Bench.Chat(string.Concat(Enumerable.Repeat("word ", 20))));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("maximum context length is 10 tokens", answer.GetProperty("error").GetProperty("message").GetString());
    }

    [Fact]
    public async Task Keys_guard_v1_and_nothing_else()
    {
        await using var bench = Bench.Start(o => o with { Keys = ["secret"] });
        Assert.Equal(HttpStatusCode.Unauthorized, (await bench.PostAsync(Path, Bench.Chat("x"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await bench.PostAsync("/tokenize", """{"model":"m","prompt":"a b"}""")).Status);
        bench.Client.DefaultRequestHeaders.Authorization = new("Bearer", "secret");
        Assert.Equal(HttpStatusCode.OK, (await bench.PostAsync(Path, Bench.Chat("x"))).Status);
    }

    [Fact]
    public async Task A_model_is_found_by_each_of_its_names_also_with_a_slash()
    {
        await using var bench = Bench.Start(o => o with { Names = ["org/big", "big"] });
        var one = await bench.Client.GetStringAsync("/v1/models/org/big");
        Assert.Contains("\"id\":\"org/big\"", one);
        Assert.Contains("\"id\":\"big\"", await bench.Client.GetStringAsync("/v1/models"));
        Assert.Equal(HttpStatusCode.NotFound, (await bench.Client.GetAsync("/v1/models/none")).StatusCode);
    }

    private static string Text(JsonElement body) => body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;

    private static IEnumerable<string> Deltas(JsonElement chunk) => chunk.GetProperty("choices").EnumerateArray()
        .Select(choice => choice.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString()! : "");
}
