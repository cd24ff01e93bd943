using System.Text;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Archive;

/// <summary>The running hash of a log that has none of its own, as the archive counts it: over each event with its offset, from the first that is archived on. Pure.</summary>
internal static class CountedHash
{
    public static RunningHash Start(string log, int partition) => default(RunningHash).Add(Encoding.UTF8.GetBytes(log), partition, 0);

    /// <param name="came">See <see cref="RecordBatch.AsItCame"/>.</param>
    public static RunningHash Add(RunningHash before, in LogRecord record, ReadOnlyMemory<byte> came) => before.Add(came.Span, record.Time, record.Offset);

    /// <summary>Of one event alone.</summary>
    public static RunningHash Of(string log, int partition, in LogRecord record, ReadOnlyMemory<byte> came) => Add(Start(log, partition), record, came);
}
