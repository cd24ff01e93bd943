using System.Text;

namespace Stoker.Gateway.Routing;

/// <summary>
/// Hashes and chance that are the same in every process, so that a decision can be made again from its log. For spreading, never for secrets.
/// </summary>
internal static class Mixing
{
    private const ulong Golden = 0x9E37_79B9_7F4A_7C15;

    /// <summary>splitmix64's finalizer (Steele, Lea, Flood 2014): each bit of the input changes half of the output's.</summary>
    public static ulong Mix(ulong value)
    {
        value ^= value >> 30;
        value *= 0xBF58_476D_1CE4_E5B9;
        value ^= value >> 27;
        value *= 0x94D0_49BB_1331_11EB;
        return value ^ (value >> 31);
    }

    public static ulong Combine(ulong first, ulong second) => Mix(first + Golden + Mix(second + Golden));

    /// <summary>Of the UTF-8 bytes; never 0, which means none.</summary>
    public static ulong Hash(string text)
    {
        Span<byte> bytes = stackalloc byte[512];
        return Encoding.UTF8.TryGetBytes(text, bytes, out var written) ? Hash(bytes[..written]) : Hash(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>Eight bytes a step; never 0, which means none.</summary>
    public static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        var hash = (ulong)bytes.Length + Golden;
        for (; bytes.Length >= 8; bytes = bytes[8..])
            hash = Mix(hash ^ System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        ulong rest = 0;
        for (var i = 0; i < bytes.Length; i++) rest |= (ulong)bytes[i] << (8 * i);
        hash = Mix(hash ^ rest);
        return hash == 0 ? 1 : hash;
    }

    /// <summary>The n-th number that a seed gives, at least 0 and less than 1.</summary>
    public static double Fraction(ulong seed, int n) => ToFraction(Mix(seed + Golden * (ulong)(n + 1)));

    public static double ToFraction(ulong bits) => (bits >> 11) * (1.0 / (1UL << 53));

    /// <summary>
    /// The n-th point of a Weyl sequence, at least 0 and less than 1. Of any n points in a row, a share s lies below s to within a few: unlike
    /// with dice the error does not grow with the square root.
    /// </summary>
    public static double Spread(long n) => ToFraction((ulong)n * Golden);
}
