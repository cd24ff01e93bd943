using System.Text.Json;
using Stoker.Models.Simulator.Engine;

namespace Stoker.Models.Simulator.Answers;

/// <summary>Decides what is said. Pure: the same request, seed and choice have the same answer.</summary>
internal static class Composer
{
    private static readonly JsonElement AnyObject = JsonDocument.Parse(
        """{"type":"object","properties":{"answer":{"type":"string"},"certainty":{"type":"number","minimum":0,"maximum":1}}}""").RootElement;

    private static readonly JsonElement NoParameters = JsonDocument.Parse("{}").RootElement;

    /// <param name="room">Tokens that the context has left for the answer.</param>
    /// <param name="wished">Tokens that a fault or a test asks for exactly; 0: as it comes.</param>
    public static Answer[] Compose(GenerationRequest request, SimulatorOptions options, int room, int wished = 0, int toolArguments = 0)
    {
        var prompts = Math.Max(1, request.Prompts.Count);
        var answers = new Answer[prompts * request.Choices];
        for (var i = 0; i < answers.Length; i++)
        {
            var prompt = i / request.Choices;
            var seed = Chance.Mix((ulong)options.Seed) ^ Chance.Mix((ulong)request.Seed + 1) ^ Chance.Mix((ulong)(i % request.Choices) + 77);
            answers[i] = One(request, options, prompt, new Chance(seed ^ Said(request, prompt)), wished > 0 ? wished : room, wished, toolArguments);
        }

        return answers;
    }

    private static ulong Said(GenerationRequest request, int prompt)
    {
        if (request.Prompts.Count > 0) return Chance.Hash(request.Prompts[prompt]);
        var hash = 0ul;
        foreach (var turn in request.Turns) hash = Chance.Mix(hash + Chance.Hash(turn.Role) + (Chance.Hash(turn.Text) << 1));
        return hash;
    }

    private static Answer One(
        GenerationRequest request, SimulatorOptions options, int prompt, Chance chance, int room, int wished, int toolArguments)
    {
        var most = Math.Min(request.MaxTokens ?? int.MaxValue, Math.Max(1, room));
        var reasoning = request.Reasons || (options.Reasons && request.Prompts.Count == 0) ? Grammar.Thought(ref chance) : "";
        if (toolArguments > 0 || Calls(request) is not null)
        {
            var tool = Calls(request) ?? (request.Tools.Count > 0 ? request.Tools[0] : new ToolSpec("large", null));
            var arguments = toolArguments > 0
                ? $"{{\"text\":\"{new string('x', toolArguments)}\"}}"
                : SchemaExample.Make(tool.Parameters ?? NoParameters, chance);
            if (arguments is "null" or "") arguments = "{}";
            if (toolArguments > 0) return Answer.Whole(new ToolCall($"call_{chance.Letters(24)}", tool.Name, arguments));
            return Answer.Of(reasoning, "", new ToolCall($"call_{chance.Letters(24)}", tool.Name, arguments), most, request.ForcedTool is not null);
        }

        if (request.WantsJson) return Answer.Of(reasoning, SchemaExample.Make(request.Schema ?? AnyObject, chance), null, most);
        var least = wished > 0 ? wished : request.IgnoresEnd ? most : request.MinTokens;
        var text = Text(request, options, prompt, ref chance, Math.Min(least, most));
        if (request.Echoes) text = request.Prompts[prompt] + text;
        return Answer.Of(reasoning, CutAtStop(text, request), null, most);
    }

    private static string Text(GenerationRequest request, SimulatorOptions options, int prompt, ref Chance chance, int least)
    {
        var text = request.Prompts.Count > 0 ? "" : request.Turns.LastOrDefault(turn => turn.Role == "user")?.Text ?? "";
        if (options.Mode == AnswerMode.Echo) text = request.Prompts.Count > 0 ? request.Prompts[prompt] : text;
        else text = request.Prompts.Count > 0 ? "" : Recall.Answer(request.Turns) ?? "";
        if (text.Length == 0) return Grammar.Sentences(ref chance, least);
        var missing = least - Tokenizer.Count(text);
        return missing > 0 ? $"{text} {Grammar.Sentences(ref chance, missing)}" : text;
    }

    private static string CutAtStop(string text, GenerationRequest request)
    {
        var end = text.Length;
        foreach (var stop in request.Stops)
        {
            var at = stop.Length == 0 ? -1 : text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0) end = Math.Min(end, at);
        }

        return text[..end];
    }

    /// <summary>The function that is called: the forced one, any when one must be, one that the last message of the user names; not after an answer of a tool.</summary>
    private static ToolSpec? Calls(GenerationRequest request)
    {
        if (request.ToolUse == ToolUse.Never || request.Tools.Count == 0) return null;
        if (request.ForcedTool is { } forced) return request.Tools.First(tool => tool.Name == forced);
        if (request.ToolUse == ToolUse.Always) return Named(request) ?? request.Tools[0];
        return request.Turns is [.., { Role: "user" }] ? Named(request) : null;
    }

    private static ToolSpec? Named(GenerationRequest request)
    {
        var said = request.Turns.LastOrDefault(turn => turn.Role == "user")?.Text ?? "";
        return request.Tools.FirstOrDefault(tool => said.Contains(tool.Name, StringComparison.OrdinalIgnoreCase)
            || said.Contains(tool.Name.Replace('_', ' '), StringComparison.OrdinalIgnoreCase));
    }
}
