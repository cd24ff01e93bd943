using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Stoker.Estates.Yaml;

/// <summary>How a scalar is written: plain where that reads back the same, a literal block for lines, else double quotes.</summary>
internal static partial class ScalarText
{
    private static readonly SearchValues<char> Plain =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 _-./:@%+=,~^$(){}*&!|<>#?;'\"\\[]");

    private static readonly SearchValues<char> FirstOfPlain =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./$(+^;<\\");

    private static readonly SearchValues<char> OfKeys = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-");

    // Quoted, although YAML 1.2 reads them as text: other programs that read the output may follow YAML 1.1.
    private static readonly HashSet<string> Words = new(StringComparer.OrdinalIgnoreCase) { "true", "false", "yes", "no", "on", "off", "y", "n", "null", "~" };

    public static string Key(string text) =>
        IsPlain(text) && text.AsSpan().IndexOfAnyExcept(OfKeys) < 0 && text.Length < 128 && !ScalarReader.IsNull(text) ? text : Quoted(text);

    public static string Value(ScalarNode scalar, int indent)
    {
        if (scalar.Value is not { } value) return "";
        var text = Escaped(value);
        if (IsPlain(text) && !ScalarReader.IsNull(value) && (scalar.Plain || !LooksTyped(value))) return text;
        return IsBlock(text) ? Block(text, indent) : Quoted(text);
    }

    // `$(NAME)` is never interpolated, and reads better as it was written.
    private static string Escaped(string value) => value.Contains('$') ? Dollar().Replace(value, "$$$$") : value;

    private static bool IsPlain(string text) =>
        text.Length > 0
        && (FirstOfPlain.Contains(text[0]) || (text.Length > 1 && text[0] == '-' && text[1] != ' '))
        && text.AsSpan().IndexOfAnyExcept(Plain) < 0
        && !text.Contains(": ", StringComparison.Ordinal)
        && !text.Contains(" #", StringComparison.Ordinal)
        && text[^1] is not (' ' or ':')
        // Document markers, although only at a line's beginning: parsers differ.
        && !text.Contains("...", StringComparison.Ordinal)
        && !text.Contains("---", StringComparison.Ordinal);

    /// <summary>Would be read as a number, a boolean, null or a date if it stood without quotes.</summary>
    private static bool LooksTyped(string text) =>
        Words.Contains(text) || Number().IsMatch(text) || double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private static bool IsBlock(string text) =>
        text.Contains('\n')
        && text[0] is not (' ' or '\n' or '\t')
        && !text.EndsWith("\n\n", StringComparison.Ordinal)
        && !text.AsSpan().ContainsAnyInRange('\u007f', '\uffff')
        && text.AsSpan().IndexOfAnyInRange('\0', '\u0008') < 0
        && text.AsSpan().IndexOfAnyInRange('\u000b', '\u001f') < 0
        && text.Split('\n').All(line => line.Length == 0 || !string.IsNullOrWhiteSpace(line));

    private static string Block(string text, int indent)
    {
        var ends = text.EndsWith('\n');
        var margin = new string(' ', indent);
        var lines = (ends ? text[..^1] : text).Split('\n').Select(line => line.Length == 0 ? "" : margin + line);
        return (ends ? "|\n" : "|-\n") + string.Join('\n', lines);
    }

    private static string Quoted(string text)
    {
        var output = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text)
        {
            output.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                < ' ' or (>= '\u007f' and <= '\u00a0') or '\u2028' or '\u2029' or '\ufeff' or >= '\ufffe' => $"\\u{(int)c:X4}",
                _ => c.ToString(),
            });
        }

        return output.Append('"').ToString();
    }

    [GeneratedRegex(@"\$(?!\()")]
    private static partial Regex Dollar();

    [GeneratedRegex(@"^[-+.]?[0-9][0-9a-fA-FxXoO_.:eE+TZ-]*$|^[-+]?\.(inf|nan)$", RegexOptions.IgnoreCase)]
    private static partial Regex Number();
}
