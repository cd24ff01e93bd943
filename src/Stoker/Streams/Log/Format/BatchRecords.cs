using System.Buffers.Binary;

namespace Stoker.Streams.Log.Format;

/// <summary>
/// The records of a batch, one after another: u32 length of the payload, i64 time, u64 key, payload. The fields have fixed sizes so that a record has the same bytes
/// whichever batch it comes into, and is laid out once, where it is handed over.
/// </summary>
internal static class BatchRecords
{
    /// <summary>Of a record beside its payload.</summary>
    public const int HeadSize = 20;

    public static int Write(Span<byte> target, ReadOnlySpan<byte> payload, long time, ulong key)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, payload.Length);
        BinaryPrimitives.WriteInt64LittleEndian(target[4..], time);
        BinaryPrimitives.WriteUInt64LittleEndian(target[12..], key);
        payload.CopyTo(target[HeadSize..]);
        return HeadSize + payload.Length;
    }

    /// <summary>False: the record does not fit in what is left.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out int length, out long time, out ulong key)
    {
        (length, time, key) = (0, 0, 0);
        if (source.Length < HeadSize) return false;
        length = BinaryPrimitives.ReadInt32LittleEndian(source);
        time = BinaryPrimitives.ReadInt64LittleEndian(source[4..]);
        key = BinaryPrimitives.ReadUInt64LittleEndian(source[12..]);
        return (uint)length <= (uint)(source.Length - HeadSize);
    }

    /// <summary>Null: these are not so many records, to the last byte.</summary>
    public static RunningHash? HashOf(ReadOnlySpan<byte> records, uint count, RunningHash before)
    {
        var hash = before;
        for (; count > 0; count--)
        {
            if (!TryRead(records, out var length, out var time, out var key)) return null;
            hash = hash.Add(records.Slice(HeadSize, length), time, key);
            records = records[(HeadSize + length)..];
        }

        return records.IsEmpty ? hash : null;
    }
}
