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

    /// <summary>The first byte from there on that is no white space, or the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int SkipSpace(ReadOnlySpan<byte> text, int at) => (uint)at < (uint)text.Length && text[at] <= ' ' ? SkipSpaces(text, at) : at;

    /// <summary>The next quotation mark, backslash or control character, or the end. Most strings are short, so that one look at 16 bytes is all there is to do.</summary>
    public static int EndOfRun(ReadOnlySpan<byte> text, int at)
    {
        ref var first = ref MemoryMarshal.GetReference(text);
        for (; at + Vector128<byte>.Count <= text.Length; at += Vector128<byte>.Count)
        {
            var marks = Marks(ref first, at);
            if (marks != Vector128<byte>.Zero) return at + BitOperations.TrailingZeroCount(marks.ExtractMostSignificantBits());
        }

        while (at < text.Length && text[at] is not ((byte)'"' or (byte)'\\' or < 0x20)) at++;
        return at;
    }

    /// <summary>The quotation mark that closes a string, over its escapes; else where the string goes wrong, or the end. Long ones are gone over 64 bytes at a time.</summary>
    /// <param name="at">Behind the one that opens it.</param>
    public static int EndOfString(ReadOnlySpan<byte> text, int at, out bool isEscaped)
    {
        isEscaped = false;
        while (at + Block <= text.Length)
        {
            var (marks, next) = (MarksOfBlock(text, at), at + Block);
            for (; marks != 0; isEscaped = true)
            {
                var mark = BitOperations.TrailingZeroCount(marks);
                if (text[at + mark] != '\\' || LengthOfEscape(text, at + mark) is not (var length and > 0)) return at + mark;
                // What is escaped is no mark; of the longer escapes the digits are none anyway.
                marks &= ~(0b11UL << mark);
                next = Math.Max(next, at + mark + length);
            }

            at = next;
        }

        while ((at = EndOfRun(text, at)) < text.Length && text[at] == '\\' && LengthOfEscape(text, at) is var length and > 0) (at, isEscaped) = (at + length, true);
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
        var value = 0;
        for (var i = 0; i < 4; i++)
        {
            if (!char.IsAsciiHexDigit((char)digits[i])) return -1;
            value = (value << 4) | HexValue(digits[i]);
        }

        return value;
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    /// <summary>A bit for each of 64 bytes, the first lowest: whether it ends a run. Where the processor has no registers so wide the runtime makes it of smaller ones.</summary>
    private static ulong MarksOfBlock(ReadOnlySpan<byte> text, int at)
    {
        var bytes = Vector512.LoadUnsafe(ref MemoryMarshal.GetReference(text), (nuint)at);
        var marks = Vector512.Equals(bytes, Vector512.Create((byte)'"')) | Vector512.Equals(bytes, Vector512.Create((byte)'\\')) | Vector512.LessThan(bytes, Vector512.Create((byte)0x20));
        return marks.ExtractMostSignificantBits();
    }

    /// <summary>All bits of the bytes that are a quotation mark, a backslash or a control character.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Marks(ref byte first, int at)
    {
        var bytes = Vector128.LoadUnsafe(ref first, (nuint)at);
        return Vector128.Equals(bytes, Vector128.Create((byte)'"')) | Vector128.Equals(bytes, Vector128.Create((byte)'\\')) | Vector128.LessThan(bytes, Vector128.Create((byte)0x20));
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
