using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Stoker.Json;

/// <summary>
/// JSON's grammar (RFC 8259) over bytes where they lie, for what reads bodies too large and too many to be read twice: its words are here, one at a time, and <see cref="JsonCursor"/> goes
/// over whole values.
/// <code>
/// bytes, a place → the place behind, or where it goes wrong
/// </code>
/// Promises: strings are passed over sixteen bytes at a time, also those full of escapes, as every prompt of several lines is; nothing is allocated; nothing is thrown.
/// Refuses: comments, trailing commas. Whether the bytes are UTF-8 is for the caller to ask, once for all of them.
/// </summary>
internal static class JsonGrammar
{
    /// <summary>Bytes that are looked at together in long strings.</summary>
    private const int Block = 64;

    private const ulong OddBits = 0xAAAA_AAAA_AAAA_AAAA;

    private static readonly int[] HexValues = MakeHexValues();

    /// <summary>The first byte from there on that is no white space, or the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int SkipSpace(ReadOnlySpan<byte> text, int at) => (uint)at < (uint)text.Length && text[at] <= ' ' ? SkipSpaces(text, at) : at;

    /// <summary>The next quotation mark, backslash or control character, or the end.</summary>
    public static int EndOfRun(ReadOnlySpan<byte> text, int at)
    {
        var seen = Vector128<byte>.Zero;
        return EndOfRun(text, at, ref seen);
    }

    /// <summary>The quotation mark that closes a string, over its escapes; else where the string goes wrong, or the end. Long ones are gone over 64 bytes at a time.</summary>
    /// <param name="at">Behind the one that opens it.</param>
    public static int EndOfString(ReadOnlySpan<byte> text, int at, out StringTraits traits)
    {
        traits = StringTraits.None;
        // Not as a vector: that would be put down and taken up again for each block.
        var (others, isInEscape) = (0UL, 0UL);
        while (at + Block <= text.Length)
        {
            var bytes = Vector512.LoadUnsafe(ref MemoryMarshal.GetReference(text), (nuint)at);
            others |= bytes.ExtractMostSignificantBits();
            var (quotes, backslashes, controls) = (Where(bytes, '"'), Where(bytes, '\\'), WhereBelow(bytes, ' '));
            if ((quotes | backslashes | controls | isInEscape) == 0)
            {
                at += Block;
                continue;
            }

            var escaped = Escaped(backslashes, ref isInEscape);
            var seldom = escaped & ~(quotes | backslashes | Where(bytes, 'n'));
            if (seldom != 0) seldom &= ~(Where(bytes, 't') | Where(bytes, 'r') | Where(bytes, '/'));
            var marks = ((quotes | controls) & ~escaped) | seldom;
            var next = marks == 0 ? at + Block : Behind(text, at, marks, escaped);
            if (next < 0)
            {
                if ((backslashes & ((1UL << (~next - at)) - 1)) != 0) traits |= StringTraits.Escaped;
                if (others != 0) traits |= StringTraits.BeyondAscii;
                return ~next;
            }

            (at, traits) = (next, StringTraits.Escaped);
        }

        // Its backslash was the last byte of the block.
        if (isInEscape != 0) at--;
        var last = Vector128<byte>.Zero;
        while ((at = EndOfRun(text, at, ref last)) < text.Length && text[at] == '\\' && LengthOfEscape(text, at) is var length and > 0) (at, traits) = (at + length, StringTraits.Escaped);
        if ((others | last.ExtractMostSignificantBits()) != 0) traits |= StringTraits.BeyondAscii;
        return at;
    }

    /// <param name="at">Of a backslash.</param>
    /// <returns>2 or 6; 0: the text ends with the backslash; -1: that is no escape, or not a whole one.</returns>
    public static int LengthOfEscape(ReadOnlySpan<byte> text, int at)
    {
        if (at + 1 >= text.Length) return 0;
        if (text[at + 1] == 'u') return Hex4(text[(at + 2)..]) >= 0 ? 6 : -1;
        return text[at + 1] is (byte)'n' or (byte)'"' or (byte)'\\' or (byte)'t' or (byte)'/' or (byte)'r' or (byte)'b' or (byte)'f' ? 2 : -1;
    }

    /// <param name="at">In: its first byte, a minus or a digit. Out: behind it, or where it ends being a number.</param>
    /// <returns>False: it is none, as 01, 1.2.3 and 1x are none.</returns>
    public static bool SkipNumber(ReadOnlySpan<byte> text, ref int at)
    {
        if (text[at] == '-') at++;
        if (at < text.Length && text[at] == '0') at++;
        else if (!SkipDigits(text, ref at)) return false;
        if (at < text.Length && text[at] == '.')
        {
            at++;
            if (!SkipDigits(text, ref at)) return false;
        }

        if (at < text.Length && (text[at] | 0x20) == 'e')
        {
            at++;
            if (at < text.Length && text[at] is (byte)'+' or (byte)'-') at++;
            if (!SkipDigits(text, ref at)) return false;
        }

        return at >= text.Length || !(char.IsAsciiLetterOrDigit((char)text[at]) || text[at] is (byte)'.' or (byte)'+' or (byte)'-');
    }

