namespace Stoker.Gateway.Routing;

/// <summary>A request that waits for room.</summary>
internal interface IWaiter
{
    /// <summary>
    /// Called exactly once, on the thread that made room: only hand the news to the waiter's own loop. Not called at all after a
    /// <see cref="Ticket.Leave"/> that answered true.
    /// </summary>
    void Decided(in Admission admission);
}

internal enum AdmissionOutcome
{
    /// <summary>The lease is the waiter's, who must end it.</summary>
    Admitted,

    /// <summary>The queue, or the key's part of it, is full.</summary>
    QueueFull,

    /// <summary>By the rate at which places become free its turn would come after its deadline.</summary>
    TooLong,

    /// <summary>The deadline passed while it waited.</summary>
    DeadlinePassed,

    /// <summary>It gave its place to a request of a higher class.</summary>
    Displaced,

    /// <summary>The model is served no more.</summary>
    Closed,
}

/// <param name="Lease">Of the admitted.</param>
/// <param name="RetryAfter">Of the refused: when its turn would have come; null when not enough was measured to say.</param>
/// <param name="Waited">Ticks.</param>
internal readonly record struct Admission(AdmissionOutcome Outcome, Lease Lease, TimeSpan? RetryAfter, long Waited);

/// <summary>Classes of priority, the first first.</summary>
internal enum Priority
{
    High,
    Normal,
    Low,
}

/// <summary>
/// Requests of one model that wait because every replica is at its capacity. Thread-safe; the lock is held for one decision.
/// <list type="bullet">
/// <item>Between classes strictly by priority, but each class that waits is served at least once in <see cref="QueueOptions.StarvationBound"/>.</item>
/// <item>Between the keys of a class in proportion to their weights, counted in tokens; between the requests of a key in order.</item>
/// <item>Refused at once, with the time when to come again, where the queue is full or the turn would come too late.</item>
/// </list>
/// Every request is placed by asking <c>place</c>, which takes the lease: what it cannot place waits on.
/// </summary>
internal sealed class AdmissionQueue
{
    private readonly QueueOptions _options;
    private readonly Func<Ticket, long, Lease?> _place;
    private readonly Lock _access = new();
    private readonly FairShares[] _classes = [new(), new(), new()];
    private readonly int[] _passedOver = new int[3];
    private readonly DrainRate _drain = new();
    private readonly Dictionary<string, int> _perKey = [];
    private volatile int _waiting;
    private bool _closed;

    /// <param name="place">Finds room for a request now and takes it; null when there is none. Called under the queue's lock.</param>
    public AdmissionQueue(QueueOptions options, Func<Ticket, long, Lease?> place)
    {
        _options = options;
        _place = place;
    }

    public int Waiting => _waiting;

    /// <summary>Waits, or is decided at once: the waiter may be called before this returns.</summary>
    public void Enter(Ticket ticket, long now)
    {
        Admission? refusal;
        var displaced = (Ticket?)null;
        lock (_access)
        {
            refusal = Refusal(ticket, now, ref displaced);
            if (refusal is null) Add(ticket, now);
        }

        displaced?.Tell(new Admission(AdmissionOutcome.Displaced, default, null, now - displaced.EnteredAt));
        if (refusal is { } refused) ticket.Tell(refused);
        // Also where room was made before this one was in: whoever made it saw nobody waiting.
        else Signal(now);
    }

    /// <summary>A place has become free: admits as many as find room.</summary>
    public void Freed(long now)
    {
        if (_waiting == 0) return;
        lock (_access) _drain.Count(now);
        Signal(now);
    }

    /// <summary>There may be room for other reasons: a replica serves again, a limit has grown, the table was replaced.</summary>
    public void Signal(long now)
    {
        while (_waiting > 0 && Next(now, out var admission) is { } ticket) ticket.Tell(admission);
    }

    /// <summary>Refuses those whose deadline has passed; called by a timer.</summary>
    /// <returns>The next deadline; null when nobody waits.</returns>
    public long? Expire(long now)
    {
        if (_waiting == 0) return null;
        List<Ticket>? late = null;
        long? next = null;
        TimeSpan? again;
        lock (_access)
        {
            foreach (var ticket in _classes.SelectMany(c => c.Waiting))
            {
                if (ticket.Deadline <= now) (late ??= []).Add(ticket);
                else next = next is { } earlier ? Math.Min(earlier, ticket.Deadline) : ticket.Deadline;
            }

            foreach (var ticket in late ?? []) Remove(ticket);
            again = _drain.TimeFor(_waiting + 1, now);
        }

        foreach (var ticket in late ?? []) ticket.Tell(new Admission(AdmissionOutcome.DeadlinePassed, default, again, now - ticket.EnteredAt));
        return next;
    }

