using Stoker.Streams.Ingest;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Kafka;

/// <summary>A topic looked at from outside of the stream's process: belongs to no group, writes nothing.</summary>
internal sealed class KafkaView(KafkaPartition partition, KafkaTopic topic) : IPartitionView
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public int Partition => partition.Number;

    public ulong BeginOffset { get; } = partition.BeginOffset;

    public ulong NextOffset { get; } = partition.NextOffset;

    public RunningHash? Hash => null;

    public long Bytes => 0;

    /// <exception cref="IOException">The library or the topic is not there, or nobody answers.</exception>
    public static LogView Open(KafkaSettings settings, IngestSpec ingest, TimeProvider clock, Action<string> say)
    {
        KafkaLibrary.Need();
        TlsTrial.Run(settings.Address);
        var topic = new KafkaTopic(settings, ingest, new KafkaTalk(say, clock));
        try
        {
            var facts = TopicFacts.Read(topic.Client, settings.Address, topic.Talk);
            topic.Identify();
            var partitions = Enumerable.Range(0, facts.Partitions).Select(number => new KafkaPartition(topic, null, null, number)).ToList();
            foreach (var partition in partitions) partition.Refresh();
            return new LogView(topic.Name, [.. partitions.Select(partition => new KafkaView(partition, topic))], [], topic) { IsRemote = true };
        }
        catch
        {
            topic.Dispose();
            throw;
        }
    }

    public IEnumerable<ReadOutcome> Read(ulong from)
    {
        if (from >= NextOffset) yield break;
        using var reader = partition.Read(from);
        while (reader.NextOffset < NextOffset)
        {
            var outcome = reader.Read();
            if (outcome is not ReadOutcome.End) yield return outcome;
            else if (reader.NextOffset < NextOffset) Wait(reader.WaitAsync(default));
        }
    }

    public ulong OffsetAt(long time)
    {
        if (topic.OffsetAt(partition.Place, time) is { } offset) return Math.Clamp(offset, BeginOffset, NextOffset);
        // All are older, or the broker cannot search by time: the last one tells which.
        if (NextOffset == BeginOffset || partition.Find(NextOffset - 1) is not ReadOutcome.Batch { Value: var last } || last.GreatestTime < time) return NextOffset;
        foreach (var outcome in Read(BeginOffset))
        {
            if (outcome is not ReadOutcome.Batch { Value: var batch }) continue;
            foreach (var record in batch)
            {
                if (record.Time >= time) return record.Offset;
            }
        }

        return NextOffset;
    }

    public RunningHash? HashBefore(ulong offset) => partition.HashBefore(offset) is { } hash ? new RunningHash(hash) : null;

    private static void Wait(Task more)
    {
        if (!more.Wait(Patience)) throw new IOException($"the topic cannot be read: nothing came for {Patience.TotalSeconds} s");
    }
}
