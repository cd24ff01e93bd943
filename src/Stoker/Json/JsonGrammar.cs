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
    /// <summary>The first byte from there on that is no white space, or the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int SkipSpace(ReadOnlySpan<byte> text, int at) => (uint)at < (uint)text.Length && text[at] <= ' ' ? SkipSpaces(text, at) : at;

    /// <summary>The next quotation mark, backslash or control character, or the end. Most strings are short, so that one look at 16 bytes is all there is to do.</summary>
    public static int EndOfRun(ReadOnlySpan<byte> text, int at)
    {
        ref var first = ref MemoryMarshal.GetReference(text);
        for (; at + Vector128<byte>.Count <= text.Length; at += Vector128<byte>.Count)
        {
            var bytes = Vector128.LoadUnsafe(ref first, (nuint)at);
            var ends = Vector128.Equals(bytes, Vector128.Create((byte)'"')) | Vector128.Equals(bytes, Vector128.Create((byte)'\\')) | Vector128.LessThan(bytes, Vector128.Create((byte)0x20));
            if (ends != Vector128<byte>.Zero) return at + BitOperations.TrailingZeroCount(ends.ExtractMostSignificantBits());
        }

        while (at < text.Length && text[at] is not ((byte)'"' or (byte)'\\' or < 0x20)) at++;
        return at;
    }

    /// <param name="at">Of a backslash.</param>
    /// <returns>2 or 6; 0: the text ends before it is clear; -1: that is no escape.</returns>
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
