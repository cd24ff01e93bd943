using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

/// <summary>
/// A regular expression of a schema. ECMA-262 is what schemas are written in, with its Unicode flag; it is translated, because the
/// machine's own expressions mean other things by <c>\d</c>, <c>$</c> and <c>.</c>, and matched without backtracking, so that no
/// event can make it slow.
/// </summary>
internal sealed class SchemaPattern
{
    private readonly Regex _expression;

    private SchemaPattern(string written, Regex expression)
    {
        Written = written;
        _expression = expression;
    }

    public string Written { get; }

    /// <summary>Null with the reason where it cannot be taken.</summary>
    public static SchemaPattern? TryRead(string written, out string? reason)
    {
        var translation = new PatternTranslation(written);
        if (!translation.TryTranslate(out var expression, out reason)) return null;
        try
        {
            return new SchemaPattern(written, new Regex(expression, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));
        }
        catch (Exception wrong) when (wrong is ArgumentException or NotSupportedException)
        {
            reason = wrong is NotSupportedException ? "it cannot be matched in linear time" : "it is not a regular expression of ECMA-262";
            return null;
        }
    }

    /// <summary>Whether a string's content, as it stands in the text, has a match.</summary>
    public bool IsIn(ReadOnlySpan<byte> content, bool isEscaped)
    {
        var letters = ArrayPool<char>.Shared.Rent(content.Length);
        int count;
        if (isEscaped)
        {
            var bytes = ArrayPool<byte>.Shared.Rent(content.Length);
            count = Encoding.UTF8.GetChars(bytes.AsSpan(0, JsonText.Unescape(content, bytes)), letters);
            ArrayPool<byte>.Shared.Return(bytes);
        }
        else
        {
            count = Encoding.UTF8.GetChars(content, letters);
        }

        var isMatch = _expression.IsMatch(letters.AsSpan(0, count));
        ArrayPool<char>.Shared.Return(letters);
        return isMatch;
    }
}
