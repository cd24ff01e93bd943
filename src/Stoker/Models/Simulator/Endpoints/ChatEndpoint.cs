using System.Text.Json;
using Stoker.Models.Simulator.Answers;
using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Endpoints;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal static class ChatEndpoint
{
    private static readonly GenerationShape Shape = new("chatcmpl-", (run, events) => new ChatStream(run, events), Whole);

    public static async ValueTask RunAsync(Call call)
    {
        using var body = call.ReadBody();
        await Generation.RunAsync(call, RequestReader.Chat(body.RootElement), Shape);
    }

    private static void Whole(GenerationRun run, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id", run.Id);
        json.WriteString("object", "chat.completion");
        json.WriteNumber("created", run.Created);
        json.WriteString("model", run.Model);
        json.WriteStartArray("choices");
        for (var i = 0; i < run.Answers.Length; i++)
        {
            var answer = run.Answers[i];
            json.WriteStartObject();
            json.WriteNumber("index", i);
            json.WriteStartObject("message");
            Message(json, answer);
            json.WriteEndObject();
            json.WritePropertyName("logprobs");
            if (run.Request.Logprobs is { } alternatives)
            {
                var text = new OutBuffer();
                text.AddLogprobs(answer, answer.Tokens, alternatives);
                json.WriteRawValue(text.Span);
            }
            else
            {
                json.WriteNullValue();
            }

            json.WriteString("finish_reason", answer.Finish);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteUsage(run);
        json.WriteEndObject();
    }

    private static void Message(Utf8JsonWriter json, Answer answer)
    {
        json.WriteString("role", "assistant");
        if (answer.Call is not null && answer.Text.Length == 0) json.WriteNull("content");
        else json.WriteString("content", answer.Text);
        if (answer.Reasoning.Length > 0) json.WriteString("reasoning_content", answer.Reasoning);
        json.WriteStartArray("tool_calls");
        if (answer.Call is { } call)
        {
            json.WriteStartObject();
            json.WriteString("id", call.Id);
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", call.Name);
            json.WriteString("arguments", call.Arguments);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}

/// <summary>Chunks of a chat: one with the role, one for each token, one with the reason of the end, one with usage where it was asked for.</summary>
internal sealed class ChatStream(GenerationRun run, EventStream events) : IGenerationStream
{
    private readonly byte[] _prefix = Chunks.Prefix(run, "chat.completion.chunk"u8);
    private readonly bool[] _hasRole = new bool[run.Answers.Length];
    private readonly bool[] _hasCall = new bool[run.Answers.Length];

    public ValueTask<bool> BeginAsync() => FlushAfter(events.BeginAsync());

    public ValueTask<bool> FlushAsync() => events.FlushAsync();

    public async ValueTask<bool> AddAsync(int choice, AnswerToken token)
    {
        if (!_hasRole[choice])
        {
            _hasRole[choice] = true;
            if (!await AddRoleAsync(choice)) return false;
        }

        Open(choice);
        Delta(choice, token);
        return await Chunks.CloseAsync(run, events, null);
    }

    public async ValueTask EndAsync()
    {
        for (var choice = 0; choice < run.Answers.Length; choice++)
        {
            if (!_hasRole[choice] && !await AddRoleAsync(choice)) return;
            Open(choice);
            events.Data.Add("},\"logprobs\":null"u8);
            if (!await Chunks.CloseAsync(run, events, run.Answers[choice].Finish)) return;
        }

        await Chunks.EndAsync(run, events, _prefix);
    }

    /// <summary>The head goes out before the first wait, as vLLM's does.</summary>
    private async ValueTask<bool> FlushAfter(ValueTask<bool> begun) => await begun && (IsInstant() || await events.FlushAsync());

    private bool IsInstant() => run.Call.Options.Ttft.IsZero && run.Call.Options.PrefillPerToken == TimeSpan.Zero;

    private ValueTask<bool> AddRoleAsync(int choice)
    {
        Open(choice);
        events.Data.Add("\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null"u8);
        return Chunks.CloseAsync(run, events, null);
    }

    private void Open(int choice)
    {
        events.Data.Add(_prefix);
        events.Data.Add("{\"index\":"u8);
        events.Data.Add(choice);
        events.Data.Add(",\"delta\":{"u8);
    }

    private void Delta(int choice, AnswerToken token)
    {
        var data = events.Data;
        var answer = run.Answers[choice];
        if (token.Kind == TokenKind.ToolArguments)
        {
            data.Add("\"tool_calls\":[{\"index\":0"u8);
            if (!_hasCall[choice])
            {
                _hasCall[choice] = true;
                data.Add(",\"id\":"u8);
                data.AddString(answer.Call!.Id);
                data.Add(",\"type\":\"function\",\"function\":{\"name\":"u8);
                data.AddString(answer.Call.Name);
                data.Add(",\"arguments\":"u8);
            }
            else
            {
                data.Add(",\"function\":{\"arguments\":"u8);
            }

            data.AddString(answer.TextOf(token));
            data.Add("}}]"u8);
        }
        else
        {
            data.Add(token.Kind == TokenKind.Content ? "\"content\":"u8 : "\"reasoning_content\":"u8);
            data.AddString(answer.TextOf(token));
        }

        data.Add("},\"logprobs\":"u8);
        if (run.Request.Logprobs is { } alternatives && token.Kind == TokenKind.Content) data.AddLogprobs(answer, [token], alternatives);
        else data.Add("null"u8);
    }
}