    /// <summary>The value of four hexadecimal digits, or -1.</summary>
    public static int Hex4(ReadOnlySpan<byte> digits)
    {
        if (digits.Length < 4) return -1;
        var values = HexValues;
        var value = (values[digits[0]] << 12) | (values[digits[1]] << 8) | (values[digits[2]] << 4) | values[digits[3]];
        // Of what is no digit all bits are set.
        return value < 0 ? -1 : value;
    }

    private static int[] MakeHexValues()
    {
        var values = new int[256];
        values.AsSpan().Fill(-1);
        for (var i = 0; i < 16; i++) values["0123456789abcdef"[i]] = values["0123456789ABCDEF"[i]] = i;
        return values;
    }

    /// <summary>Behind a block of a string in which something is marked, or the complement of where the string ends or goes wrong.</summary>
    private static int Behind(ReadOnlySpan<byte> text, int at, ulong marks, ulong escaped)
    {
        var next = at + Block;
        for (; marks != 0; marks &= marks - 1)
        {
            var mark = BitOperations.TrailingZeroCount(marks);
            if (((escaped >> mark) & 1) == 0) return ~(at + mark);
            // Of an escape that is seldom. Its digits are no marks.
            var length = LengthOfEscape(text, at + mark - 1);
            if (length <= 0) return ~(at + mark - 1);
            next = Math.Max(next, at + mark - 1 + length);
        }

        return next;
    }

    /// <summary>
    /// What stands behind a backslash that escapes it. Of backslashes in a row every other one does. The first escapes the second, so that a row ends with an escaping one when it begins
    /// and ends at places that are both even or both odd; subtracting carries through each row, which tells that of all of them at once.
    /// </summary>
    /// <param name="isInEscape">1: the first byte is escaped, by the last one of the block before. Out: the same for the block behind this one.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Escaped(ulong backslashes, ref ulong isInEscape)
    {
        var behind = (backslashes << 1) | isInEscape;
        if ((backslashes & behind) == 0)
        {
            // None stands beside another, as nearly always.
            isInEscape = backslashes >> 63;
            return behind;
        }

        var rows = backslashes & ~isInEscape;
        var turns = (((rows << 1) | OddBits) - rows) ^ OddBits;
        var escaped = turns ^ (backslashes | isInEscape);
        isInEscape = (turns & backslashes) >> 63;
        return escaped;
    }

    /// <summary>A bit for each byte that is the one, the first lowest. Where the processor has no registers so wide the runtime makes it of smaller ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Where(Vector512<byte> bytes, char one) => Vector512.Equals(bytes, Vector512.Create((byte)one)).ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong WhereBelow(Vector512<byte> bytes, char limit) => Vector512.LessThan(bytes, Vector512.Create((byte)limit)).ExtractMostSignificantBits();

    /// <param name="seen">Gets all bits of the bytes that were looked at. Most strings are short, so that one look at 16 bytes is all there is to do.</param>
    private static int EndOfRun(ReadOnlySpan<byte> text, int at, ref Vector128<byte> seen)
    {
        ref var first = ref MemoryMarshal.GetReference(text);
        for (; at + Vector128<byte>.Count <= text.Length; at += Vector128<byte>.Count)
        {
            var bytes = Vector128.LoadUnsafe(ref first, (nuint)at);
            seen |= bytes;
            var marks = Vector128.Equals(bytes, Vector128.Create((byte)'"')) | Vector128.Equals(bytes, Vector128.Create((byte)'\\')) | Vector128.LessThan(bytes, Vector128.Create((byte)0x20));
            if (marks != Vector128<byte>.Zero) return at + BitOperations.TrailingZeroCount(marks.ExtractMostSignificantBits());
        }

        for (; at < text.Length && text[at] is not ((byte)'"' or (byte)'\\' or < 0x20); at++) seen |= Vector128.CreateScalar(text[at]);
        return at;
    }

    private static int SkipSpaces(ReadOnlySpan<byte> text, int at)
    {
        while ((uint)at < (uint)text.Length && text[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') at++;
        return at;
    }

    private static bool SkipDigits(ReadOnlySpan<byte> text, ref int at)
    {
        var start = at;
        while ((uint)at < (uint)text.Length && (uint)(text[at] - '0') <= 9) at++;
        return at > start;
    }
}
