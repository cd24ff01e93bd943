using System.Buffers;
using System.Threading.Tasks.Sources;
using Stoker.Streams.Events;
using Stoker.Streams.Ingest;
using Stoker.Streams.Log;

namespace Stoker.Streams.Serving;

/// <summary>
/// One request's way into the log: what was read of it, where its events go, and the wait until the disk has them. Used again for one request after the
/// other; on its loop's thread.
/// </summary>
internal sealed class Posting : IValueTaskSource<PostOutcome>
{
    private readonly IReadOnlyList<IEventPartition> _partitions;
    private readonly AppendInbox _inbox;
    private readonly RecordBuffer[] _records;
    private readonly AppendResult[] _answers;
    private readonly ArrayBufferWriter<byte> _frame = new(1024);
    private readonly List<(int Partition, uint Index)> _places = [];
    private readonly string _log;
    private EventReceipt[] _receipts = [];
    private ManualResetValueTaskSourceCore<PostOutcome> _told;
    private PostOutcome _worst;
    private int _left;

    public Posting(IngestSpec spec, EventTypes types, IEventLog log, AppendInbox inbox)
    {
        (_partitions, _inbox, _log) = (log.Partitions, inbox, log.Name);
        _records = [.. log.Partitions.Select(_ => new RecordBuffer())];
        _answers = new AppendResult[_records.Length];
        Reader = new IngestReader(spec, types);
    }

    public IngestReader Reader { get; }

    /// <summary>The answer's body.</summary>
    public ArrayBufferWriter<byte> Body { get; } = new(512);

    /// <summary>One for each event that was taken, in their order.</summary>
    public ReadOnlySpan<EventReceipt> Receipts => _receipts.AsSpan(0, _places.Count);

    /// <summary>Hands the events that are to be taken to the log; completes, on the loop's thread, when the disk has them or it is known why not.</summary>
    /// <param name="time">Microseconds of UTC.</param>
    public ValueTask<PostOutcome> AppendAsync(IngestResult result, long time)
    {
        _told.Reset();
        _places.Clear();
        (_worst, _left) = (PostOutcome.Durable, 1);
        for (var i = 0; i < result.Count; i++)
        {
            if (result.Takes(result[i])) Add(result[i].Event, time);
        }

        for (var i = 0; i < _records.Length; i++)
        {
            if (_records[i].Count > 0) Append(i);
        }

        // The hold that kept it from completing while the rest was handed over.
        Settle(PostOutcome.Durable);
        return new ValueTask<PostOutcome>(this, _told.Version);
    }

    /// <summary>The log's answer for one of the partitions.</summary>
    public void Told(in AppendResult answer)
    {
        _answers[answer.Partition] = answer;
        Settle(answer.Outcome switch
        {
            AppendOutcome.Durable => PostOutcome.Durable,
            AppendOutcome.DiskFull => PostOutcome.DiskFull,
            AppendOutcome.TooLarge => PostOutcome.TooLarge,
            AppendOutcome.Unavailable => PostOutcome.Unavailable,
            AppendOutcome.Failed => PostOutcome.Failed,
        });
    }

    PostOutcome IValueTaskSource<PostOutcome>.GetResult(short token) => _told.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<PostOutcome>.GetStatus(short token) => _told.GetStatus(token);

    void IValueTaskSource<PostOutcome>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _told.OnCompleted(continuation, state, token, flags);

    private void Add(EventEnvelope said, long time)
    {
        // Events of one source stay in their order.
        var partition = _records.Length == 1 ? 0 : (int)(EventIdentity.Hash(said.Source.Span, default) % (ulong)_records.Length);
        _frame.ResetWrittenCount();
        EnvelopeFrame.Write(said, _frame);
        _places.Add((partition, _records[partition].Count));
        _records[partition].Add(_frame.WrittenSpan, time, EventIdentity.Hash(said.Source.Span, said.Id.Span));
    }

    private void Append(int partition)
    {
        _left++;
        var answer = _partitions[partition].Append(_records[partition], _inbox, this);
        _records[partition].Clear();
        if (answer == AppendAnswer.Taken) return;
        Settle(answer switch
        {
            AppendAnswer.Busy => PostOutcome.Busy,
            AppendAnswer.DiskFull => PostOutcome.DiskFull,
            AppendAnswer.TooLarge => PostOutcome.TooLarge,
            AppendAnswer.Failed or AppendAnswer.Closed or AppendAnswer.Taken => PostOutcome.Failed,
        });
    }

    private void Settle(PostOutcome outcome)
    {
        if (outcome > _worst) _worst = outcome;
        if (--_left > 0) return;
        if (_worst == PostOutcome.Durable) MakeReceipts();
        _told.SetResult(_worst);
    }

    private void MakeReceipts()
    {
        if (_receipts.Length < _places.Count) _receipts = new EventReceipt[Math.Max(_places.Count, _receipts.Length * 2)];
        for (var i = 0; i < _places.Count; i++)
        {
            var (partition, index) = _places[i];
            _receipts[i] = new EventReceipt(_log, partition, (long)_answers[partition].OffsetOf(index));
        }
    }
}

/// <summary>What became of a request's events; of several the worst counts, and what is in the log all the same is the same event when it is sent again.</summary>
internal enum PostOutcome
{
    Durable,

    /// <summary>Too much waits for the disk.</summary>
    Busy,

    /// <summary>More than is committed at once.</summary>
    TooLarge,
    DiskFull,

    /// <summary>The log's server does not take it just now, or did not say whether it did.</summary>
    Unavailable,
    Failed,
}
