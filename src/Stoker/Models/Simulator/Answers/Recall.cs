using System.Text.RegularExpressions;

namespace Stoker.Models.Simulator.Answers;

/// <summary>
/// What an answer can take from earlier messages, so that a test of a dialogue means something: "my name is Ada", later "what is my name?".
/// </summary>
internal static partial class Recall
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    /// <summary>Null when the last message asks for nothing that was said.</summary>
    public static string? Answer(IReadOnlyList<Turn> turns)
    {
        var last = turns.Count - 1;
        if (last < 0) return null;
        if (turns[last].Role == "tool") return $"The tool answered: {turns[last].Text}";
        if (turns[last].Role != "user") return null;
        var asked = turns[last].Text;
        if (asked.Length > 2000) return null;
        var earlier = turns.Take(last).Where(turn => turn.Role == "user").Select(turn => turn.Text).ToList();
        if (Before().IsMatch(asked))
            return earlier.Count == 0 ? "This is the first thing that you say." : $"Before this you said: “{earlier[^1]}”";
        if (Question().Match(asked) is { Success: true } question) return Fact(question.Groups["what"].Value.ToLowerInvariant(), earlier);
        return WhoAmI().IsMatch(asked) ? Fact("name", earlier) : null;
    }

    private static string Fact(string what, List<string> earlier)
    {
        var telling = new Regex($@"\bmy {Regex.Escape(what)}(?: is|'s|’s|:) (?<that>[^.!?,;\n]+)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, Patience);
        foreach (var text in Enumerable.Reverse(earlier))
        {
            if (telling.Match(text) is { Success: true } told) return $"Your {what} is {told.Groups["that"].Value.Trim()}.";
            if (what == "name" && Named().Match(text) is { Success: true } named) return $"Your name is {named.Groups["that"].Value.Trim()}.";
        }

        return $"You have not told me your {what}.";
    }

    [GeneratedRegex(@"\bwh(?:at|o)(?: is|'s|’s| was| are) my (?<what>[\p{L}\d][\p{L}\d _-]{0,60}?)\s*(?:\?|$|again|please)", RegexOptions.IgnoreCase, 100)]
    private static partial Regex Question();

    [GeneratedRegex(@"\bwho am I\b", RegexOptions.IgnoreCase, 100)]
    private static partial Regex WhoAmI();

    [GeneratedRegex(@"\bwhat did I (?:just )?(?:say|ask|write|tell you)\b", RegexOptions.IgnoreCase, 100)]
    private static partial Regex Before();

    [GeneratedRegex(@"\b(?:I am|I['’]m|call me) (?<that>\p{Lu}[\p{L}-]*)", RegexOptions.None, 100)]
    private static partial Regex Named();
}
