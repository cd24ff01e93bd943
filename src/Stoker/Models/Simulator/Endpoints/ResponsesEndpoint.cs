using System.Text.Json;
using Stoker.Models.Simulator.Answers;
using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Endpoints;

/// <summary><c>POST /v1/responses</c>. Nothing is stored: a `previous_response_id` is refused.</summary>
internal static class ResponsesEndpoint
{
    private static readonly GenerationShape Shape = new("resp_", (run, events) => new ResponseStream(run, events), (run, json) => Whole(run, json, "completed"));

    public static async ValueTask RunAsync(Call call)
    {
        using var body = call.ReadBody();
        if (body.RootElement.Text("previous_response_id") is { } earlier)
        {
            await call.RefuseAsync(new Refusal(404, "NotFoundError", $"Response with id '{earlier}' not found.", "previous_response_id"));
            return;
        }

        await Generation.RunAsync(call, RequestReader.Response(body.RootElement) with { Choices = 1 }, Shape);
    }

    /// <param name="status"><c>in_progress</c> has no output and no usage yet.</param>
    public static void Whole(GenerationRun run, Utf8JsonWriter json, string status)
    {
        var answer = run.Answers[0];
        var isCut = status == "completed" && answer.Finish == "length";
        json.WriteStartObject();
        json.WriteString("id", run.Id);
        json.WriteString("object", "response");
        json.WriteNumber("created_at", run.Created);
        json.WriteString("model", run.Model);
        json.WriteString("status", isCut ? "incomplete" : status);
        json.WriteNull("error");
        json.WritePropertyName("incomplete_details");
        json.WriteRawValue(isCut ? "{\"reason\":\"max_output_tokens\"}" : "null");
        json.WriteNull("instructions");
        json.WriteNull("previous_response_id");
        json.WriteBoolean("parallel_tool_calls", true);
        json.WriteString("tool_choice", "auto");
        json.WriteStartArray("tools");
        json.WriteEndArray();
        json.WriteNull("temperature");
        json.WriteNull("top_p");
        json.WriteStartObject("metadata");
        json.WriteEndObject();
        json.WriteStartArray("output");
        if (status == "completed") foreach (var item in Items(answer)) Item(json, run, item, "completed");
        json.WriteEndArray();
        if (status == "completed") Usage(json, run);
        json.WriteEndObject();
    }

    /// <summary>The items of an answer in order: thoughts, then a message or a call.</summary>
    public static IEnumerable<TokenKind> Items(Answer answer)
    {
        if (answer.Reasoning.Length > 0) yield return TokenKind.Reasoning;
        if (answer.Call is not null) yield return TokenKind.ToolArguments;
        else yield return TokenKind.Content;
    }

    public static string ItemId(GenerationRun run, TokenKind kind) => kind switch
    {
        TokenKind.Reasoning => "rs_",
        TokenKind.Content => "msg_",
        TokenKind.ToolArguments => "fc_",
    } + run.Id[5..];

    /// <param name="status"><c>in_progress</c>: without what it will hold.</param>
    public static void Item(Utf8JsonWriter json, GenerationRun run, TokenKind kind, string status)
    {
        var answer = run.Answers[0];
        var isDone = status == "completed";
        json.WriteStartObject();
        json.WriteString("id", ItemId(run, kind));
        json.WriteString("status", status);
        switch (kind)
        {
            case TokenKind.ToolArguments:
                json.WriteString("type", "function_call");
                json.WriteString("call_id", answer.Call!.Id);
                json.WriteString("name", answer.Call.Name);
                json.WriteString("arguments", isDone ? answer.Call.Arguments : "");
                break;
            case TokenKind.Reasoning:
                json.WriteString("type", "reasoning");
                json.WriteStartArray("summary");
                json.WriteEndArray();
                Content(json, isDone, "reasoning_text", answer.Reasoning);
                break;
            default:
                json.WriteString("type", "message");
                json.WriteString("role", "assistant");
                Content(json, isDone, "output_text", answer.Text);
                break;
        }

        json.WriteEndObject();
    }

    public static void Part(Utf8JsonWriter json, string type, string text)
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteString("text", text);
        if (type == "output_text")
        {
            json.WriteStartArray("annotations");
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void Content(Utf8JsonWriter json, bool isDone, string type, string text)
    {
        json.WriteStartArray("content");
        if (isDone) Part(json, type, text);
        json.WriteEndArray();
    }

    private static void Usage(Utf8JsonWriter json, GenerationRun run)
    {
        if (!run.TellsUsage) return;
        json.WriteStartObject("usage");
        json.WriteNumber("input_tokens", run.PromptTokens);
        json.WriteStartObject("input_tokens_details");
        json.WriteNumber("cached_tokens", run.Sequence.CachedTokens);
        json.WriteEndObject();
        json.WriteNumber("output_tokens", run.AnswerTokens);
        json.WriteStartObject("output_tokens_details");
        json.WriteNumber("reasoning_tokens", GenerationRun.ReasoningTokens(run.Answers[0]));
        json.WriteEndObject();
        json.WriteNumber("total_tokens", run.PromptTokens + run.AnswerTokens);
        json.WriteEndObject();
    }
}
