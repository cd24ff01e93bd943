using System.Text;
using Stoker.Models.Simulator.Engine;

namespace Stoker.Models.Simulator.Answers;

/// <summary>
/// English that could be read, decided by chance. Every answer has a character of more than one byte near its beginning, and now and then
/// one of four, because that is what goes wrong on the way.
/// </summary>
internal static class Grammar
{
    private static readonly string[] Openings =
        ["Of course – ", "Sure… ", "Voilà: ", "Well — ", "Certainly – ", "“Yes” is the short answer: ", "Très bien, ", "D’accord: "];

    private static readonly string[] Subjects =
    [
        "the scheduler", "a small model", "the second replica", "every request", "the quiet node", "the cache", "a careful operator", "the gateway",
        "an idle card", "the old server in Zürich", "the café downstairs", "the long queue", "the night shift", "one naïve client", "the memory pool",
    ];

    private static readonly string[] Verbs =
    [
        "keeps", "follows", "measures", "moves", "remembers", "waits for", "shares", "explains", "finishes", "notices", "prefers", "carries",
    ];

    private static readonly string[] Objects =
    [
        "the warm blocks", "its place in the line", "a clear answer", "two short streams", "the morning load", "what was asked", "the next token",
        "the façade of calm", "a budget of tokens", "more light than heat", "the first word", "a promise to the owner", "the 日本 region",
    ];

    private static readonly string[] Tails =
    [
        "", "", " before noon", " without a pause", " and says so", " while others wait", " at −5 °C", " for about 12 ms", ", as it should", " → quickly",
        " twice a day", " when nobody looks 🙂", " until the power is cut",
    ];

    /// <param name="tokens">0: some sentences; else at least so many tokens, which the caller cuts.</param>
    public static string Sentences(ref Chance chance, int tokens)
    {
        var text = new StringBuilder(chance.Pick<string>(Openings));
        var sentences = 2 + chance.Next(4);
        var count = 0;
        for (var i = 0; tokens > 0 ? count < tokens : i < sentences; i++)
        {
            var from = text.Length;
            if (i > 0) text.Append(' ');
            var subject = chance.Pick<string>(Subjects);
            if (i > 0) text.Append(char.ToUpperInvariant(subject[0])).Append(subject.AsSpan(1));
            else text.Append(subject);
            text.Append(' ').Append(chance.Pick<string>(Verbs)).Append(' ').Append(chance.Pick<string>(Objects)).Append(chance.Pick<string>(Tails)).Append('.');
            if (tokens > 0) count += Tokenizer.Count(text.ToString(from, text.Length - from));
        }

        return text.ToString();
    }

    /// <summary>Words for a text of a schema.</summary>
    public static string Words(ref Chance chance) => $"{chance.Pick<string>(Subjects)} {chance.Pick<string>(Verbs)} {chance.Pick<string>(Objects)}";

    public static string Thought(ref Chance chance) =>
        $"The question is whether {chance.Pick<string>(Subjects)} {chance.Pick<string>(Verbs)} {chance.Pick<string>(Objects)}. It does…";
}
