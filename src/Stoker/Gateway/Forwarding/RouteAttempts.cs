using System.Buffers;
using System.Diagnostics;
using Stoker.Keys;
using Stoker.Gateway.Routing;

namespace Stoker.Gateway.Forwarding;

/// <summary>One request's way through the replicas: what the choice looks at, where it has been, where it is. Used again for each request.</summary>
internal sealed class RouteAttempts
{
    private const int MostTried = 8;

    private readonly ulong[] _tried = new ulong[MostTried];
    private ulong[] _prefix = [];
    private int _triedCount;
    private int _prefixCount;
    private int _attempts;
    private FallbackCourse _course;
    private RelayEnd.NotBegun? _answerOfAsked;
    private UpstreamTarget? _targetOfAsked;
    private bool _staysWithAsked;

    /// <summary>The model that was asked for.</summary>
    public Route? Asked { get; private set; }

    /// <summary>The model that is tried: the one asked, or a fallback.</summary>
    public Route? Route { get; private set; }

    public Lease Lease { get; private set; }

    public UpstreamTarget? Target { get; private set; }

    public RequestTimeouts Timeouts { get; private set; } = null!;

    public long PromptBytes { get; set; }

    public long PromptTokens { get; set; }

    public long CompletionTokens { get; set; }

    public ulong Session { get; set; }

    public long Sequence { get; set; }

    /// <summary>Where the decisions are written; null: nowhere.</summary>
    public IBufferWriter<byte>? Explain { get; set; }

    /// <summary>The client asked why, and may.</summary>
    public bool ShowsExplanation { get; set; }

    public bool IsFallback => Route != Asked;

    public void Clear()
    {
        (Asked, Route, Target, Lease, Explain, ShowsExplanation) = (null, null, null, default, null, false);
        (_triedCount, _prefixCount, _attempts, Session) = (0, 0, 0, 0);
        (_course, _answerOfAsked, _targetOfAsked, _staysWithAsked) = (default, null, null, false);
    }

    public void Begin(Route asked, RequestTimeouts timeouts) => (Asked, Route, Timeouts) = (asked, asked, timeouts);

    public void HashPrefix(ReadOnlySpan<byte> prompt, ulong salt)
    {
        if (_prefix.Length == 0) _prefix = new ulong[PrefixHashes.MaxBlocks];
        _prefixCount = PrefixHashes.Compute(prompt, salt, _prefix);
    }

    public Placement Place(Router router, long now)
    {
        while (true)
        {
            // A reload may have moved the replicas since, and may do so while they are looked at.
            if (Route!.Life.Current is { } current && current != Route) (Asked, Route) = (IsFallback ? Asked : current, current);
            var placement = PlaceNow(router, now);
            if (placement.Outcome != RouteOutcome.Unavailable || Route.Life.Current is not { } after || after == Route) return placement;
        }
    }

    private Placement PlaceNow(Router router, long now)
    {
        var request = new RouteRequest
        {
            PromptTokens = (int)Math.Min(PromptTokens, int.MaxValue),
            Session = Session,
            Prefix = _prefix.AsSpan(0, _prefixCount),
            Tried = _tried.AsSpan(0, _triedCount),
            Sequence = Sequence,
        };

        // The fallbacks of a fallback are not followed.
        return IsFallback || _staysWithAsked ? Route!.Place(request, now, Explain) : router.Place(Route!, request, now, Explain, out _course);
    }

    /// <summary>What the queue has to know to place the request later.</summary>
    public Ticket Ticket(IWaiter waiter, KeyState key, long deadline) => new(waiter, key.Id.Value, PriorityOf(key.Terms.Priority))
    {
        Weight = key.Terms.Weight,
        Cost = Math.Max(1, PromptTokens + CompletionTokens),
        Deadline = deadline,
        PromptTokens = (int)Math.Min(PromptTokens, int.MaxValue),
        Session = Session,
        Prefix = _prefix[.._prefixCount],
        Tried = _tried[.._triedCount],
        Sequence = Sequence,
        Explain = ShowsExplanation ? Explain : null,
    };

