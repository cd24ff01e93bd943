using System.Text;

namespace Stoker.Cli;

/// <summary>
/// Reads the top-level <c>name:</c> of an estate file without reading the rest, for verbs that need only to find the daemon:
/// parsing 3,000 lines of YAML would cost them more than everything else.
/// </summary>
internal static class EstateNameScan
{
    /// <summary>What a scan can tell.</summary>
    internal abstract record Outcome
    {
        internal sealed record Named(string Name) : Outcome;

        /// <summary>No <c>name:</c> stands in this file.</summary>
        internal sealed record Absent : Outcome;

        /// <summary>Only a real reading can tell: interpolation, tags, anchors, includes, flow style.</summary>
        internal sealed record Unclear : Outcome;
    }

    public static Outcome Scan(ReadOnlySpan<byte> content)
    {
        if (content.StartsWith("\uFEFF"u8)) content = content[3..];
        Outcome found = new Outcome.Absent();
        while (content.Length > 0)
        {
            var end = content.IndexOf((byte)'\n');
            var line = Trimmed(end < 0 ? content : content[..end]);
            content = end < 0 ? [] : content[(end + 1)..];
            // In block style nothing but a key of the top level, a comment or a document mark stands in the first column.
            if (line.Length == 0 || line[0] is (byte)' ' or (byte)'\t' or (byte)'#' || line.StartsWith("---"u8)) continue;
            if (line[0] is (byte)'{' or (byte)'"' or (byte)'\'' or (byte)'?' or (byte)'<' or (byte)'%' or (byte)'&' or (byte)'!') return new Outcome.Unclear();
            if (line.StartsWith("include:"u8)) found = new Outcome.Unclear();
            if (!line.StartsWith("name:"u8)) continue;
            return Value(line["name:"u8.Length..]) is { } name ? new Outcome.Named(name) : new Outcome.Unclear();
        }

        return found;
    }

    // Not TrimEnd of MemoryExtensions: generic over bytes, it would be compiled at every start.
    private static ReadOnlySpan<byte> Trimmed(ReadOnlySpan<byte> line)
    {
        while (line.Length > 0 && line[^1] is (byte)' ' or (byte)'\t' or (byte)'\r') line = line[..^1];
        return line;
    }

    /// <summary>A plain or quoted word, with a comment behind it perhaps; null when it is anything more.</summary>
    private static string? Value(ReadOnlySpan<byte> text)
    {
        var comment = text.IndexOf(" #"u8);
        if (comment >= 0) text = text[..comment];
        while (text.Length > 0 && text[0] is (byte)' ' or (byte)'\t') text = text[1..];
        text = Trimmed(text);
        if (text.Length > 2 && text[0] == text[^1] && text[0] is (byte)'"' or (byte)'\'') text = text[1..^1];
        foreach (var b in text)
        {
            if (!char.IsAsciiLetterLower((char)b) && !char.IsAsciiDigit((char)b) && b is not ((byte)'_' or (byte)'-')) return null;
        }

        return text.Length > 0 ? Encoding.ASCII.GetString(text) : null;
    }
}
