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
    private readonly Lock _access = new();
    private readonly AutoResetEvent _room = new(false);
    private readonly Thread _thread;
    private List<ConsumeResult<byte[], byte[]?>> _fetched = [];
    private TaskCompletionSource? _more;
    private string? _failure;
    private ulong _end;
    private ulong _expected;
    private long _bytes;
    private volatile bool _stopping;

    public KafkaReader(KafkaPartition partition, KafkaSettings settings, KafkaTalk talk, MessageRecords records, ulong from)
    {
        (_partition, _records, NextOffset, _expected) = (partition, records, from, from);
        _consumer = new ConsumerBuilder<byte[], byte[]?>(settings.Reader()).SetLogHandler((_, message) => talk.Hear(message)).SetErrorHandler((_, error) => talk.Hear(error)).Build();
        _consumer.Assign(new TopicPartitionOffset(partition.Place, (long)from));
        _thread = new Thread(Run) { IsBackground = true, Name = $"kafka partition {partition.Number}" };
        _thread.Start();
    }

    public ulong NextOffset { get; private set; }

    public ReadOutcome Read()
    {
        List<ConsumeResult<byte[], byte[]?>> found;
        string? failure;
        ulong end;
        lock (_access)
        {
            (found, failure, end) = (_fetched, _failure, _end);
            if (found.Count > 0) (_fetched, _bytes) = ([], 0);
            else _failure = null;
        }

        _room.Set();
        if (found.Count > 0)
        {
            var batch = new MessageBatch(_records, found);
            NextOffset = batch.NextOffset;
            return new ReadOutcome.Batch(batch);
        }

        if (failure is not null) return Fail(failure);
        // Behind the last message there may be markers, which nobody reads.
        NextOffset = Math.Max(NextOffset, end);
        return ReadOutcome.End.Instance;
    }

    public Task WaitAsync(CancellationToken cancellation)
    {
        lock (_access)
        {
            if (_fetched.Count > 0 || _failure is not null) return Task.CompletedTask;
            _more ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _more.Task.WaitAsync(cancellation);
        }
    }

    public void Dispose()
    {
        _stopping = true;
        _room.Set();
        _thread.Join();
        _consumer.Dispose();
        _room.Dispose();
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
        while (!_stopping)
        {
            try
            {
                if (_consumer.Consume(Look) is { } result) Take(result);
            }
            catch (KafkaException failed)
            {
                lock (_access) _failure = failed.Error.Reason;
                Tell();
            }
        }
    }

    private void Take(ConsumeResult<byte[], byte[]?> result)
    {
        if (result.IsPartitionEOF)
        {
            lock (_access) _end = (ulong)result.Offset.Value;
            return;
        }

        // After a broker was away, or this process was frozen, the library may fetch once more what it has given already.
        if ((ulong)result.Offset.Value < _expected) return;
        _expected = (ulong)result.Offset.Value + 1;
        while (!_stopping && IsFull()) _room.WaitOne();
        lock (_access)
        {
            _fetched.Add(result);
            _bytes += result.Message.Value?.Length ?? 0;
        }

        _partition.Advance((ulong)result.Offset.Value + 1);
        Tell();
    }

    private bool IsFull()
    {
        lock (_access) return _fetched.Count >= MostMessages || _bytes >= MostBytes;
    }

    private void Tell()
    {
        TaskCompletionSource? more;
        lock (_access) (more, _more) = (_more, null);
        more?.SetResult();
    }
}
