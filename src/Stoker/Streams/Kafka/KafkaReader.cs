using Confluent.Kafka;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Kafka;

/// <summary>
/// Reads a partition of a topic forwards. A thread fetches ahead, as far as memory is given; what it fetched is taken from another.
/// <code>
/// thread: Consume ─► queue (4 MiB or 2000 messages, then it waits) ─► Read: a batch │ End │ Deleted │ IOException
/// </code>
/// </summary>
internal sealed class KafkaReader : IEventReader
{
    private const int MostMessages = 2000, MostBytes = 4 << 20;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly KafkaPartition _partition;
    private readonly IConsumer<byte[], byte[]?> _consumer;
    private readonly MessageRecords _records;
    private readonly FetchQueue<ConsumeResult<byte[], byte[]?>> _fetched = new(MostMessages, MostBytes);
    private readonly Thread _thread;

    public KafkaReader(KafkaPartition partition, KafkaSettings settings, KafkaTalk talk, MessageRecords records, ulong from)
    {
        (_partition, _records, NextOffset) = (partition, records, from);
        _consumer = new ConsumerBuilder<byte[], byte[]?>(settings.Reader()).SetLogHandler((_, message) => talk.Hear(message)).SetErrorHandler((_, error) => talk.Hear(error)).Build();
        _consumer.Assign(new TopicPartitionOffset(partition.Place, (long)from));
        _thread = new Thread(Run) { IsBackground = true, Name = $"kafka partition {partition.Number}" };
        _thread.Start();
    }

    public ulong NextOffset { get; private set; }

    public ReadOutcome Read()
    {
        var fetched = _fetched.Take();
        if (fetched.Items is { } items)
        {
            var batch = new MessageBatch(_records, items);
            NextOffset = batch.NextOffset;
            return new ReadOutcome.Batch(batch);
        }

        if (fetched.Failure is { } failure) return Fail(failure);
        // Behind the last message there may be markers, which nobody reads.
        NextOffset = Math.Max(NextOffset, fetched.End);
        return ReadOutcome.End.Instance;
    }

    public Task WaitAsync(CancellationToken cancellation) => _fetched.WaitAsync(cancellation);

    public void Dispose()
    {
        _fetched.Close();
        _thread.Join();
        _consumer.Dispose();
        _fetched.Dispose();
    }

    /// <summary>A position that the broker does not have is one that retention has passed; everything else is no position.</summary>
    private ReadOutcome.Deleted Fail(string failure)
    {
        _partition.Refresh();
        if (NextOffset >= _partition.BeginOffset) throw new IOException($"the topic cannot be read: {failure}");
        var from = NextOffset;
        NextOffset = _partition.BeginOffset;
        _consumer.Assign(new TopicPartitionOffset(_partition.Place, (long)NextOffset));
        return new ReadOutcome.Deleted(from, NextOffset);
    }

    private void Run()
    {
        while (!_fetched.IsClosed)
        {
            try
            {
                if (_consumer.Consume(Look) is { } result) Take(result);
            }
            catch (KafkaException failed)
            {
                _fetched.PutFailure(failed.Error.Reason);
            }
        }
    }

    private void Take(ConsumeResult<byte[], byte[]?> result)
    {
        if (result.IsPartitionEOF)
        {
            _fetched.PutEnd((ulong)result.Offset.Value);
            return;
        }

        _partition.Advance((ulong)result.Offset.Value + 1);
        _fetched.Put(result, result.Message.Value?.Length ?? 0);
    }
}
