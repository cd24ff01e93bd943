using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Stoker.Streams.Log.Format;

/// <summary>
/// What ends a segment that is full: what must be in it, and where. It begins at a block behind the last batch and ends the file:
/// "SLSEAL01", u32 CRC-32C of all after this field, u32 bytes, fields, the index, padding, and in the last 16 bytes u64 where it begins and "SLEND001".
/// </summary>
/// <param name="Hash">The running hash after the last record.</param>
/// <param name="Index">Places about every <see cref="IndexEvery"/> bytes, in order.</param>
internal sealed record SegmentSeal(
    ulong Tag, ulong FirstOffset, ulong NextOffset, ulong Batches, long LeastTime, long GreatestTime, RunningHash Before, RunningHash Hash, IReadOnlyList<SegmentMark> Index)
{
    public const int TrailerSize = 16, IndexEvery = 64 * 1024;

    private const int HeadSize = 96, ChecksumAt = 8, Checked = 12;
    private static readonly int EntrySize = Marshal.SizeOf<SegmentMark>();

    private static ReadOnlySpan<byte> Mark => "SLSEAL01"u8;

    private static ReadOnlySpan<byte> EndMark => "SLEND001"u8;

    /// <summary>Room that the seal of a segment with such a capacity needs at most.</summary>
    public static int RoomFor(long capacity) => ExtentOf((int)(capacity / IndexEvery) + 1);

    public byte[] ToBytes(long position)
    {
        var bytes = new byte[ExtentOf(Index.Count)];
        bytes.AsSpan().Fill(Blocks.Padding);
        var fields = new FieldWriter(bytes);
        fields.Bytes(Mark);
        fields.UInt32(0);
        fields.UInt32((uint)(HeadSize + (Index.Count * EntrySize)));
        fields.UInt64(Tag);
        fields.Int64(position);
        fields.UInt64(FirstOffset);
        fields.UInt64(NextOffset);
        fields.UInt64(Batches);
        fields.Int64(LeastTime);
        fields.Int64(GreatestTime);
        fields.UInt64(Before.Value);
        fields.UInt64(Hash.Value);
        fields.UInt64((ulong)Index.Count);
        foreach (var mark in Index)
        {
            fields.UInt64(mark.Offset);
            fields.Int64(mark.Position);
            fields.Int64(mark.GreatestTimeBefore);
        }

        var trailer = new FieldWriter(bytes.AsSpan(^TrailerSize..));
        trailer.Int64(position);
        trailer.Bytes(EndMark);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumAt), Crc32C.Of(bytes.AsSpan(Checked)));
        return bytes;
    }

    /// <summary>Where the seal begins that these last bytes of a file belong to; below 0: to none.</summary>
    public static long PositionFrom(ReadOnlySpan<byte> trailer) =>
        trailer.Length == TrailerSize && trailer[8..].SequenceEqual(EndMark) ? BinaryPrimitives.ReadInt64LittleEndian(trailer) : -1;

    /// <summary>Bytes on the disk of the seal that begins here, as far as that can be told; 0: none begins here.</summary>
    public static int ExtentFrom(ReadOnlySpan<byte> source)
    {
        if (source.Length < HeadSize || !source.StartsWith(Mark)) return 0;
        var length = BinaryPrimitives.ReadInt32LittleEndian(source[Checked..]);
        return length is >= HeadSize and < 1 << 28 ? (length + TrailerSize + Blocks.Size - 1) & ~(Blocks.Size - 1) : 0;
    }

    public static SegmentSeal? TryRead(ReadOnlySpan<byte> source, ulong tag, long position)
    {
        var extent = ExtentFrom(source);
        if (extent == 0 || source.Length < extent || BinaryPrimitives.ReadUInt32LittleEndian(source[ChecksumAt..]) != Crc32C.Of(source[Checked..extent])) return null;
        var fields = new FieldReader(source);
        fields.Bytes(Checked + 4);
        if (fields.UInt64() != tag || fields.Int64() != position) return null;
        var (first, next, batches, least, greatest) = (fields.UInt64(), fields.UInt64(), fields.UInt64(), fields.Int64(), fields.Int64());
        var (before, hash, count) = (new RunningHash(fields.UInt64()), new RunningHash(fields.UInt64()), fields.UInt64());
        if (count > (ulong)(extent / EntrySize)) return null;
        var index = new SegmentMark[count];
        foreach (ref var mark in index.AsSpan()) mark = new SegmentMark(fields.UInt64(), fields.Int64(), fields.Int64());
        return new SegmentSeal(tag, first, next, batches, least, greatest, before, hash, index);
    }

    private static int ExtentOf(int marks) => (HeadSize + (marks * EntrySize) + TrailerSize + Blocks.Size - 1) & ~(Blocks.Size - 1);
}

/// <summary>A batch within a segment.</summary>
/// <param name="GreatestTimeBefore">Of all records before it in the segment.</param>
internal readonly record struct SegmentMark(ulong Offset, long Position, long GreatestTimeBefore);
