namespace Stoker.Logs;

/// <summary>The moments between two steps of the pump, at each of which a kill must lose nothing and double nothing.</summary>
internal enum PumpStep
{
    Taken,
    Announced,
    Written,
    Forgotten,
    Shifted,
    Rotated,
}

/// <summary>One batch that has just been stored: whole records, as they stand in the file.</summary>
internal delegate void BatchStored(LogStream stream, DateTimeOffset time, ReadOnlySpan<byte> records, int lines);

/// <summary>How a turn ended: the bytes that left the pipe, and the errno that stopped the rest (0: nothing did).</summary>
internal readonly record struct TurnOutcome(long Taken, int Error);

/// <summary>The pump thread's memory, shared by all replicas: what is read, what is written, and a cursor.</summary>
internal sealed class PumpBuffers
{
    /// <summary>The longest piece of a line that is held back for its newline.</summary>
    public const int RawLength = 256 << 10;

    public byte[] Raw { get; } = GC.AllocateUninitializedArray<byte>(2 * RawLength, pinned: true);

    public byte[] Text { get; } = GC.AllocateUninitializedArray<byte>(1 << 20, pinned: true);

    public byte[] Cursor { get; } = GC.AllocateArray<byte>(LogCursor.Size, pinned: true);

    public byte[] Header { get; } = new byte[CriFormat.HeaderLength];
}
