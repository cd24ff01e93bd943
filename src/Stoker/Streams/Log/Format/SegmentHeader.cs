using System.Buffers.Binary;

namespace Stoker.Streams.Log.Format;

/// <summary>The first block of a segment: whose it is and where in the partition it begins; "SLSEG001", fields, padding, CRC-32C of all before.</summary>
/// <param name="Capacity">Length of the file until it is sealed.</param>
/// <param name="Before">The running hash of everything before the segment.</param>
internal readonly record struct SegmentHeader(LogId Log, int Partition, long Capacity, ulong FirstOffset, RunningHash Before)
{
    public const int Size = Blocks.Size;

    private const int ChecksumAt = Size - 4;

    public static ReadOnlySpan<byte> Mark => "SLSEG001"u8;

    public ulong Tag => Log.TagOf(Partition);

    public byte[] ToBytes()
    {
        var block = new byte[Size];
        block.AsSpan().Fill(Blocks.Padding);
        var fields = new FieldWriter(block);
        fields.Bytes(Mark);
        fields.UInt64(Log.High);
        fields.UInt64(Log.Low);
        fields.UInt64((ulong)Partition);
        fields.Int64(Capacity);
        fields.UInt64(FirstOffset);
        fields.UInt64(Before.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(ChecksumAt), Crc32C.Of(block.AsSpan(0, ChecksumAt)));
        return block;
    }

    public static bool TryRead(ReadOnlySpan<byte> block, out SegmentHeader header)
    {
        header = default;
        if (block.Length < Size || BinaryPrimitives.ReadUInt32LittleEndian(block[ChecksumAt..]) != Crc32C.Of(block[..ChecksumAt])) return false;
        var fields = new FieldReader(block);
        if (!fields.Bytes(Mark.Length).SequenceEqual(Mark)) return false;
        header = new SegmentHeader(
            new LogId(fields.UInt64(), fields.UInt64()), (int)fields.UInt64(), fields.Int64(), fields.UInt64(), new RunningHash(fields.UInt64()));
        return true;
    }
}
