using Stoker.Models.Simulator.Engine;

namespace Stoker.Models.Simulator.Answers;

internal enum TokenKind : byte
{
    Reasoning,
    Content,
    ToolArguments,
}

/// <summary>One token: a range of the text of its kind.</summary>
internal readonly record struct AnswerToken(TokenKind Kind, int Start, int End);

/// <summary>A call of a function, decided before the first token is made.</summary>
internal sealed record ToolCall(string Id, string Name, string Arguments);

/// <summary>One choice of an answer: all that will be said, and in which steps.</summary>
internal sealed class Answer
{
    private Answer(string reasoning, string text, ToolCall? call, AnswerToken[] tokens, string finish)
    {
        Reasoning = reasoning;
        Text = text;
        Call = call;
        Tokens = tokens;
        Finish = finish;
    }

    public string Reasoning { get; }

    public string Text { get; }

    public ToolCall? Call { get; }

    public AnswerToken[] Tokens { get; }

    /// <summary><c>stop</c>, <c>length</c> or <c>tool_calls</c>.</summary>
    public string Finish { get; }

    public Ending Ending => Finish == "length" ? Ending.Length : Ending.Stop;

    /// <param name="most">Tokens at most; what does not fit is cut off.</param>
    /// <param name="namedCall">The client asked for this function by name: then the call ends with <c>stop</c>, as OpenAI has it.</param>
    public static Answer Of(string reasoning, string text, ToolCall? call, int most, bool namedCall = false)
    {
        var tokens = new List<AnswerToken>();
        Split(reasoning, TokenKind.Reasoning, tokens, most);
        Split(text, TokenKind.Content, tokens, most);
        Split(call?.Arguments ?? "", TokenKind.ToolArguments, tokens, most);
        var whole = reasoning.Length + text.Length + (call?.Arguments.Length ?? 0);
        var said = tokens.Sum(token => token.End - token.Start);
        if (said == whole) return new Answer(reasoning, text, call, [.. tokens], call is null || namedCall ? "stop" : "tool_calls");
        var kept = call is null ? null : call with { Arguments = call.Arguments[..Last(tokens, TokenKind.ToolArguments)] };
        return new Answer(
            reasoning[..Last(tokens, TokenKind.Reasoning)], text[..Last(tokens, TokenKind.Content)], kept, [.. tokens], "length");
    }

    /// <summary>The same call in one step, however long.</summary>
    public static Answer Whole(ToolCall call) =>
        new("", "", call, [new AnswerToken(TokenKind.ToolArguments, 0, call.Arguments.Length)], "tool_calls");

    public ReadOnlySpan<char> TextOf(AnswerToken token) => Source(token.Kind).AsSpan(token.Start, token.End - token.Start);

    /// <summary>The number of the token made in this step.</summary>
    public uint NumberOf(int step) => Tokenizer.Number(TextOf(Tokens[step]));

    private string Source(TokenKind kind) => kind switch
    {
        TokenKind.Reasoning => Reasoning,
        TokenKind.Content => Text,
        TokenKind.ToolArguments => Call!.Arguments,
    };

    private static void Split(string text, TokenKind kind, List<AnswerToken> tokens, int most)
    {
        for (var at = 0; at < text.Length && tokens.Count < most;)
        {
            var end = Tokenizer.End(text, at);
            tokens.Add(new AnswerToken(kind, at, end));
            at = end;
        }
    }

    private static int Last(List<AnswerToken> tokens, TokenKind kind)
    {
        var end = 0;
        foreach (var token in tokens)
        {
            if (token.Kind == kind) end = token.End;
        }

        return end;
    }
}