    public void Placed(Route route, Lease lease, GatewayTables tables)
    {
        if (route != Route) _attempts = 0;
        (Route, Lease, Target) = (route, lease, tables.TargetOf(lease.Replica!));
        _attempts++;
    }

    /// <summary>The attempt is over: gives its place back, and tells the replica's health how it went.</summary>
    public void Ended(RelayEnd end, long now)
    {
        var failed = end as RelayEnd.NotBegun;
        var fact = end switch
        {
            RelayEnd.Whole => ReplicaFact.Answered,
            RelayEnd.ClientLeft => ReplicaFact.ClientLeft,
            RelayEnd.CutOff cut => FactOf(cut.End),
            RelayEnd.NotBegun => FactOf(failed!.End),
            _ => throw new UnreachableException(),
        };
        Lease.End(fact, now, failed?.Error.RetryAfter);
    }

    /// <summary>After a failure: whether, and where, the request is tried again.</summary>
    public bool GoOn(RelayEnd.NotBegun failed, RouteTable table, bool timeIsUp, long now)
    {
        var end = failed.End;
        if (_triedCount < MostTried && Lease.Replica is { } replica) _tried[_triedCount++] = replica.StableHash;
        var facts = new AttemptFacts(end, FirstByteSent: false, _attempts, Route!.CountUntried(_tried.AsSpan(0, _triedCount)), timeIsUp, Route.Life.Retries.HasRoom(now));
        switch (RetryPolicy.Decide(facts, RetryOptions.Default))
        {
            case RetryVerdict.Again:
                return Route.Life.Retries.TryTake(now);
            case RetryVerdict.FallBack:
                return FallBack(failed, table, now);
            default:
                return false;
        }
    }

    /// <summary>
    /// What the client is told when nothing helped. That its prompt does not fit a fallback is no news to it: it has asked another model, and that
    /// one's answer stands.
    /// </summary>
    public RelayEnd.NotBegun Standing(RelayEnd.NotBegun failed)
    {
        if (failed.End != AttemptEnd.ContextTooLong || !IsFallback || _answerOfAsked is not { } answer) return failed;
        (Route, Target) = (Asked, _targetOfAsked);
        return answer;
    }

    private bool FallBack(RelayEnd.NotBegun failed, RouteTable table, long now)
    {
        if (!IsFallback) (_course.Case, _answerOfAsked, _targetOfAsked) = (RetryPolicy.FallbackFor(failed.End), failed, Target);
        var next = table.NextFallback(Asked!, ref _course);
        if (next is null)
        {
            // It came here without having been at the model that was asked, which had no place at that time: now it waits for one.
            if (_answerOfAsked is not null) return false;
            (next, _staysWithAsked) = (Asked!, true);
        }

        (Route, _triedCount, _attempts, Sequence) = (next, 0, 0, next.Begin(now));
        return true;
    }

    private static ReplicaFact FactOf(AttemptEnd end) => end switch
    {
        AttemptEnd.ConnectFailed => ReplicaFact.ConnectFailed,
        AttemptEnd.ResetBeforeFirstByte => ReplicaFact.ResetBeforeFirstByte,
        AttemptEnd.ServerError => ReplicaFact.ServerError,
        AttemptEnd.Truncated => ReplicaFact.Truncated,
        AttemptEnd.TimedOutBeforeFirstByte => ReplicaFact.TimedOutBeforeFirstByte,
        AttemptEnd.Stalled => ReplicaFact.Stalled,
        AttemptEnd.Busy => ReplicaFact.Busy,
        AttemptEnd.ContextTooLong or AttemptEnd.ClientError => ReplicaFact.ClientError,
        AttemptEnd.ClientLeft => ReplicaFact.ClientLeft,
        AttemptEnd.OutOfTime or AttemptEnd.NoReplica or AttemptEnd.NoCapacity => ReplicaFact.NotSent,
    };

    private static Priority PriorityOf(KeyPriority priority) => priority switch
    {
        KeyPriority.High => Priority.High,
        KeyPriority.Normal => Priority.Normal,
        KeyPriority.Low => Priority.Low,
    };
}
