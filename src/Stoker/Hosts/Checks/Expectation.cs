using System.Text.RegularExpressions;
using Stoker.Estates.Reading;

namespace Stoker.Hosts.Checks;

/// <summary>
/// What a value must be: <c>exact</c>, <c>!exact</c>, <c>/regex/</c>, or a range of comparisons that all have to hold: <c>&gt;=1.2 &lt;2</c>. Numbers and sizes are compared as such,
/// everything else as versions.
/// </summary>
internal sealed class Expectation
{
    private static readonly string[] Signs = [">=", "<=", "!=", ">", "<", "="];

    private readonly List<(string Sign, string Value)> _range = [];
    private readonly Regex? _pattern;
    private readonly string? _exact;
    private readonly bool _negated;

    private Expectation(string text, List<(string, string)>? range, Regex? pattern, string? exact, bool negated)
    {
        (Text, _pattern, _exact, _negated) = (text, pattern, exact, negated);
        if (range is not null) _range = range;
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Null with the problem in words when it can be no expectation.</summary>
    public static Expectation? Parse(string text, out string problem)
    {
        problem = "";
        if (text.Trim() is not { Length: > 0 } trimmed)
        {
            problem = "it is empty";
            return null;
        }

        if (Array.Exists(Signs, sign => trimmed.StartsWith(sign, StringComparison.Ordinal))) return Range(text, trimmed, out problem);
        var negated = trimmed[0] == '!';
        var rest = negated ? trimmed[1..] : trimmed;
        if (rest.Length == 0)
        {
            problem = "nothing stands behind `!`";
            return null;
        }

        if (rest is not ['/', _, .., '/']) return new Expectation(text, null, null, rest, negated);
        try
        {
            return new Expectation(text, null, new Regex(rest[1..^1], RegexOptions.CultureInvariant | RegexOptions.Multiline, TimeSpan.FromSeconds(1)), null, negated);
        }
        catch (RegexParseException e)
        {
            problem = $"it is no regular expression: {e.Message}";
            return null;
        }
    }

    /// <summary>Whether a value as a whole is so.</summary>
    public bool IsMetBy(string found)
    {
        if (_range.Count > 0) return _range.TrueForAll(c => Holds(c.Sign, Compare(found, c.Value)));
        return (_pattern?.IsMatch(found) ?? (string.Equals(found, _exact, StringComparison.Ordinal) || AreEqualNumbers(found, _exact!))) != _negated;
    }

    /// <summary>Whether it is somewhere in a text.</summary>
    public bool IsIn(string text) => (_pattern?.IsMatch(text) ?? text.Contains(_exact ?? Text, StringComparison.Ordinal)) != _negated;

    public override string ToString() => Text;

    private static Expectation? Range(string text, string trimmed, out string problem)
    {
        problem = "";
        var comparisons = new List<(string, string)>();
        foreach (var word in trimmed.Replace(",", " ", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var sign = Array.Find(Signs, s => word.StartsWith(s, StringComparison.Ordinal));
            if (sign is not null) comparisons.Add((sign, word[sign.Length..]));
            // `>= 1.2`, and `64 GiB`
            else if (comparisons.Count > 0) comparisons[^1] = (comparisons[^1].Item1, comparisons[^1].Item2 + word);
        }

        if (comparisons.Exists(c => c.Item2.Length == 0))
        {
            problem = "a comparison without a value";
            return null;
        }

        return new Expectation(text, comparisons, null, null, negated: false);
    }

    private static bool AreEqualNumbers(string a, string b) => Amount(a) is { } first && Amount(b) is { } second && first == second;

    private static int Compare(string found, string value) =>
        Amount(found) is { } a && Amount(value) is { } b ? a.CompareTo(b) : VersionOrder.Compare(found, value);

    /// <summary>A number, or a size in bytes; versions of two numbers are neither, because 5.10 is after 5.9.</summary>
    private static double? Amount(string text) => Scalars.Whole(text) is { } whole ? whole : text.Length > 0 && char.IsLetter(text[^1]) && Scalars.Size(text) is { } size ? size.Bytes : null;

    private static bool Holds(string sign, int order) => sign switch
    {
        ">=" => order >= 0,
        "<=" => order <= 0,
        ">" => order > 0,
        "<" => order < 0,
        "!=" => order != 0,
        _ => order == 0,
    };
}
