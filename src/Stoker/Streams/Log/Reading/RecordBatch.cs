using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log.Reading;

/// <summary>Records that were read together: to be disposed of, after which they must not be used. One enumeration at a time.</summary>
internal abstract class RecordBatch : IDisposable
{
    public abstract ulong FirstOffset { get; }

    /// <summary>The first offset behind them. In between some may be missing.</summary>
    public abstract ulong NextOffset { get; }

    /// <summary>Of the log up to <see cref="NextOffset"/>, to be held to what a store has kept: the embedded log's running hash, or of Kafka the last record's.</summary>
    public abstract RunningHash Hash { get; }

    public abstract long GreatestTime { get; }

    public RecordEnumerator GetEnumerator()
    {
        Rewind();
        return new RecordEnumerator(this);
    }

    public abstract void Dispose();

    /// <summary>The bytes of the record that was enumerated last, whatever the stream takes for right now: the same from the same log at any time.</summary>
    public virtual ReadOnlyMemory<byte> AsItCame(in LogRecord record) => record.Payload;

    protected internal abstract void Rewind();

    protected internal abstract bool TryNext(out LogRecord record);
}

internal struct RecordEnumerator(RecordBatch batch)
{
    private LogRecord _current;

    public readonly LogRecord Current => _current;

    public bool MoveNext() => batch.TryNext(out _current);
}

/// <param name="Time">Microseconds of UTC since 1970, as it was given.</param>
/// <param name="Payload">Until its batch is disposed of.</param>
internal readonly record struct LogRecord(ulong Offset, long Time, ulong Key, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Why it is no event at all, in a log that others write too; then the payload shows what was there instead.</summary>
    public RecordFault? Fault { get; init; }
}

/// <param name="Cause">A code that stays, by which dead letters are grouped.</param>
/// <param name="Path">The place that is wrong; empty: the whole.</param>
internal sealed record RecordFault(string Cause, string Path, string Message);
