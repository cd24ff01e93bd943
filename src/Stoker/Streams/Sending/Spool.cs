using System.Text;
using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Events;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Positions;
using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Sending;

/// <summary>Documents that wait for their stream, in the embedded log. One process at a time has it open; one thread at a time.</summary>
internal sealed class Spool : IDisposable
{
    public const string LogName = "log", RefusedName = "refused.ndjson";

    private const string Consumer = "stream";

    /// <summary>Small: what is delivered is deleted file by file, and one file stays.</summary>
    private static readonly LogOptions Options = new(SegmentBytes: 8 << 20, MostWaiting: 8 << 20, ReserveBytes: 1 << 20) { TestsDrive = false };

    private readonly string _directory;
    private readonly StreamLog _log;
    private readonly Partition _partition;
    private readonly PositionFile _position;
    private readonly SemaphoreSlim _answered = new(0);
    private readonly AppendInbox _inbox;
    private readonly RecordBuffer _records = new();
    private readonly Action<string> _say;
    private LogReader _reader;
    private RecordBatch? _ahead;

    private Spool(string directory, StreamLog log, Action<string> say)
    {
        (_directory, _log, _say) = (directory, log, say);
        _partition = log.Partitions[0];
        _position = _partition.Position(Consumer);
        _inbox = new AppendInbox(() => _answered.Release());
        _reader = _partition.Read(_position.Current.Next);
    }

    /// <summary>Documents that the stream does not have yet.</summary>
    public long Waiting => (long)(_partition.End.NextOffset - _position.Current.Next);

    /// <param name="make">False: only one that is there.</param>
    /// <param name="say">Told what was taken out of it because it was damaged.</param>
    public static SpoolOpening Open(string directory, bool make, IDisk disk, TimeProvider clock, Action<string> say)
    {
        try
        {
            if (make) DiskCalls.Check(disk.CreateDirectory(directory), "make", directory);
            switch (StreamLog.Open(Path.Combine(directory, LogName), Options, disk, clock, make))
            {
                case LogOpening.Opened opened:
                    return new SpoolOpening.Opened(new Spool(directory, opened.Log, say), [.. opened.Torn.Select(torn => torn.ToString()), .. opened.Notes]);
                case LogOpening.Locked locked:
                    return new SpoolOpening.Busy(locked.Holder);
                case LogOpening.Refused refused:
                    return new SpoolOpening.Damaged(string.Join("; ", refused.Damages));
                case LogOpening.Failed failed:
                    return new SpoolOpening.Failed(failed.Words);
                default:
                    return new SpoolOpening.NotThere();
            }
        }
        catch (IOException broken)
        {
            return new SpoolOpening.Failed(broken.Message);
        }
    }

    /// <summary>When somebody changed it last; null: it is not there. Without the lock.</summary>
    public static DateTimeOffset? ChangedAt(string directory) =>
        Files.List(Path.Combine(directory, LogName, "0")).Select(Files.ModifiedAtIfPresent).Max();

    /// <summary>Keeps documents, all or none; they are on the disk when it is done. They have been stamped.</summary>
    public async Task<SpoolOutcome> KeepAsync(IReadOnlyList<SendItem> items, DateTimeOffset time)
    {
        _records.Clear();
        foreach (var item in items) _records.Add(SpoolFrame.Write(item), LogModule.MicrosecondsOf(time), EventIdentity.Hash(default, item.Bytes.Span));
        var answer = _partition.Append(_records, _inbox, null);
        if (answer != AppendAnswer.Taken) return answer switch
        {
            AppendAnswer.DiskFull => SpoolOutcome.DiskFull,
            AppendAnswer.TooLarge => SpoolOutcome.TooLarge,
            AppendAnswer.Busy or AppendAnswer.Failed or AppendAnswer.Closed or AppendAnswer.Taken => SpoolOutcome.Failed,
        };
        await _answered.WaitAsync();
        return _inbox.Take([])[0].Outcome switch
        {
            AppendOutcome.Durable => SpoolOutcome.Kept,
            AppendOutcome.DiskFull => SpoolOutcome.DiskFull,
            AppendOutcome.TooLarge => SpoolOutcome.TooLarge,
            AppendOutcome.Failed or AppendOutcome.Unavailable => SpoolOutcome.Failed,
        };
    }

