using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Log;

/// <summary>A log of events as the rest of a stream has it: the embedded one, or a topic of Kafka. Disposing it commits what waits, and closes.</summary>
internal interface IEventLog : IDisposable
{
    /// <summary>Tells it from every other log; stores keep their positions under it.</summary>
    string Name { get; }

    IReadOnlyList<IEventPartition> Partitions { get; }

    /// <summary>What it means that an append is durable, for whoever sent the event.</summary>
    string Acknowledged { get; }

    /// <summary>What is to be known of where it is kept; null: nothing.</summary>
    string? Words { get; }

    /// <summary>What it counts beyond what every partition's status tells.</summary>
    IReadOnlyList<LogMetric> Metrics();
}

/// <summary>One order of events.</summary>
internal interface IEventPartition
{
    /// <summary>The log's <see cref="IEventLog.Name"/>.</summary>
    string LogName { get; }

    int Number { get; }

    /// <summary>The first event there is, if there is one.</summary>
    ulong BeginOffset { get; }

    /// <summary>Of the event that comes next, as far as is known here.</summary>
    ulong NextOffset { get; }

    PartitionStatus Status();

    /// <summary>Takes a request's records, which are copied; from any thread, without waiting. The inbox is told when they are durable, or will not be.</summary>
    AppendAnswer Append(RecordBuffer records, AppendInbox inbox, object? state);

    /// <summary>Reads from an event on.</summary>
    IEventReader Read(ulong from);

    /// <summary>The event at an offset and some behind it, or what is there instead; may wait a few seconds for it.</summary>
    /// <exception cref="IOException"/>
    ReadOutcome Find(ulong offset);

    /// <summary>Completes when events of the partition are this process's to take further.</summary>
    /// <param name="consumer">Who takes them; each has them once.</param>
    Task<PartitionHold> HoldAsync(string consumer, CancellationToken cancellation);

    /// <summary>Why a store that is at this position cannot go on from it; null: it can.</summary>
    /// <param name="hash">What <see cref="RecordBatch.Hash"/> said before that event; 0: not known.</param>
    /// <exception cref="IOException"/>
    string? Contradicts(ulong next, ulong hash);

    /// <summary>How far the store was when <see cref="Keep"/> was told last, also by a former process; null: not known.</summary>
    ulong? Kept { get; }

    /// <summary>The store has had the events before this one: they may be forgotten, and tools may show it.</summary>
    /// <param name="hash">Null: as it was.</param>
    void Keep(ulong next, ulong? hash);
}

/// <summary>Reads a partition forwards. One thread at a time.</summary>
internal interface IEventReader : IDisposable
{
    /// <summary>Of the event that comes next.</summary>
    ulong NextOffset { get; }

    /// <summary>What is next; without waiting for it.</summary>
    /// <exception cref="IOException">The log cannot be read just now.</exception>
    ReadOutcome Read();

    /// <summary>Completes when <see cref="Read"/> has something.</summary>
    Task WaitAsync(CancellationToken cancellation);
}

/// <summary>The right to store or to archive a partition's events. Disposed of when nothing of it is being done any more.</summary>
/// <param name="wanted">Another process is to have it: what is under way is ended, and nothing new begun.</param>
internal sealed class PartitionHold(CancellationToken wanted, Action? release = null) : IDisposable
{
    private Action? _release = release;

    public CancellationToken Wanted => wanted;

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}

/// <param name="Labels">As in <c>broker="1"</c>; may be empty.</param>
internal sealed record LogMetric(string Name, string Kind, string Help, string Labels, double Value);
