using System.Buffers.Binary;
using System.Globalization;
using Stoker.Platform;

namespace Stoker.Streams.Log.Format;

/// <summary>128 random bits that tell one log from every other.</summary>
internal readonly record struct LogId(ulong High, ulong Low)
{
    public static LogId New()
    {
        Span<byte> bits = stackalloc byte[16];
        SecureRandomness.Fill(bits);
        return new LogId(BinaryPrimitives.ReadUInt64LittleEndian(bits), BinaryPrimitives.ReadUInt64LittleEndian(bits[8..]));
    }

    /// <summary>What every batch of a partition carries.</summary>
    public ulong TagOf(int partition) => Start(partition).Value | 1;

    /// <summary>The running hash before the first record; different in every log and partition, so that equal hashes mean the same records of the same log.</summary>
    public RunningHash Start(int partition) => new RunningHash(High).Add([], partition, Low);

    public static bool TryParse(ReadOnlySpan<char> text, out LogId id)
    {
        var whole = UInt128.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value);
        id = new LogId((ulong)(value >> 64), (ulong)value);
        return whole && text.Length == 32;
    }

    public override string ToString() => $"{High:x16}{Low:x16}";
}
