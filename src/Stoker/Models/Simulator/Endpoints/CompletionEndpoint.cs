using System.Text.Json;
using Stoker.Models.Simulator.Answers;
using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Endpoints;

/// <summary><c>POST /v1/completions</c>.</summary>
internal static class CompletionEndpoint
{
    private static readonly GenerationShape Shape = new("cmpl-", (run, events) => new CompletionStream(run, events), Whole);

    public static async ValueTask RunAsync(Call call)
    {
        using var body = call.ReadBody();
        await Generation.RunAsync(call, RequestReader.Completion(body.RootElement), Shape);
    }

    /// <summary>As completions have them: lists side by side.</summary>
    public static void AddLogprobs(OutBuffer to, Answer answer, ReadOnlySpan<AnswerToken> tokens, int alternatives)
    {
        to.Add("{\"text_offset\":["u8);
        for (var i = 0; i < tokens.Length; i++)
        {
            if (i > 0) to.Add(","u8);
            to.Add(tokens[i].Start);
        }

        to.Add("],\"token_logprobs\":["u8);
        for (var i = 0; i < tokens.Length; i++)
        {
            if (i > 0) to.Add(","u8);
            to.AddReal(Logprobs.Of(answer.TextOf(tokens[i])));
        }

        to.Add("],\"tokens\":["u8);
        for (var i = 0; i < tokens.Length; i++)
        {
            if (i > 0) to.Add(","u8);
            to.AddString(answer.TextOf(tokens[i]));
        }

        to.Add("],\"top_logprobs\":["u8);
        for (var i = 0; i < tokens.Length; i++)
        {
            to.Add(i > 0 ? ",{"u8 : "{"u8);
            for (var j = 0; j < alternatives; j++)
            {
                if (j > 0) to.Add(","u8);
                to.AddString(j == 0 ? answer.TextOf(tokens[i]) : $" or{j}");
                to.Add(":"u8);
                to.AddReal(Logprobs.Of(answer.TextOf(tokens[i])) - j);
            }

            to.Add("}"u8);
        }

        to.Add("]}"u8);
    }

    private static void Whole(GenerationRun run, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id", run.Id);
        json.WriteString("object", "text_completion");
        json.WriteNumber("created", run.Created);
        json.WriteString("model", run.Model);
        json.WriteStartArray("choices");
        for (var i = 0; i < run.Answers.Length; i++)
        {
            json.WriteStartObject();
            json.WriteNumber("index", i);
            json.WriteString("text", run.Answers[i].Text);
            json.WritePropertyName("logprobs");
            if (run.Request.Logprobs is { } alternatives)
            {
                var text = new OutBuffer();
                AddLogprobs(text, run.Answers[i], run.Answers[i].Tokens, alternatives);
                json.WriteRawValue(text.Span);
            }
            else
            {
                json.WriteNullValue();
            }

            json.WriteString("finish_reason", run.Answers[i].Finish);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteUsage(run);
        json.WriteEndObject();
    }
}

/// <summary>Chunks of a completion: one for each token, the last one with the reason of the end.</summary>
internal sealed class CompletionStream(GenerationRun run, EventStream events) : IGenerationStream
{
    private readonly byte[] _prefix = Chunks.Prefix(run, "text_completion"u8);

    public async ValueTask<bool> BeginAsync() => await events.BeginAsync() && (run.Call.Options.Ttft.IsZero || await events.FlushAsync());

    public ValueTask<bool> FlushAsync() => events.FlushAsync();

    public ValueTask<bool> AddAsync(int choice, AnswerToken token)
    {
        var answer = run.Answers[choice];
        return AddAsync(choice, token, run.Progress[choice] == answer.Tokens.Length ? answer.Finish : null);
    }

    public async ValueTask EndAsync()
    {
        // A choice without a token still has an end.
        for (var choice = 0; choice < run.Answers.Length; choice++)
        {
            if (run.Answers[choice].Tokens.Length == 0 && !await AddAsync(choice, default, run.Answers[choice].Finish)) return;
        }

        await Chunks.EndAsync(run, events, _prefix);
    }

    private ValueTask<bool> AddAsync(int choice, AnswerToken token, string? finish)
    {
        var data = events.Data;
        var answer = run.Answers[choice];
        data.Add(_prefix);
        data.Add("{\"index\":"u8);
        data.Add(choice);
        data.Add(",\"text\":"u8);
        data.AddString(token.End > 0 ? answer.TextOf(token with { Kind = TokenKind.Content }) : "");
        data.Add(",\"logprobs\":"u8);
        if (run.Request.Logprobs is { } alternatives && token.End > 0) CompletionEndpoint.AddLogprobs(data, answer, [token], alternatives);
        else data.Add("null"u8);
        return Chunks.CloseAsync(run, events, finish);
    }
}
