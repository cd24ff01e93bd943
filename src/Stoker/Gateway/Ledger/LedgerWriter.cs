using System.Collections.Concurrent;
using Stoker.Platform.Sqlite;

namespace Stoker.Gateway.Ledger;

/// <summary>
/// The token ledger of a gateway: one row a request, in <c>ledger.db</c>.
/// <code>
/// request's end ── Add ──► rows in memory ── every 50 ms, or 5,000 rows ──► one transaction: the rows, and their days' sums
///                             │ the disk is full, the database is busy: they stay, tried again every second
///                             └ 500,000 are waiting: further ones are counted as lost, and that is said
/// </code>
/// It promises that <see cref="Add"/> never waits for the disk; that a row is in the ledger once or not at all, and its day's sums with it, also after a kill or
/// a power cut in the middle of a commit; that a kill loses only what was added in the last 50 ms before it, and an orderly end nothing. It refuses to lose rows
/// silently: <see cref="Lost"/> counts them, and the log says when the disk begins to fail and when it is well again.
/// </summary>
internal sealed class LedgerWriter : IDisposable
{
    internal const int GroupRows = 5000, MostWaiting = 500_000;

    /// <summary>Of one transaction, after a time without any.</summary>
    private const int MostAtOnce = 8192;

    private static readonly TimeSpan GroupTime = TimeSpan.FromMilliseconds(50), RetryTime = TimeSpan.FromSeconds(1);

    private readonly Lock _access = new();
    private readonly LedgerStore _store;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _retention;
    private readonly Action<string> _say;
    private readonly ITimer _timer;
    private readonly LedgerQueue _queue;
    private readonly ConcurrentQueue<(string Replica, long At, long Prompt, long Generation)> _counters = new();
    private readonly EngineCounters _engines;
    private readonly LedgerGroup _group = new();
    private readonly List<EngineSample> _samples = [];
    private int _groupCount;
    private long _first;
    private bool _failing;
    private int _due;
    private long _lost;
    private long _saidLost;
    private DateOnly _swept;
    private bool _sweeping;
    private bool _disposed;

    /// <param name="retention">How long single rows are kept; sums of days are kept for ever.</param>
    /// <param name="say">Lines for the gateway's log.</param>
    /// <param name="mostWaiting">Rows held in memory while they cannot be written.</param>
    /// <exception cref="SqliteFailedException">The database cannot be opened.</exception>
    public LedgerWriter(string path, TimeSpan retention, TimeProvider clock, Action<string> say, int mostWaiting = MostWaiting)
    {
        _clock = clock;
        _retention = retention;
        _say = say;
        _queue = new LedgerQueue(mostWaiting);
        _store = LedgerStore.Open(path, clock.GetUtcNow());
        _engines = new EngineCounters(_store.LastCounters());
        _timer = clock.CreateTimer(static writer => ((LedgerWriter)writer!).Commit(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Rows not yet on the disk.</summary>
    public int Waiting => _queue.Count + Volatile.Read(ref _groupCount);

    /// <summary>Rows that found no room while the disk could not be written.</summary>
    public long Lost => Volatile.Read(ref _lost);

    /// <summary>Takes a row; from any thread, without waiting for the disk.</summary>
    public void Add(in LedgerRow row)
    {
        var waiting = _queue.Add(row);
        if (waiting < 0) Interlocked.Increment(ref _lost);
        if (Volatile.Read(ref _failing)) SetDue(RetryTime);
        else if (waiting == GroupRows) _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        else SetDue(GroupTime);
    }

    /// <summary>Takes what an engine counted itself, for <c>model usage --reconcile</c>; as often as it is known, one a minute is kept.</summary>
    /// <param name="promptTotal">Tokens of prompts since the engine began.</param>
    /// <param name="generationTotal">Tokens generated since the engine began.</param>
    /// <param name="at">When it said so, ticks of UTC.</param>
    public void RecordEngineCounters(string replica, long promptTotal, long generationTotal, long at)
    {
        _counters.Enqueue((replica, at, promptTotal, generationTotal));
        SetDue(GroupTime);
    }

    /// <summary>Commits what waits, now.</summary>
    /// <returns>False: the disk does not let it; the rows still wait.</returns>
    public bool Flush()
    {
        lock (_access)
        {
            while (!_disposed && (_group.Count > 0 || _samples.Count > 0 || _queue.Count > 0 || !_counters.IsEmpty))
            {
                if (!CommitGroup()) return false;
            }

            return true;
        }
    }

    /// <summary>Commits what waits and closes; what cannot be committed is lost with the process, and its number said.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_access)
        {
            if (_disposed) return;
            TakeCounters();
            _engines.Finish(_samples);
            if (!Flush()) _say($"ledger: {Waiting} rows could not be written and are lost");
            _disposed = true;
            _store.Dispose();
        }
    }

    private void SetDue(TimeSpan after)
    {
        if (Volatile.Read(ref _due) == 0 && Interlocked.Exchange(ref _due, 1) == 0) _timer.Change(after, Timeout.InfiniteTimeSpan);
    }

    private void Commit()
    {
        // First, so that a row added from here on sets the timer again, whether this call still takes it or not.
        Volatile.Write(ref _due, 0);
        lock (_access)
        {
            if (_disposed) return;
            if (!Flush())
            {
                SetDue(RetryTime);
                return;
            }

            Sweep();
        }
    }

    private bool CommitGroup()
    {
        var again = _group.Count > 0 || _samples.Count > 0;
        if (!again)
        {
            TakeCounters();
            _queue.MoveTo(_group, MostAtOnce);
            Volatile.Write(ref _groupCount, _group.Count);
            _first = _store.Number(_group.Count);
        }

        try
        {
            // After a failure nobody knows whether it was before or after the commit took hold; then the first row tells.
            if (!again || _group.Count == 0 || !_store.Has(_first)) _store.Commit(_first, _group, _samples);
        }
        catch (SqliteFailedException e)
        {
            if (!_failing) _say($"ledger: {e.Message}; rows wait in memory, at most {MostWaiting:N0}");
            Volatile.Write(ref _failing, true);
            SayLost();
            return false;
        }

        _queue.TakeBack(_group);
        _samples.Clear();
        Volatile.Write(ref _groupCount, 0);
        if (_failing) _say("ledger: it can be written again");
        Volatile.Write(ref _failing, false);
        SayLost();
        return true;
    }

    private void TakeCounters()
    {
        while (_counters.TryDequeue(out var each)) _engines.Take(each.Replica, each.At, each.Prompt, each.Generation, _samples);
    }

    private void SayLost()
    {
        var lost = Lost;
        // Once when it begins and once when it is over: a line a second would fill the disk further.
        if (lost == _saidLost || (_failing && _saidLost > 0)) return;
        _say($"ledger: {lost} rows were lost since the gateway began, because too many were waiting");
        _saidLost = lost;
    }

    /// <summary>Once a day, and in steps, so that rows do not wait long behind it.</summary>
    private void Sweep()
    {
        var now = _clock.GetUtcNow();
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        if (today == _swept && !_sweeping) return;
        _swept = today;
        try
        {
            _sweeping = _store.Sweep(now.UtcDateTime.Date - _retention, now);
            if (_sweeping) SetDue(GroupTime);
        }
        catch (SqliteFailedException e)
        {
            _sweeping = false;
            _say($"ledger: old rows stay for another day: {e.Message}");
        }
    }
}