    /// <summary>The model is served no more: everybody is refused, now and later.</summary>
    public void Close(long now)
    {
        List<Ticket> all;
        lock (_access)
        {
            _closed = true;
            all = [.. _classes.SelectMany(c => c.Waiting)];
            foreach (var ticket in all) Remove(ticket);
        }

        foreach (var ticket in all) ticket.Tell(new Admission(AdmissionOutcome.Closed, default, null, now - ticket.EnteredAt));
    }

    /// <summary>From 1 on, as it would be if nobody came after it; 0 when it does not wait.</summary>
    internal int PositionOf(Ticket ticket)
    {
        lock (_access) return ticket.IsWaiting ? Position(ticket) : 0;
    }

    internal TimeSpan? TimeTo(Ticket ticket, long now)
    {
        lock (_access) return ticket.IsWaiting ? _drain.TimeFor(Position(ticket), now) : null;
    }

    internal bool Leave(Ticket ticket)
    {
        lock (_access)
        {
            if (!ticket.IsWaiting) return false;
            Remove(ticket);
            return true;
        }
    }

    private Admission? Refusal(Ticket ticket, long now, ref Ticket? displaced)
    {
        if (_closed) return new Admission(AdmissionOutcome.Closed, default, null, 0);
        var ofKey = _perKey.GetValueOrDefault(ticket.Key);
        var full = ofKey >= Math.Max(1, _options.KeyShare * _options.MaxWaiting);
        if (!full && _waiting >= _options.MaxWaiting)
        {
            displaced = LastBelow(ticket.Priority);
            full = displaced is null;
        }

        if (full) return new Admission(AdmissionOutcome.QueueFull, default, _drain.TimeFor(_waiting + 1, now), 0);
        var ahead = _classes.Take((int)ticket.Priority).Sum(c => c.Count) + _classes[(int)ticket.Priority].AheadOfNew(ticket);
        if (_drain.TimeFor(ahead + 1, now) is { } time && now + time.Ticks > ticket.Deadline)
        {
            displaced = null;
            return new Admission(AdmissionOutcome.TooLong, default, time, 0);
        }

        if (displaced is not null) Remove(displaced);
        return null;
    }

    /// <summary>The youngest of the lowest class below this one.</summary>
    private Ticket? LastBelow(Priority priority)
    {
        for (var c = _classes.Length - 1; c > (int)priority; c--)
        {
            if (_classes[c].Waiting.MaxBy(t => t.Number) is { } youngest) return youngest;
        }

        return null;
    }

    private void Add(Ticket ticket, long now)
    {
        if (_waiting == 0) _drain.Begin(now);
        ticket.Enter(this, now);
        _classes[(int)ticket.Priority].Add(ticket);
        _perKey[ticket.Key] = _perKey.GetValueOrDefault(ticket.Key) + 1;
        _waiting++;
    }

    private void Remove(Ticket ticket)
    {
        _classes[(int)ticket.Priority].Remove(ticket, isServed: false);
        Forget(ticket);
    }

    private void Forget(Ticket ticket)
    {
        ticket.IsWaiting = false;
        _waiting--;
        if (_classes[(int)ticket.Priority].Count == 0) _passedOver[(int)ticket.Priority] = 0;
        var left = _perKey[ticket.Key] - 1;
        if (left == 0) _perKey.Remove(ticket.Key);
        else _perKey[ticket.Key] = left;
    }

    private Ticket? Next(long now, out Admission admission)
    {
        lock (_access)
        {
            admission = default;
            var turn = Turn();
            if (turn < 0 || _classes[turn].Head is not { } ticket) return null;
            if (_place(ticket, now) is not { } lease) return null;
            _classes[turn].Remove(ticket, isServed: true);
            for (var c = 0; c < _classes.Length; c++) _passedOver[c] = c != turn && _classes[c].Count > 0 ? _passedOver[c] + 1 : 0;
            Forget(ticket);
            admission = new Admission(AdmissionOutcome.Admitted, lease, null, now - ticket.EnteredAt);
            return ticket;
        }
    }

    /// <summary>The class that is served next; -1 when nobody waits.</summary>
    private int Turn()
    {
        var (highest, starving) = (-1, -1);
        for (var c = _classes.Length - 1; c >= 0; c--)
        {
            if (_classes[c].Count == 0) continue;
            highest = c;
            // One less for each class that may starve at the same time, so that the bound holds for both.
            if (_passedOver[c] >= _options.StarvationBound - _classes.Length + 1 && (starving < 0 || _passedOver[c] >= _passedOver[starving])) starving = c;
        }

        return starving >= 0 ? starving : highest;
    }

    private int Position(Ticket ticket) =>
        _classes.Take((int)ticket.Priority).Sum(c => c.Count) + _classes[(int)ticket.Priority].AheadOf(ticket) + 1;
}
