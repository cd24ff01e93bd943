using System.Buffers.Binary;

namespace Stoker.Streams.Log.Format;

/// <summary>
/// A hash over every record of a partition from its first on, in order: two that agree on it after offset N have the same records 1 to N. Against accidents, not
/// against forgers: 64 bits, two multiplications a record and one for each 16 bytes.
/// </summary>
internal readonly record struct RunningHash(ulong Value)
{
    private const ulong First = 0x9E37_79B9_7F4A_7C15, Second = 0xD1B5_4A32_D192_ED03, Third = 0x8CB9_2BA7_2F3D_8DD7;

    public RunningHash Add(ReadOnlySpan<byte> payload, long time, ulong key)
    {
        var head = Fold((ulong)time ^ First, key ^ Second);
        return new RunningHash(Fold(Value ^ Digest(payload, head), Third));
    }

    /// <summary>After records that are not known, which cannot be the same as after none.</summary>
    public RunningHash AddGap(ulong count) => new(Fold(Value ^ count, Second ^ Third));

    public override string ToString() => Value.ToString("x16");

    private static ulong Digest(ReadOnlySpan<byte> bytes, ulong seed)
    {
        var sum = seed ^ (ulong)bytes.Length;
        // Two at a time: each multiplication waits for the one before it of its own.
        var other = Second;
        for (; bytes.Length >= 32; bytes = bytes[32..])
        {
            sum = Fold(BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ First, BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) ^ sum);
            other = Fold(BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]) ^ Third, BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]) ^ other);
        }

        sum ^= other;
        if (bytes.Length >= 16)
        {
            sum = Fold(BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ First, BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) ^ sum);
            bytes = bytes[16..];
        }

        Span<byte> rest = stackalloc byte[16];
        rest.Clear();
        bytes.CopyTo(rest);
        return Fold(BinaryPrimitives.ReadUInt64LittleEndian(rest) ^ Second, BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]) ^ sum);
    }

    private static ulong Fold(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return high ^ low;
    }
}
