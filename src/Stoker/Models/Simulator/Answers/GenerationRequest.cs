using System.Text.Json;

namespace Stoker.Models.Simulator.Answers;

/// <summary>One message.</summary>
/// <param name="Images">Pictures in it; each counts as a fixed number of tokens.</param>
internal sealed record Turn(string Role, string Text, int Images = 0);

/// <summary>A function that the client offers.</summary>
internal sealed record ToolSpec(string Name, JsonElement? Parameters);

/// <summary>Whether a function is called.</summary>
internal enum ToolUse
{
    /// <summary>When the last message names one.</summary>
    Auto,
    Never,
    Always,
}

/// <summary>What the three paths that generate text ask for, in one shape.</summary>
internal sealed record GenerationRequest(string Model)
{
    public IReadOnlyList<Turn> Turns { get; init; } = [];

    /// <summary>Of `/v1/completions`: each prompt has its own choices. Empty: it is a chat.</summary>
    public IReadOnlyList<string> Prompts { get; init; } = [];

    public bool Stream { get; init; }

    public bool IncludesUsage { get; init; }

    /// <summary>vLLM's: usage in every chunk.</summary>
    public bool ContinuousUsage { get; init; }

    public int? MaxTokens { get; init; }

    public int MinTokens { get; init; }

    /// <summary>Goes on to the most tokens.</summary>
    public bool IgnoresEnd { get; init; }

    /// <summary>Choices for each prompt.</summary>
    public int Choices { get; init; } = 1;

    public IReadOnlyList<string> Stops { get; init; } = [];

    public long Seed { get; init; }

    /// <summary>Alternatives to tell with each token; null: no logarithms of probabilities.</summary>
    public int? Logprobs { get; init; }

    /// <summary>Tell what it thought.</summary>
    public bool Reasons { get; init; }

    /// <summary>The prompt again, before the answer (`/v1/completions`).</summary>
    public bool Echoes { get; init; }

    public IReadOnlyList<ToolSpec> Tools { get; init; } = [];

    public ToolUse ToolUse { get; init; }

    /// <summary>The one function that must be called.</summary>
    public string? ForcedTool { get; init; }

    /// <summary>Characters of the tools' own text, which is part of the prompt.</summary>
    public string ToolText { get; init; } = "";

    public bool WantsJson { get; init; }

    public JsonElement? Schema { get; init; }
}

/// <summary>The request is refused: <paramref name="Type"/> in vLLM's words, from which the other engines' are made.</summary>
internal sealed record Refusal(int Status, string Type, string Message, string? Param = null)
{
    public static Refusal Bad(string message, string? param = null) => new(400, "BadRequestError", message, param);
}
