using Confluent.Kafka;
using Stoker.Streams.Events;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Kafka;

/// <summary>
/// Hands a stream's events to the topic, each partition's in their order (idempotent, <c>acks=all</c>), and tells the inbox of a request when the brokers have all of
/// them. Appends come from any thread; answers from the library's.
/// </summary>
internal sealed class KafkaProducer : IDisposable
{
    /// <summary>Bytes that may wait for brokers, all partitions together; more is refused.</summary>
    private const long MostWaiting = 32 << 20;

    private static readonly TimeSpan FlushTime = TimeSpan.FromSeconds(2);

    private readonly IProducer<byte[], byte[]?> _producer;
    private readonly string _topic;
    private readonly Action<int, ulong> _delivered;
    private long _waiting;
    private volatile string? _fatal;

    /// <param name="delivered">A partition has events up to this one, not included.</param>
    public KafkaProducer(KafkaSettings settings, KafkaTalk talk, KafkaStatistics statistics, Action<int, ulong> delivered)
    {
        (_topic, _delivered) = (settings.Address.Topic, delivered);
        _producer = new ProducerBuilder<byte[], byte[]?>(settings.Producer())
            .SetLogHandler((_, message) => talk.Hear(message))
            .SetErrorHandler((_, error) =>
            {
                if (error.IsFatal) _fatal ??= error.Reason;
                else talk.Hear(error);
            })
            .SetStatisticsHandler((_, json) => statistics.Take(json))
            .Build();
    }

    public IClient Client => _producer;

    /// <summary>Why nothing can be sent any more, until there is another producer; null: it can.</summary>
    public string? Fatal => _fatal;

    public int WaitingBytes => (int)Interlocked.Read(ref _waiting);

    public AppendAnswer Append(int partition, RecordBuffer records, AppendInbox inbox, object? state)
    {
        var bytes = records.Bytes.Length;
        if (_fatal is not null) return AppendAnswer.Failed;
        if (Interlocked.Add(ref _waiting, bytes) > MostWaiting)
        {
            Interlocked.Add(ref _waiting, -bytes);
            return AppendAnswer.Busy;
        }

        var pending = new PendingAppend(partition, inbox, state, records.Count, () => Interlocked.Add(ref _waiting, -bytes));
        var rest = records.Memory;
        var said = new EventEnvelope();
        for (var i = 0u; i < records.Count; i++)
        {
            if (!BatchRecords.TryRead(rest.Span, out var length, out var time, out _)) throw new InvalidDataException("a record is not whole");
            if (EnvelopeFrame.TryRead(rest.Slice(BatchRecords.HeadSize, length), said) != FrameFault.None) throw new InvalidDataException("a record is no event");
            rest = rest[(BatchRecords.HeadSize + length)..];
            Send(partition, EventMessages.Of(said, time), pending, i);
        }

        return AppendAnswer.Taken;
    }

    public void Dispose()
    {
        // Whoever waits for an answer has been waited for before.
        _producer.Flush(FlushTime);
        _producer.Dispose();
    }

    private void Send(int partition, Message<byte[], byte[]?> message, PendingAppend pending, uint index)
    {
        try
        {
            _producer.Produce(new TopicPartition(_topic, partition), message, report =>
            {
                // Sent again after an answer was lost, it is there, and the broker does not say where: whoever sends it once more gets a receipt of that one.
                var isKnown = report.Offset.Value >= 0;
                if (isKnown && !report.Error.IsError) _delivered(partition, (ulong)report.Offset.Value + 1);
                pending.Tell(index, isKnown || report.Error.IsError ? OutcomeOf(report.Error) : AppendOutcome.Unavailable, isKnown ? (ulong)report.Offset.Value : 0);
            });
        }
        catch (KafkaException refused)
        {
            pending.Tell(index, OutcomeOf(refused.Error), 0);
        }
    }

    private static AppendOutcome OutcomeOf(Error error) => error.Code switch
    {
        ErrorCode.NoError => AppendOutcome.Durable,
        ErrorCode.MsgSizeTooLarge or ErrorCode.RecordListTooLarge or ErrorCode.InvalidMsgSize => AppendOutcome.TooLarge,
        _ when error.IsFatal => AppendOutcome.Failed,
        _ => AppendOutcome.Unavailable,
    };
}