    /// <summary>What the stream is to have next, as much as fits into a request; null: it has all.</summary>
    /// <exception cref="IOException">It is not as it was written.</exception>
    public SpoolUnit? Next()
    {
        var items = new List<SendItem>();
        var (bytes, next, hash) = (0L, _position.Current.Next, (ulong?)null);
        while (Ahead() is { } batch)
        {
            var found = Items(batch);
            var more = found.Sum(item => item.Bytes.Length + 1L);
            var isFull = items.Count > 0 && (items.Count + found.Count > SendingModule.MostItems || bytes + more > SendingModule.MostBytes || found[0].Form != items[0].Form);
            if (isFull) break;
            items.AddRange(found);
            (bytes, next, hash) = (bytes + more, batch.NextOffset, batch.Hash.Value);
            batch.Dispose();
            _ahead = null;
        }

        return items.Count == 0 ? null : new SpoolUnit(items, next, hash);
    }

    /// <summary>From what the stream does not have, once more.</summary>
    public void Rewind()
    {
        _ahead?.Dispose();
        _ahead = null;
        _reader.Dispose();
        _reader = _partition.Read(_position.Current.Next);
    }

    /// <summary>The stream has it, or it was put aside: durable when it returns, and what nobody needs any more is deleted.</summary>
    /// <exception cref="IOException"/>
    public async Task AcknowledgeAsync(SpoolUnit unit)
    {
        var known = _position.Current;
        var error = _position.Set(known with { Next = unit.Next, Hash = unit.Hash is { } hash ? new RunningHash(hash) : known.Hash, Required = true });
        DiskCalls.Check(error, "write the position of", _directory);
        await _partition.TrimAsync(new RetentionLimits(Below: unit.Next));
    }

    /// <summary>Keeps what the stream does not want beside the spool, a line each; durable when it returns.</summary>
    /// <exception cref="IOException"/>
    public void PutAside(IReadOnlyList<string> lines)
    {
        var path = Path.Combine(_directory, RefusedName);
        try
        {
            Append(path, lines);
        }
        catch (IOException)
        {
            // The room that is kept for this.
            _log.GiveUpReserve();
            Append(path, lines);
        }

    }

    public void Dispose()
    {
        _ahead?.Dispose();
        _reader.Dispose();
        _log.Dispose();
        _answered.Dispose();
    }

    /// <summary>A line that was cut off by a full disk or a kill ends here.</summary>
    private static void Append(string path, IReadOnlyList<string> lines)
    {
        var isCut = Files.Exists(path) && Files.ReadTail(path, 1) is [not (byte)'\n'];
        Files.AppendDurably(path, Encoding.UTF8.GetBytes((isCut ? "\n" : "") + string.Concat(lines.Select(line => line + "\n"))));
    }

    private RecordBatch? Ahead()
    {
        while (_ahead is null)
        {
            switch (_reader.Read())
            {
                case ReadOutcome.Batch { Value: var batch }:
                    _ahead = batch;
                    break;
                case ReadOutcome.Gap gap:
                    _say($"warning: {gap.To - gap.From} documents of the spool were damaged and set aside; they are not sent");
                    break;
                case ReadOutcome.Deleted deleted:
                    throw new IOException($"documents {deleted.From} to {deleted.To - 1} of the spool `{_directory}` are not there any more");
                case ReadOutcome.Damaged damaged:
                    throw new IOException($"the spool `{_directory}` is damaged: {damaged.Value}");
                default:
                    return null;
            }
        }

        return _ahead;
    }

    private List<SendItem> Items(RecordBatch batch)
    {
        var items = new List<SendItem>();
        foreach (var record in batch)
            items.Add(SpoolFrame.Read(record.Payload) ?? throw new IOException($"document {record.Offset} of the spool `{_directory}` was kept by a later version of this program"));
        return items;
    }
}
