using System.Buffers.Binary;

namespace Stoker.Streams.Log.Format;

/// <summary>Writes fixed fields one after another, little-endian.</summary>
internal ref struct FieldWriter(Span<byte> target)
{
    private readonly Span<byte> _target = target;

    public int Length { get; private set; }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        value.CopyTo(_target[Length..]);
        Length += value.Length;
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_target[Length..], value);
        Length += 4;
    }

    public void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_target[Length..], value);
        Length += 8;
    }

    public void Int64(long value) => UInt64((ulong)value);
}

/// <summary>Reads what <see cref="FieldWriter"/> wrote.</summary>
internal ref struct FieldReader(ReadOnlySpan<byte> source)
{
    private readonly ReadOnlySpan<byte> _source = source;
    private int _at;

    public ReadOnlySpan<byte> Bytes(int count)
    {
        _at += count;
        return _source.Slice(_at - count, count);
    }

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8));

    public long Int64() => (long)UInt64();
}
