using System.Buffers.Binary;
using System.Numerics;

namespace Stoker.Logs;

/// <summary>
/// What the pump is about to write: the bytes from <see cref="From"/> of a stream's spool, stamped with <see cref="Time"/>, become the
/// log's bytes from <see cref="Start"/> to <see cref="End"/>. Stored before the log is written, so that the batch can be
/// finished, byte for byte the same, by whoever comes after a kill. One per replica; positions count from the stream's first byte ever.
/// </summary>
internal readonly record struct LogCursor(
    ulong LogInode,
    long Start,
    long End,
    LogStream Stream,
    byte TailTag,
    long From,
    long OutputPosition,
    long ErrorPosition,
    DateTimeOffset Time)
{
    public const int Size = 80;

    private const uint Magic = 0x3143_4C53; // "SLC1"

    /// <summary>Where the batch ends in its spool.</summary>
    public long To => Position(Stream);

    /// <summary>What of a stream is in the log once the batch is.</summary>
    public long Position(LogStream stream) => stream == LogStream.Output ? OutputPosition : ErrorPosition;

    public void Write(Span<byte> target)
    {
        target = target[..Size];
        target.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(target, Magic);
        target[4] = (byte)Stream;
        target[5] = TailTag;
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], LogInode);
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], Start);
        BinaryPrimitives.WriteInt64LittleEndian(target[24..], End);
        BinaryPrimitives.WriteInt64LittleEndian(target[32..], From);
        BinaryPrimitives.WriteInt64LittleEndian(target[40..], OutputPosition);
        BinaryPrimitives.WriteInt64LittleEndian(target[48..], ErrorPosition);
        BinaryPrimitives.WriteInt64LittleEndian(target[56..], Time.UtcTicks);
        BinaryPrimitives.WriteUInt32LittleEndian(target[^4..], Checksum(target[..^4]));
    }

    /// <summary>Null for anything but a whole, sound cursor: an empty file, or one that a power failure tore.</summary>
    public static LogCursor? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Size
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[(Size - 4)..]) != Checksum(bytes[..(Size - 4)]))
        {
            return null;
        }

        return new LogCursor(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
            (LogStream)bytes[4],
            bytes[5],
            BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[48..]),
            new DateTimeOffset(BinaryPrimitives.ReadInt64LittleEndian(bytes[56..]), TimeSpan.Zero));
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = uint.MaxValue;
        foreach (byte value in bytes)
        {
            sum = BitOperations.Crc32C(sum, value);
        }

        return ~sum;
    }
}

/// <summary>How to go on with a log that an earlier pump left behind.</summary>
internal abstract record LogRecovery
{
    /// <summary>The batch is in the log: go on after it. <paramref name="Whole"/>: the log ends exactly where it should.</summary>
    internal sealed record Complete(bool Whole) : LogRecovery;

    /// <summary>The batch is not in the log, or only its beginning: cut the log to <paramref name="Start"/> and write it again.</summary>
    internal sealed record Rewrite(long Start) : LogRecovery;

    /// <summary>A log that may keep a single file was about to be emptied: empty it.</summary>
    internal sealed record Empty : LogRecovery;

    /// <summary>There is no sound cursor: a new log, or one after a power failure. All that the spools hold is written (again).</summary>
    internal sealed record StartOver : LogRecovery;

    /// <summary>The decision. <paramref name="spoolBase"/>: the first position that the batch's spool still has.</summary>
    public static LogRecovery Decide(LogCursor? found, ulong logInode, long logLength, long spoolBase)
    {
        if (found is not { } cursor)
        {
            return new StartOver();
        }

        // Rotation comes only between batches. So another file at the log's path means that the batch was complete.
        if (cursor.LogInode != logInode)
        {
            return new Complete(Whole: false);
        }

        if (cursor.End == 0)
        {
            return logLength == 0 ? new Complete(Whole: true) : new Empty();
        }

        if (logLength >= cursor.End)
        {
            return new Complete(logLength == cursor.End);
        }

        // A spool is shortened only when the batch before was complete. So here somebody else cut the log, or the power failed.
        return cursor.From < spoolBase || cursor.Start > logLength ? new Complete(Whole: false) : new Rewrite(cursor.Start);
    }
}
