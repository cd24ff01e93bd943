using System.Buffers;

namespace Stoker.Gateway.Routing;

/// <summary>What the choice needs to know of a request.</summary>
internal readonly ref struct RouteRequest
{
    /// <summary>Estimated.</summary>
    public int PromptTokens { get; init; }

    /// <summary><see cref="Mixing.Hash(ReadOnlySpan{byte})"/> of the session header's value; 0 for none.</summary>
    public ulong Session { get; init; }

    /// <summary>From <see cref="PrefixHashes"/>.</summary>
    public ReadOnlySpan<ulong> Prefix { get; init; }

    /// <summary><see cref="ReplicaState.StableHash"/> of the replicas where it has failed.</summary>
    public ReadOnlySpan<ulong> Tried { get; init; }

    /// <summary>From <see cref="Route.Begin"/>, the same for all attempts.</summary>
    public long Sequence { get; init; }
}

/// <summary>Where a request goes, or why nowhere.</summary>
/// <param name="Route">The one that was asked, or the fallback that took it.</param>
/// <param name="Lease">Of <see cref="RouteOutcome.Placed"/>: to be ended by the caller.</param>
/// <param name="ReadyIn">Of <see cref="RouteOutcome.Waking"/>: until the first replica serves; null when nobody knows.</param>
internal readonly record struct Placement(RouteOutcome Outcome, Route Route, Lease Lease, RouteReason Why, TimeSpan? ReadyIn);

/// <summary>A model's route at one version of the table: replicas with weights and shares. Immutable; what lives is in the replicas and in <see cref="Life"/>.</summary>
internal sealed class Route
{
    private const int OnStack = 64, Races = 8;

    private readonly ReplicaState[] _replicas;
    private readonly double[] _weights;
    private readonly RoutingOptions _options;

    public Route(RouteSpec spec, ReplicaState[] replicas, RouteLife life, RoutingOptions options)
    {
        Spec = spec;
        Life = life;
        _replicas = replicas;
        _options = options;
        // Loads are in requests, so weights are about 1: 100 and 200 mean the same as 1 and 2.
        var mean = spec.Replicas.Count > 0 ? spec.Replicas.Average(r => r.Weight) : 1;
        _weights = [.. spec.Replicas.Select(r => r.Weight / mean)];
    }

    public RouteSpec Spec { get; }

    public RouteLife Life { get; }

    /// <summary>In the order of the spec.</summary>
    public ReadOnlySpan<ReplicaState> Replicas => _replicas;

    /// <summary>A new request: gives it its number and counts it for the budget of retries.</summary>
    public long Begin(long now)
    {
        Life.Retries.CountRequest(now);
        return Life.Number();
    }

    /// <summary>Replicas that serve, are not ejected and have not been tried.</summary>
    public int CountUntried(ReadOnlySpan<ulong> tried)
    {
        var count = 0;
        foreach (var replica in _replicas) count += replica.IsUsable && !tried.Contains(replica.StableHash) ? 1 : 0;
        return count;
    }

    /// <summary>Chooses a replica and takes a place there. Allocates nothing for up to 64 replicas, unless it explains itself.</summary>
    /// <param name="explain">Gets the decision as one line of JSON without a line end; null: no explanation.</param>
    /// <param name="hasWaited">Its turn in the queue has come. Who has not waited is not served while others wait.</param>
    public Placement Place(in RouteRequest request, long now, IBufferWriter<byte>? explain = null, bool hasWaited = false)
    {
        var count = _replicas.Length;
        var snapshots = count <= OnStack ? stackalloc ReplicaSnapshot[count] : new ReplicaSnapshot[count];
        var candidates = count <= OnStack ? stackalloc Candidate[count] : new Candidate[count];
        Span<int> matched = stackalloc int[PrefixMemory.MaxSlots];
        var prefix = Spec.PrefixAffinity ? request.Prefix : [];
        if (prefix.Length > 0) Life.Prefixes.Match(prefix, now, matched);
        var facts = new PickFacts
        {
            PromptTokens = request.PromptTokens,
            Session = request.Session,
            Blocks = prefix.Length,
            Tried = request.Tried,
            Sequence = request.Sequence,
            Seed = Mixing.Combine(Life.SeedOf(request.Sequence), (ulong)request.Tried.Length),
        };
        for (var race = 0; race < Races; race++)
        {
            for (var i = 0; i < count; i++)
            {
                snapshots[i] = _replicas[i].Snapshot(Spec.Replicas[i], _weights[i], now);
                if (_replicas[i].Slot is >= 0 and var slot) snapshots[i].Matched = matched[slot];
            }

            var decision = RoutePolicy.Pick(facts, snapshots, candidates, _options);
            var waiting = Life.Queue.Waiting;
            if (decision.Outcome == RouteOutcome.Placed && !hasWaited && waiting > 0) decision = new Decision(RouteOutcome.Full, -1, RouteReason.None);
            var lease = default(Lease);
            // Another loop may have taken the last place since the snapshot.
            if (decision.Outcome == RouteOutcome.Placed && !_replicas[decision.Chosen].TryTake(request.PromptTokens, now, decision.Panic, out lease)) continue;
            if (decision.Outcome == RouteOutcome.Placed) Life.Prefixes.Remember(prefix, _replicas[decision.Chosen].Slot, now);
            if (explain is not null) DecisionLine.Write(explain, Spec, facts, snapshots, candidates, decision, waiting, _options);
            return new Placement(decision.Outcome, this, lease, decision.Why, decision.ReadyIn >= 0 ? TimeSpan.FromTicks(decision.ReadyIn) : null);
        }

        return new Placement(RouteOutcome.Full, this, default, RouteReason.None, null);
    }
}
