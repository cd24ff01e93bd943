using System.Buffers;
using System.Text;
using Stoker.Streams.Events;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Reading;

namespace Stoker.Tests.Streams.Archive;

/// <summary>A partition of a topic in memory, which several processes may hold one after the other; fetched are up to three events at once.</summary>
internal sealed class FakeTopic : IEventPartition, IPartitionView, IDisposable
{
    private const int Fetched = 3;

    private readonly Lock _access = new();
    private readonly SortedDictionary<ulong, LogRecord> _records = [];
    private readonly SemaphoreSlim _right = new(1);
    private CancellationTokenSource _wanted = new();
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ulong _next, _readTo;
    private int _given;

    public string LogName => "kafka:cluster/topic.1";

    public int Number => 0;

    public int Partition => 0;

    public ulong BeginOffset { get; private set; }

    public ulong NextOffset
    {
        get
        {
            lock (_access) return _next;
        }
    }

    public ulong? Kept => null;

    public RunningHash? Hash => null;

    public long Bytes => 0;

    /// <summary>The event after the last one that a reader was given.</summary>
    public ulong ReadTo
    {
        get
        {
            lock (_access) return _readTo;
        }
    }

    /// <summary>A reader is given nothing before <see cref="Give"/>, as one is that has only begun to fetch.</summary>
    public bool IsSlow { get; set; }

    public LogView View => new(LogName, [this], []) { IsRemote = true };

    public void Add(string id, DateTimeOffset time, RecordFault? fault = null)
    {
        var said = new EventEnvelope
        {
            Form = EventForm.CloudEvent, Source = Encoding.UTF8.GetBytes("s"), Id = Encoding.UTF8.GetBytes(id), Type = Encoding.UTF8.GetBytes("t"),
            ContentType = Encoding.UTF8.GetBytes("application/json"), Data = "{}"u8.ToArray(), HasData = true, Received = time.UtcDateTime,
        };
        var frame = new ArrayBufferWriter<byte>();
        EnvelopeFrame.Write(said, frame);
        lock (_access)
        {
            _records[_next] = new LogRecord(_next, LogModule.MicrosecondsOf(time), 0, fault is null ? frame.WrittenSpan.ToArray() : "{}"u8.ToArray()) { Fault = fault };
            _next++;
        }

        Give();
    }

    /// <summary>All readers that there are have fetched what there is.</summary>
    public void Give()
    {
        TaskCompletionSource more;
        lock (_access)
        {
            _given++;
            (more, _more) = (_more, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        more.SetResult();
    }

    /// <summary>Offsets that no event has.</summary>
    public void Skip(ulong count)
    {
        lock (_access) _next += count;
    }

    public void Delete(ulong below)
    {
        lock (_access)
        {
            foreach (var offset in _records.Keys.Where(offset => offset < below).ToList()) _records.Remove(offset);
            BeginOffset = below;
        }
    }

    /// <summary>The partition is to be another process's.</summary>
    public Task TakeAwayAsync()
    {
        var (wanted, _) = (_wanted, _wanted = new CancellationTokenSource());
        return wanted.CancelAsync();
    }

    public async Task<PartitionHold> HoldAsync(string consumer, CancellationToken cancellation)
    {
        await _right.WaitAsync(cancellation);
        return new PartitionHold(_wanted.Token, () => _right.Release());
    }

    public void Dispose()
    {
        _right.Dispose();
        _wanted.Dispose();
    }

    /// <summary>As if the one that holds it had not been heard of for too long.</summary>
    public void Lose() => _right.Release();

    public IEventReader Read(ulong from) => new Reader(this, from);

    public ReadOutcome Find(ulong offset)
    {
        using var reader = Read(offset);
        return reader.Read();
    }

    public string? Contradicts(ulong next, ulong hash) => next > NextOffset ? "ahead" : null;

    public PartitionStatus Status() => throw new NotSupportedException();

    public AppendAnswer Append(RecordBuffer records, AppendInbox inbox, object? state) => throw new NotSupportedException();

    public void Keep(ulong next, ulong? hash)
    {
    }

    IEnumerable<ReadOutcome> IPartitionView.Read(ulong from)
    {
        using var reader = Read(from);
        while (reader.Read() is var outcome and not ReadOutcome.End) yield return outcome;
    }

    public ulong OffsetAt(long time) => throw new NotSupportedException();

    /// <summary>Of the last event, which is nothing that an archive could be held to.</summary>
    public RunningHash? HashBefore(ulong offset) => new RunningHash(offset);

    private sealed class Reader(FakeTopic topic, ulong from) : IEventReader
    {
        private readonly int _given = topic._given;

        public ulong NextOffset { get; private set; } = from;

        private bool IsFetching => topic.IsSlow && topic._given == _given;

        public ReadOutcome Read()
        {
            lock (topic._access)
            {
                if (NextOffset < topic.BeginOffset)
                {
                    var deleted = new ReadOutcome.Deleted(NextOffset, topic.BeginOffset);
                    NextOffset = topic.BeginOffset;
                    return deleted;
                }

                if (IsFetching) return ReadOutcome.End.Instance;
                var found = topic._records.Values.Where(record => record.Offset >= NextOffset).Take(Fetched).ToList();
                if (found.Count == 0) return ReadOutcome.End.Instance;
                NextOffset = topic._readTo = found[^1].Offset + 1;
                return new ReadOutcome.Batch(new Batch(found));
            }
        }

        public Task WaitAsync(CancellationToken cancellation)
        {
            lock (topic._access) return !IsFetching && topic._records.Keys.Any(offset => offset >= NextOffset) ? Task.CompletedTask : topic._more.Task.WaitAsync(cancellation);
        }

        public void Dispose()
        {
        }
    }

    private sealed class Batch(List<LogRecord> records) : RecordBatch
    {
        private int _at;

        public override ulong FirstOffset => records[0].Offset;

        public override ulong NextOffset => records[^1].Offset + 1;

        public override RunningHash Hash => new(records[^1].Offset);

        public override long GreatestTime => records.Max(record => record.Time);

        public override void Dispose()
        {
        }

        protected internal override void Rewind() => _at = 0;

        protected internal override bool TryNext(out LogRecord record)
        {
            record = _at < records.Count ? records[_at] : default;
            return _at++ < records.Count;
        }
    }
}
