using Confluent.Kafka;
using Stoker.Streams.Ingest;
using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Kafka;

/// <summary>The topic as it is asked about, one question at a time: who it is, where its partitions end, what stands at an offset. From any thread.</summary>
internal sealed class KafkaTopic : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5), AskPatience = TimeSpan.FromSeconds(2);

    private readonly IConsumer<byte[], byte[]?> _consumer;
    private readonly IngestSpec _ingest;
    private readonly EventTypes _types;
    private readonly Lock _access = new();
    private volatile string? _silence;

    public KafkaTopic(KafkaSettings settings, IngestSpec ingest, KafkaTalk talk)
    {
        (Settings, Talk, _ingest, _types) = (settings, talk, ingest, new EventTypes(ingest));
        _consumer = new ConsumerBuilder<byte[], byte[]?>(settings.Reader()).SetLogHandler((_, message) => talk.Hear(message)).SetErrorHandler((_, error) =>
        {
            if (error.Code == ErrorCode.Local_AllBrokersDown) _silence = talk.Refusal ?? error.Reason;
            talk.Hear(error);
        }).Build();
    }

    public KafkaSettings Settings { get; }

    public KafkaTalk Talk { get; }

    public IClient Client => _consumer;

    /// <summary>The log's name: a topic of the same name on another cluster is another log.</summary>
    public string Name { get; private set; } = "";

    /// <summary>Why no broker answers; null: one does.</summary>
    public string? Silence => _silence;

    /// <exception cref="IOException"/>
    public void Identify()
    {
        var cluster = KafkaLibrary.ClusterOf(_consumer, Patience) ?? throw new IOException($"the brokers {Settings.Address.Brokers} do not say which cluster they are");
        Name = $"kafka:{cluster}/{Settings.Address.Topic}";
    }

    public MessageRecords NewRecords() => new(_ingest, _types);

    /// <summary>Where a partition begins and ends. Where all brokers are away, it may come back only when one is there again.</summary>
    /// <exception cref="KafkaException"/>
    public WatermarkOffsets Ask(TopicPartition place)
    {
        var ends = _consumer.QueryWatermarkOffsets(place, AskPatience);
        _silence = null;
        Talk.Answered();
        return ends;
    }

    /// <exception cref="IOException"/>
    public ReadOutcome Find(KafkaPartition partition, ulong offset)
    {
        lock (_access)
        {
            try
            {
                _consumer.Assign(new TopicPartitionOffset(partition.Place, (long)offset));
                if (_consumer.Consume(Patience) is not { } found) throw new IOException("the topic cannot be read: no broker answers");
                return found.IsPartitionEOF ? ReadOutcome.End.Instance : new ReadOutcome.Batch(new MessageBatch(NewRecords(), [found]));
            }
            catch (KafkaException failed)
            {
                partition.Refresh();
                if (offset < partition.BeginOffset) return new ReadOutcome.Deleted(offset, partition.BeginOffset);
                throw new IOException($"the topic cannot be read: {failed.Error.Reason}", failed);
            }
            finally
            {
                _consumer.Unassign();
            }
        }
    }

    /// <summary>The first event that is not older than a time; null: the broker does not know, or all are older.</summary>
    /// <param name="time">Microseconds of UTC.</param>
    public ulong? OffsetAt(TopicPartition place, long time)
    {
        try
        {
            var found = _consumer.OffsetsForTimes([new TopicPartitionTimestamp(place, new Timestamp(time / 1000, TimestampType.CreateTime))], Patience)[0];
            return found.Offset.Value >= 0 ? (ulong)found.Offset.Value : null;
        }
        catch (KafkaException silent)
        {
            throw new IOException($"the brokers do not answer: {silent.Error.Reason}", silent);
        }
    }

    public void Dispose() => _consumer.Dispose();
}
