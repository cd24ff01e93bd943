using System.Buffers;
using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

internal static class TextChecks
{
    public static bool Fits(SchemaCheck check, SchemaTextRules rules, int token)
    {
        var content = check.Tape.Content(token);
        var isEscaped = check.Tape.IsEscaped(token);
        var fits = true;

        // Code points are at most as many as bytes, and at least one where there is a byte.
        if (rules.MinLength > 1 || content.IsEmpty || content.Length > rules.MaxLength)
        {
            var length = isEscaped ? LengthOfEscaped(content) : LengthOf(content);
            if (length < rules.MinLength) fits = check.Fail(token, MistakeCodes.TooShort, Shown(check, "the text is too short: {0}", length), Shown(check, "at least {0}", rules.MinLength), token);
            if (length > rules.MaxLength) fits = check.Fail(token, MistakeCodes.TooLong, Shown(check, "the text is too long: {0}", length), Shown(check, "at most {0}", rules.MaxLength), token);
        }

        if (rules.Pattern is { } pattern && !pattern.IsIn(content, isEscaped)) fits = check.Fail(token, MistakeCodes.Pattern, "the text does not have the pattern", pattern.Written, token);
        if (rules.Format is { } format && !IsOf(format, content, isEscaped)) fits = check.Fail(token, MistakeCodes.Format, $"the text does not have the format", format.Meaning, token);
        return fits;
    }

    private static bool IsOf(SchemaFormat format, ReadOnlySpan<byte> content, bool isEscaped)
    {
        if (!isEscaped) return format.Check(content);
        var room = ArrayPool<byte>.Shared.Rent(content.Length);
        var fits = format.Check(room.AsSpan(0, JsonText.Unescape(content, room)));
        ArrayPool<byte>.Shared.Return(room);
        return fits;
    }

    /// <summary>Code points: bytes that do not continue one.</summary>
    private static int LengthOf(ReadOnlySpan<byte> text)
    {
        var count = 0;
        foreach (var unit in text)
        {
            if ((unit & 0xc0) != 0x80) count++;
        }

        return count;
    }

    private static int LengthOfEscaped(ReadOnlySpan<byte> content)
    {
        var room = ArrayPool<byte>.Shared.Rent(content.Length);
        var length = LengthOf(room.AsSpan(0, JsonText.Unescape(content, room)));
        ArrayPool<byte>.Shared.Return(room);
        return length;
    }

    private static string Shown(SchemaCheck check, string form, int value) => check.IsQuiet ? "" : string.Format(form, value);
}
