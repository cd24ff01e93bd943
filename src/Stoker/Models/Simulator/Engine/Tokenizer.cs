namespace Stoker.Models.Simulator.Engine;

/// <summary>
/// What this server calls a token, so that usage is exact and anyone can count it: a run of letters and digits, at most twelve, with the
/// one blank before it; or a run of white space; or any other single character. The tokens of a text, one after the other, are the text.
/// <code>
///   "Hello, wide  world!" → "Hello" "," " wide" " " " world" "!"
/// </code>
/// </summary>
internal static class Tokenizer
{
    private const int LongestWord = 12;

    /// <summary>One token, as one that the chat template puts around a message.</summary>
    public const uint MessageBegins = 1, MessageEnds = 2, AnswerBegins = 3, Image = 4;

    /// <summary>Numbers of tokens are below this.</summary>
    public const uint Vocabulary = 1 << 20;

    /// <param name="at">Where the token begins; less than the length.</param>
    /// <returns>Where it ends.</returns>
    public static int End(ReadOnlySpan<char> text, int at)
    {
        var first = text[at] == ' ' && at + 1 < text.Length && char.IsLetterOrDigit(text[at + 1]) ? at + 1 : at;
        if (char.IsLetterOrDigit(text[first]))
        {
            var end = first + 1;
            while (end < text.Length && end - first < LongestWord && char.IsLetterOrDigit(text[end])) end++;
            return end;
        }

        if (!char.IsWhiteSpace(text[at])) return at + (char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1);
        var after = at + 1;
        while (after < text.Length && char.IsWhiteSpace(text[after])) after++;
        // The last blank belongs to the word that follows.
        return after < text.Length && after - at > 1 && text[after - 1] == ' ' && char.IsLetterOrDigit(text[after]) ? after - 1 : after;
    }

    public static int Count(ReadOnlySpan<char> text)
    {
        var count = 0;
        for (var at = 0; at < text.Length; at = End(text, at)) count++;
        return count;
    }

    public static void Add(ReadOnlySpan<char> text, List<uint> tokens)
    {
        for (var at = 0; at < text.Length;)
        {
            var end = End(text, at);
            tokens.Add(Number(text[at..end]));
            at = end;
        }
    }

    /// <summary>The number of a token: the same everywhere, two different ones may share it. From 256 on, below is for the template.</summary>
    public static uint Number(ReadOnlySpan<char> token)
    {
        var hash = 2166136261u;
        foreach (var c in token) hash = (hash ^ c) * 16777619u;
        return 256 + (hash % (Vocabulary - 256));
    }
}
