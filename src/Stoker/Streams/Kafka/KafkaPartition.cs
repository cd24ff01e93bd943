using Confluent.Kafka;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Kafka;

/// <summary>One partition of the topic, as the rest of the stream has it.</summary>
internal sealed class KafkaPartition(KafkaTopic topic, KafkaProducer? producer, KafkaGroup? group, int number) : IEventPartition
{
    private long _begin;
    private long _next;
    private long _kept = -1;
    private volatile string? _problem;

    public string LogName => topic.Name;

    public int Number => number;

    public TopicPartition Place { get; } = new(topic.Settings.Address.Topic, number);

    public ulong BeginOffset => (ulong)Interlocked.Read(ref _begin);

    public ulong NextOffset => (ulong)Interlocked.Read(ref _next);

    /// <summary>What the group shows is for tools; nobody has to wait for it.</summary>
    public ulong? Kept => Interlocked.Read(ref _kept) is >= 0 and var kept ? (ulong)kept : null;

    public PartitionStatus Status()
    {
        var fatal = producer?.Fatal;
        var silence = _problem ?? (topic.Silence is { } words ? $"the brokers do not answer: {words}" : null);
        var state = fatal is not null ? PartitionState.Failed
            : silence is not null ? PartitionState.Unavailable
            : group?.Has(number) == false ? PartitionState.Elsewhere
            : PartitionState.Writable;
        return new PartitionStatus(number, state, fatal ?? silence ?? "", BeginOffset, NextOffset, null, 0, 0, producer?.WaitingBytes ?? 0, 0);
    }

    public AppendAnswer Append(RecordBuffer records, AppendInbox inbox, object? state) => producer?.Append(number, records, inbox, state) ?? AppendAnswer.Closed;

    public IEventReader Read(ulong from) => new KafkaReader(this, topic.Settings, topic.Talk, topic.NewRecords(), from);

    public ReadOutcome Find(ulong offset) => topic.Find(this, offset);

    public Task<PartitionHold> HoldAsync(string consumer, CancellationToken cancellation) =>
        group?.HoldAsync(number, consumer, cancellation) ?? throw new InvalidOperationException("who only looks stores nothing");

    public string? Contradicts(ulong next, ulong hash)
    {
        var end = Refresh();
        if (next > end) return $"the store has had the events before {next} of this topic, which has only those before {end}: it is not the topic that it was";
        if (next <= BeginOffset || hash == 0 || HashBefore(next) is not { } found || found == hash) return null;
        return $"event {next - 1} of the topic is not the one that the store has had: the topic was made anew, or its records were lost and written again";
    }

    /// <summary>Of the event before this one; null: it is not there any more.</summary>
    /// <exception cref="IOException"/>
    public ulong? HashBefore(ulong next)
    {
        if (next <= BeginOffset || Find(next - 1) is not ReadOutcome.Batch { Value: var batch }) return null;
        using (batch) return batch.FirstOffset == next - 1 ? batch.Hash.Value : null;
    }

    public void Keep(ulong next, ulong? hash)
    {
        Interlocked.Exchange(ref _kept, (long)next);
        group?.Commit(number, next);
    }

    /// <summary>There are events up to this one, not included.</summary>
    public void Advance(ulong next)
    {
        for (var known = Interlocked.Read(ref _next); known < (long)next; known = Interlocked.Read(ref _next))
        {
            if (Interlocked.CompareExchange(ref _next, (long)next, known) == known) return;
        }
    }

    /// <summary>Asks the broker where the partition begins and ends.</summary>
    /// <returns>The end. What is known here may be later for a moment, and stays later where a topic was made anew.</returns>
    /// <exception cref="IOException">It does not say.</exception>
    public ulong Refresh()
    {
        try
        {
            var ends = topic.Ask(Place);
            Interlocked.Exchange(ref _begin, ends.Low.Value);
            Advance((ulong)ends.High.Value);
            _problem = null;
            return (ulong)ends.High.Value;
        }
        catch (KafkaException silent)
        {
            _problem = $"the brokers do not answer: {silent.Error.Reason}";
            throw new IOException(_problem, silent);
        }
    }
}
