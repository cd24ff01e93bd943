using System.Text;

namespace Stoker.Estates.Yaml;

/// <summary>
/// A place in the tree as a person types it: <c>services.vision.command[0]</c>, <c>services."my.service".image</c>. Each segment is
/// a key, or an index of a list.
/// </summary>
internal sealed record ConfigPath(IReadOnlyList<PathSegment> Segments)
{
    /// <summary>Null when the text is no path; <paramref name="problem"/> says why.</summary>
    public static ConfigPath? Parse(string text, out string? problem)
    {
        var segments = new List<PathSegment>();
        var at = 0;
        problem = null;
        while (at < text.Length && problem is null)
        {
            if (text[at] == '[') at = ReadIndex(text, at, segments, ref problem);
            else if (text[at] is '"' or '\'') at = ReadQuoted(text, at, segments, ref problem);
            else at = ReadBare(text, at, segments, ref problem);
            if (problem is null && at < text.Length && text[at] == '.' && ++at == text.Length) problem = "the path ends with a dot";
        }

        if (problem is null && segments.Count == 0) problem = "the path is empty";
        return problem is null ? new ConfigPath(segments) : null;
    }

    /// <summary>One more key, quoted where a person would have to.</summary>
    public static string Append(string path, string key)
    {
        var shown = key.Length > 0 && key.AsSpan().IndexOfAny(".[\"'") < 0 ? key : $"\"{key}\"";
        return path.Length == 0 ? shown : $"{path}.{shown}";
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var segment in Segments)
        {
            if (segment.Index is { } index) text.Append('[').Append(index).Append(']');
            else
            {
                var key = Append("", segment.Key!);
                text.Append(text.Length == 0 ? "" : ".").Append(key);
            }
        }

        return text.ToString();
    }

    private static int ReadIndex(string text, int at, List<PathSegment> segments, ref string? problem)
    {
        var close = text.IndexOf(']', at);
        if (close < 0 || !int.TryParse(text.AsSpan(at + 1, close - at - 1), out var index) || index < 0)
        {
            problem = close < 0 ? "`[` is not closed" : $"`{text[at..(close + 1)]}` is no index";
            return at;
        }

        segments.Add(new PathSegment(null, index));
        return close + 1;
    }

    private static int ReadQuoted(string text, int at, List<PathSegment> segments, ref string? problem)
    {
        var close = text.IndexOf(text[at], at + 1);
        if (close < 0 || (close + 1 < text.Length && text[close + 1] is not ('.' or '[')))
        {
            problem = close < 0 ? "a quote is not closed" : "a dot is missing after the closing quote";
            return at;
        }

        segments.Add(new PathSegment(text[(at + 1)..close], null));
        return close + 1;
    }

    private static int ReadBare(string text, int at, List<PathSegment> segments, ref string? problem)
    {
        var length = text.AsSpan(at).IndexOfAny('.', '[');
        var end = length < 0 ? text.Length : at + length;
        if (end == at) problem = "a key is missing between two dots";
        else segments.Add(new PathSegment(text[at..end], null));
        return end;
    }
}

/// <summary>A key, or an index from 0; one of the two.</summary>
internal readonly record struct PathSegment(string? Key, int? Index);
