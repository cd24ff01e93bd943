using System.Buffers.Binary;

namespace Stoker.Streams.Log.Format;

/// <summary>
/// What stands before the records that were committed together; 80 bytes, little-endian:
/// <code>
///  0 u32 "SLB1" (a batch) or "SLG1" (a gap)     24 u32 records                      56 u64 running hash after it
///  4 u32 CRC-32C of bytes 8 to 80               28 u32 sectors that are all zeros   64 u64 the partition's tag
///  8 u32 CRC-32C of all after the header        32 i64 least time of a record       72 u64 where in the file it begins
/// 12 u32 bytes, without the padding             40 i64 greatest time of a record
/// 16 u64 offset of the first record             48 u64 running hash before it
/// </code>
/// then the records (<see cref="BatchRecords"/>), then padding up to the block's end. A gap stands where damage was taken out: its count is that of the records lost
/// (or more, where that is not known), its length that of the bytes taken out, and only its first block has meaning.
/// </summary>
/// <param name="ZeroSectors">How many a whole batch has: with more of them a part of it was never written.</param>
/// <param name="Tag">From the log's identity and the partition: what was copied from elsewhere is not taken for this log's.</param>
/// <param name="Position">A write that went astray is not taken for what belongs there.</param>
internal readonly record struct BatchHeader(
    bool IsGap,
    uint BodyChecksum,
    int Length,
    ulong FirstOffset,
    uint Count,
    int ZeroSectors,
    long LeastTime,
    long GreatestTime,
    RunningHash Before,
    RunningHash After,
    ulong Tag,
    long Position)
{
    public const int Size = 80;

    private const uint BatchMark = 0x31_42_4C_53, GapMark = 0x31_47_4C_53;
    private const int ChecksumAt = 4, Checked = 8;

    public ulong NextOffset => FirstOffset + Count;

    /// <summary>Bytes on the disk.</summary>
    public long Extent => IsGap ? Length : Blocks.Extent(Length);

    /// <summary>Bytes that the body's checksum is over, with the header.</summary>
    public int CheckedExtent => IsGap ? Blocks.Size : Blocks.Extent(Length);

    public void Write(Span<byte> target)
    {
        var fields = new FieldWriter(target);
        fields.UInt32(IsGap ? GapMark : BatchMark);
        fields.UInt32(0);
        fields.UInt32(BodyChecksum);
        fields.UInt32((uint)Length);
        fields.UInt64(FirstOffset);
        fields.UInt32(Count);
        fields.UInt32((uint)ZeroSectors);
        fields.Int64(LeastTime);
        fields.Int64(GreatestTime);
        fields.UInt64(Before.Value);
        fields.UInt64(After.Value);
        fields.UInt64(Tag);
        fields.Int64(Position);
        BinaryPrimitives.WriteUInt32LittleEndian(target[ChecksumAt..], Crc32C.Of(target[Checked..Size]));
    }

    /// <summary>False: these bytes are no header, or one with a mistake in it.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out BatchHeader header)
    {
        header = default;
        if (source.Length < Size) return false;
        var fields = new FieldReader(source);
        var mark = fields.UInt32();
        if (mark is not (BatchMark or GapMark) || fields.UInt32() != Crc32C.Of(source[Checked..Size])) return false;
        header = new BatchHeader(
            mark == GapMark, fields.UInt32(), (int)fields.UInt32(), fields.UInt64(), fields.UInt32(), (int)fields.UInt32(), fields.Int64(), fields.Int64(),
            new RunningHash(fields.UInt64()), new RunningHash(fields.UInt64()), fields.UInt64(), fields.Int64());
        return header.Length >= Size;
    }
}
