using System.Text.Json;

namespace Stoker.Models.Simulator.Answers;

/// <summary>Bodies of the paths that generate text. A body that is wrong throws <see cref="FormatException"/>.</summary>
internal static class RequestReader
{
    private const int MostTokens = 10_000_000;

    public static GenerationRequest Chat(JsonElement body)
    {
        if (body.Has("messages") is not { ValueKind: JsonValueKind.Array } messages) throw new FormatException("`messages` is missing");
        if (messages.GetArrayLength() == 0) throw new FormatException("`messages` is empty");
        var turns = new List<Turn>();
        foreach (var message in messages.EnumerateArray())
        {
            var (text, images) = RequestReading.Content(message.Has("content"));
            foreach (var call in message.Has("tool_calls") is { ValueKind: JsonValueKind.Array } calls ? calls.EnumerateArray() : default)
                text += call.Has("function") is { } function ? $"{function.Text("name")}({function.Text("arguments")})" : "";
            turns.Add(new Turn(message.Text("role") ?? throw new FormatException("a message has no `role`"), text, images));
        }

        var common = Common(body) with
        {
            Turns = turns,
            MaxTokens = body.Count("max_completion_tokens", 1, MostTokens) ?? body.Count("max_tokens", 1, MostTokens),
            Logprobs = body.Flag("logprobs") ? body.Count("top_logprobs", 0, 20) ?? 0 : null,
            Reasons = body.Text("reasoning_effort") is { } effort && effort != "none",
        };
        return common.WithTools(body).WithFormat(body.Has("response_format"));
    }

    public static GenerationRequest Completion(JsonElement body)
    {
        if (body.Has("prompt") is null) throw new FormatException("`prompt` is missing");
        return Common(body) with
        {
            Prompts = body.Inputs("prompt"),
            MaxTokens = body.Count("max_tokens", 1, MostTokens) ?? 16,
            Logprobs = body.Count("logprobs", 0, 20),
            Echoes = body.Flag("echo"),
        };
    }

    public static GenerationRequest Response(JsonElement body)
    {
        var turns = new List<Turn>();
        if (body.Text("instructions") is { } instructions) turns.Add(new Turn("system", instructions));
        if (body.Has("input") is not { } input) throw new FormatException("`input` is missing");
        if (input.ValueKind == JsonValueKind.String) turns.Add(new Turn("user", input.GetString()!));
        else if (input.ValueKind == JsonValueKind.Array) foreach (var item in input.EnumerateArray()) turns.Add(Item(item));
        else throw new FormatException("`input` should be a text or a list of items");
        var common = Common(body) with
        {
            Turns = turns,
            MaxTokens = body.Count("max_output_tokens", 1, MostTokens),
            Reasons = body.Has("reasoning")?.Text("effort") is { } effort && effort != "none",
        };
        return common.WithTools(body).WithFormat(body.Has("text")?.Has("format"));
    }

    private static Turn Item(JsonElement item)
    {
        switch (item.Text("type"))
        {
            case "function_call": return new Turn("assistant", $"{item.Text("name")}({item.Text("arguments")})");
            case "function_call_output": return new Turn("tool", RequestReading.Content(item.Has("output")).Text);
            case "reasoning": return new Turn("assistant", "");
            default:
                var (text, images) = RequestReading.Content(item.Has("content"));
                return new Turn(item.Text("role") ?? throw new FormatException("an item of `input` has no `role`"), text, images);
        }
    }

    private static GenerationRequest Common(JsonElement body)
    {
        var streaming = body.Has("stream_options");
        return new GenerationRequest(body.Text("model") ?? "")
        {
            Stream = body.Flag("stream"),
            IncludesUsage = streaming is { } options && options.Flag("include_usage"),
            // As vLLM: only beside the other.
            ContinuousUsage = streaming is { } more && more.Flag("include_usage") && more.Flag("continuous_usage_stats"),
            MinTokens = body.Count("min_tokens", 0, MostTokens) ?? 0,
            IgnoresEnd = body.Flag("ignore_eos"),
            Choices = body.Count("n", 1, 128) ?? 1,
            Stops = body.Texts("stop"),
            Seed = body.Has("seed") is { ValueKind: JsonValueKind.Number } seed && seed.TryGetInt64(out var number) ? number : 0,
        };
    }
}
