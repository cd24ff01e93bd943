namespace Stoker.Gateway.Routing;

/// <summary>What of a route lives on when its table is replaced: who waits, the budget of retries, what was sent where, the number of requests.</summary>
internal sealed class RouteLife
{
    private readonly PrefixMemory _prefixes = new();
    private readonly ulong _seed;
    private volatile Route? _current;
    private ulong _slots;
    private long _sequence = -1;

    public RouteLife(RouterOptions options, ulong seed)
    {
        _seed = seed;
        Retries = new RetryBudget(options.Retry);
        Queue = new AdmissionQueue(options.Queue, Place);
    }

    public PrefixMemory Prefixes => _prefixes;

    public RetryBudget Retries { get; }

    public AdmissionQueue Queue { get; }

    /// <summary>The route as it is now; set when the table is replaced.</summary>
    public Route? Current
    {
        get => _current;
        set => _current = value;
    }

    /// <summary>The number of a new request, from 0 on.</summary>
    public long Number() => Interlocked.Increment(ref _sequence);

    public ulong SeedOf(long sequence) => Mixing.Combine(_seed, (ulong)sequence);

    public bool HasUsablePeer(ReplicaState of)
    {
        if (Current is not { } route) return false;
        foreach (var replica in route.Replicas)
        {
            if (replica != of && replica.IsUsable) return true;
        }

        return false;
    }

    /// <summary>The replica's cache is empty.</summary>
    public void Forget(ReplicaState replica) => _prefixes.Forget(replica.Slot);

    /// <summary>A place in the prefix memory; -1 when all are taken.</summary>
    public int TakeSlot()
    {
        var slot = System.Numerics.BitOperations.TrailingZeroCount(~_slots);
        if (slot >= PrefixMemory.MaxSlots) return -1;
        _slots |= 1UL << slot;
        return slot;
    }

    public void GiveSlot(int slot)
    {
        if (slot < 0) return;
        _prefixes.Forget(slot);
        _slots &= ~(1UL << slot);
    }

    private Lease? Place(Ticket ticket, long now)
    {
        var request = new RouteRequest
        {
            PromptTokens = ticket.PromptTokens,
            Session = ticket.Session,
            Prefix = ticket.Prefix,
            Tried = ticket.Tried,
            Sequence = ticket.Sequence,
        };
        return Current!.Place(request, now, ticket.Explain, hasWaited: true) is { Outcome: RouteOutcome.Placed, Lease: var lease } ? lease : null;
    }
}
