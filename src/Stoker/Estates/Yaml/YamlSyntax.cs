using Stoker.Diagnostics;
using YamlDotNet.Core;

namespace Stoker.Estates.Yaml;

/// <summary>Turns the YAML parser's exception into a diagnostic, with a hint for the mistakes that people make.</summary>
internal static class YamlSyntax
{
    public static void Report(YamlException e, string text, string file, DiagnosticBag bag)
    {
        var found = CharacterAt(text, e.Start);
        if (TabOf(e, text, found) is { } tab)
        {
            bag.Add(YamlDiagnostics.Syntax, Utf8Text.PlaceOf(text, tab, file), "a tab cannot indent YAML", "indent with spaces");
            return;
        }

        var where = new SourcePosition(file, (int)Math.Max(1, e.Start.Line), (int)Math.Max(1, e.Start.Column));
        var message = Lower(e.Message);
        bag.Add(YamlDiagnostics.Syntax, where, message, Hint(message, found));
    }

    // The parser notices some tabs where it stands, and some only when it has left the mapping that began earlier.
    private static int? TabOf(YamlException e, string text, char? found)
    {
        if (found == '\t' && e.Message.Contains("cannot start any token", StringComparison.Ordinal)) return (int)e.Start.Index;
        if (!e.Message.Contains(" tab ", StringComparison.Ordinal)) return null;
        for (var line = text.LastIndexOf('\n', (int)Math.Min(e.Start.Index, text.Length - 1)) + 1; line < text.Length;)
        {
            var indentation = text.AsSpan(line).IndexOfAnyExcept(' ');
            if (indentation >= 0 && text[line + indentation] == '\t') return line + indentation;
            var end = text.IndexOf('\n', line);
            if (end < 0) break;
            line = end + 1;
        }

        return null;
    }

    private static string? Hint(string message, char? found)
    {
        if (message.Contains("cannot start any token", StringComparison.Ordinal)) return $"a value that begins with `{found}` needs quotes";
        if (message.Contains("mapping values are not allowed", StringComparison.Ordinal) || message.Contains("found invalid mapping", StringComparison.Ordinal))
        {
            return "a value that contains `: ` needs quotes";
        }

        if (message.Contains("quoted scalar", StringComparison.Ordinal)) return "a quote that opens here is not closed, or an escape is wrong";
        if (message.Contains("block mapping", StringComparison.Ordinal)) return "check the indentation, and that every key has a `:`";
        if (message.Contains("flow", StringComparison.Ordinal)) return "a `[` or `{` that opens here is not closed, or a comma is missing";
        return null;
    }

    private static string Lower(string message)
    {
        var text = message.Trim().TrimEnd('.').Replace('\'', '`');
        return text.Length == 0 ? "this is not valid YAML" : char.ToLowerInvariant(text[0]) + text[1..];
    }

    private static char? CharacterAt(string text, Mark mark) => mark.Index >= 0 && mark.Index < text.Length ? text[(int)mark.Index] : null;
}
