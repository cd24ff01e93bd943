namespace Stoker.Streams.Json;

/// <summary>
/// A number of JSON exactly as written, however many digits: 1, 1.0 and 10e-1 are the same. Digits without zeros at either end, times ten
/// to the power of the exponent. No digits: zero.
/// </summary>
internal readonly ref struct JsonNumber
{
    public const int MaxUnitDigits = 18;

    /// <summary>Exponents beyond are as good as infinite; it keeps sums of them within a long.</summary>
    private const long FarExponent = 1_000_000_000_000;

    private JsonNumber(bool isNegative, ReadOnlySpan<byte> digits, long exponent)
    {
        IsNegative = isNegative;
        Digits = digits;
        Exponent = exponent;
    }

    public bool IsNegative { get; }

    public ReadOnlySpan<byte> Digits { get; }

    public long Exponent { get; }

    public bool IsWhole => Digits.IsEmpty || Exponent >= 0;

    /// <summary>Reads a token's text; <paramref name="room"/> holds as many bytes as it has.</summary>
    public static JsonNumber Read(ReadOnlySpan<byte> text, Span<byte> room)
    {
        var isNegative = text[0] == '-';
        var count = 0;
        long exponent = 0;
        var isFraction = false;
        for (var i = isNegative ? 1 : 0; i < text.Length; i++)
        {
            if (text[i] == '.') isFraction = true;
            else if ((text[i] | 0x20) == 'e')
            {
                exponent += ReadExponent(text[(i + 1)..]);
                break;
            }
            else
            {
                if (isFraction) exponent--;
                if (count > 0 || text[i] != '0') room[count++] = text[i];
            }
        }

        while (count > 0 && room[count - 1] == '0')
        {
            count--;
            exponent++;
        }

        return new JsonNumber(isNegative && count > 0, room[..count], count == 0 ? 0 : exponent);
    }

    public int CompareTo(JsonNumber other)
    {
        var (mine, theirs) = (Sign, other.Sign);
        if (mine != theirs || mine == 0) return mine.CompareTo(theirs);
        var size = (Digits.Length + Exponent).CompareTo(other.Digits.Length + other.Exponent);
        if (size == 0) size = Digits.SequenceCompareTo(other.Digits);
        return mine * size;
    }

    /// <summary>The unit has at most <see cref="MaxUnitDigits"/> digits and is not zero.</summary>
    public bool IsMultipleOf(JsonNumber unit)
    {
        if (Digits.IsEmpty) return true;

        // A unit with more zeros at its end divides nothing that ends in another digit.
        var shift = Exponent - unit.Exponent;
        if (shift < 0) return false;
        ulong divisor = 0, rest = 0;
        foreach (var digit in unit.Digits) divisor = divisor * 10 + (ulong)(digit - '0');
        foreach (var digit in Digits) rest = (rest * 10 + (ulong)(digit - '0')) % divisor;
        return (UInt128)rest * PowerOfTen(shift, divisor) % divisor == 0;
    }

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(IsNegative);
        hash.Add(Exponent);
        hash.AddBytes(Digits);
        return hash.ToHashCode();
    }

    private static ulong PowerOfTen(long power, ulong divisor)
    {
        UInt128 result = 1, factor = 10 % divisor;
        for (; power > 0; power >>= 1, factor = factor * factor % divisor)
        {
            if ((power & 1) == 1) result = result * factor % divisor;
        }

        return (ulong)(result % divisor);
    }

    private int Sign => Digits.IsEmpty ? 0 : IsNegative ? -1 : 1;

    private static long ReadExponent(ReadOnlySpan<byte> text)
    {
        var isNegative = text[0] == '-';
        if (text[0] is (byte)'-' or (byte)'+') text = text[1..];
        long value = 0;
        foreach (var digit in text) value = Math.Min(FarExponent, value * 10 + digit - '0');
        return isNegative ? -value : value;
    }
}
