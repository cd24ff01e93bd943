using System.Buffers.Binary;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log.Positions;

/// <summary>How far a consumer is in a partition.</summary>
/// <param name="Next">The first record it has not yet had.</param>
/// <param name="Hash">The running hash of all before.</param>
/// <param name="Epoch">Counted up by who takes the consumer's place, so that a former one is told from it.</param>
/// <param name="Required">Records that it has not had are not deleted by retention.</param>
internal sealed record Position(ulong Next, RunningHash Hash, ulong Epoch = 0, bool Required = false);

/// <summary>One of the two slots of a position's file: a block of which only the first sector is used, so that it is written whole or not at all.</summary>
internal static class PositionSlot
{
    public const int Size = Blocks.Size;

    private static ReadOnlySpan<byte> Mark => "SLPOS001"u8;

    public static byte[] ToBytes(Position position, ulong sequence, ulong tag)
    {
        var block = new byte[Size];
        var fields = new FieldWriter(block);
        fields.Bytes(Mark);
        fields.UInt64(tag);
        fields.UInt64(sequence);
        fields.UInt64(position.Next);
        fields.UInt64(position.Hash.Value);
        fields.UInt64(position.Epoch);
        fields.UInt64(position.Required ? 1UL : 0);
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(fields.Length), Crc32C.Of(block.AsSpan(0, fields.Length)));
        return block;
    }

    /// <summary>Null: it is not a whole slot of this partition.</summary>
    public static (Position Position, ulong Sequence)? TryRead(ReadOnlySpan<byte> block, ulong tag)
    {
        if (block.Length < Size || !block.StartsWith(Mark)) return null;
        var fields = new FieldReader(block);
        fields.Bytes(Mark.Length);
        var (owner, sequence) = (fields.UInt64(), fields.UInt64());
        var position = new Position(fields.UInt64(), new RunningHash(fields.UInt64()), fields.UInt64(), fields.UInt64() == 1);
        var written = ToBytes(position, sequence, tag);
        // To the last bit of the block, also where nothing is kept.
        return owner == tag && block[..Size].SequenceEqual(written) ? (position, sequence) : null;
    }
}
