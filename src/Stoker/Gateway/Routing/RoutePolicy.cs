namespace Stoker.Gateway.Routing;

/// <summary>
/// Which replica serves a request. Pure: the same facts, snapshots and seed give the same answer, and so its log line can be decided again.
/// <list type="number">
/// <item>Only those that serve, are not ejected, were not tried and are below their capacity. Where nobody is left, first "tried" and then "ejected"
/// is ignored: a wrong verdict must never take away the last replica.</item>
/// <item>Canaries get their share of the requests, the others the rest.</item>
/// <item>The session's replica by rendezvous hashing, else those that know the most of the prompt's beginning, unless that replica is much busier
/// than the least busy one, or troubled.</item>
/// <item>The least load by weight; two are drawn from near-equals and the better one is taken.</item>
/// </list>
/// It costs a few passes over the replicas and no memory.
/// </summary>
internal static class RoutePolicy
{
    /// <param name="candidates">As many as replicas; filled for the explanation.</param>
    public static Decision Pick(in PickFacts facts, ReadOnlySpan<ReplicaSnapshot> replicas, Span<Candidate> candidates, RoutingOptions options)
    {
        for (var i = 0; i < replicas.Length; i++)
        {
            var weight = Weight(replicas[i]);
            candidates[i] = new Candidate { Load = LoadParts.Of(replicas[i], options).Sum / weight, Rejected = Rejected(replicas[i], facts.Tried) };
        }

        var panic = Relax(replicas, candidates);
        if (Count(candidates) == 0) return NoneServes(replicas);
        ShareCanaries(facts, replicas, candidates, options);
        for (var i = 0; i < replicas.Length; i++)
        {
            if (candidates[i].Rejected == Rejection.None && replicas[i].IsFull(options)) candidates[i].Rejected = Rejection.Full;
        }

        return Count(candidates) switch
        {
            0 => new Decision(RouteOutcome.Full, -1, RouteReason.None, Panic: panic),
            1 => new Decision(RouteOutcome.Placed, FirstLeft(candidates), RouteReason.Only, Panic: panic),
            _ => Choose(facts, replicas, candidates, options) with { Panic = panic },
        };
    }

    /// <summary>The weight as grown so far.</summary>
    private static double Weight(in ReplicaSnapshot replica) => Math.Max(1e-6, replica.Weight * replica.Warmth);

    private static Rejection Rejected(in ReplicaSnapshot replica, ReadOnlySpan<ulong> tried) => replica switch
    {
        { Mode: ReplicaMode.Draining } => Rejection.Draining,
        { Mode: ReplicaMode.Loading } => Rejection.Loading,
        { Mode: ReplicaMode.Asleep } => Rejection.Asleep,
        { Phase: HealthPhase.Ejected } => Rejection.Ejected,
        { Phase: HealthPhase.Trial, TrialTaken: true } => Rejection.OnTrial,
        _ => tried.Contains(replica.Id) ? Rejection.Tried : Rejection.None,
    };

    /// <summary>True when ejection had to be ignored.</summary>
    private static bool Relax(ReadOnlySpan<ReplicaSnapshot> replicas, Span<Candidate> candidates)
    {
        if (Count(candidates) > 0 || Allow(candidates, Rejection.Tried)) return false;
        for (var i = 0; i < replicas.Length; i++)
        {
            if (candidates[i].Rejected is Rejection.Ejected or Rejection.OnTrial) candidates[i].Rejected = Rejection.None;
        }

        return Count(candidates) > 0;
    }

    private static bool Allow(Span<Candidate> candidates, Rejection which)
    {
        var any = false;
        foreach (ref var candidate in candidates)
        {
            if (candidate.Rejected != which) continue;
            candidate.Rejected = Rejection.None;
            any = true;
        }

        return any;
    }

    private static Decision NoneServes(ReadOnlySpan<ReplicaSnapshot> replicas)
    {
        var (waking, readyIn) = (false, -1L);
        foreach (ref readonly var replica in replicas)
        {
            if (replica.Mode is not (ReplicaMode.Loading or ReplicaMode.Asleep)) continue;
            waking = true;
            if (replica.ReadyIn >= 0 && (readyIn < 0 || replica.ReadyIn < readyIn)) readyIn = replica.ReadyIn;
        }

        return new Decision(waking ? RouteOutcome.Waking : RouteOutcome.Unavailable, -1, RouteReason.None, ReadyIn: readyIn);
    }

    /// <summary>
    /// Leaves the canary whose turn it is, or all that are none. Sessions are dealt by their hash, so that one stays on its side; all other requests by
    /// their number, which is exact in the long run. Where a side has none that serves, the other takes its requests; a canary that is merely full
    /// gives its requests back, but ordinary replicas that are full do not overflow to a canary: its share is a promise.
    /// </summary>
    private static void ShareCanaries(in PickFacts facts, ReadOnlySpan<ReplicaSnapshot> replicas, Span<Candidate> candidates, RoutingOptions options)
    {
        var (chosen, ordinary, shares) = (-1, false, 0.0);
        var draw = facts.Session != 0 ? Mixing.ToFraction(Mixing.Mix(facts.Session)) : Mixing.Spread(facts.Sequence);
        for (var i = 0; i < replicas.Length; i++)
        {
            // The shares of canaries that do not serve keep their place, so that no other canary's side changes.
            if (replicas[i].Canary > 0)
            {
                if (draw >= shares && draw < shares + replicas[i].Canary && candidates[i].Rejected == Rejection.None && !replicas[i].IsFull(options)) chosen = i;
                shares += replicas[i].Canary;
            }
            else
            {
                ordinary |= candidates[i].Rejected == Rejection.None;
            }
        }

        if (shares == 0 || (chosen < 0 && !ordinary)) return;
        for (var i = 0; i < replicas.Length; i++)
        {
            if (candidates[i].Rejected == Rejection.None && (chosen >= 0 ? i != chosen : replicas[i].Canary > 0)) candidates[i].Rejected = Rejection.OtherShare;
        }
    }

    private static Decision Choose(in PickFacts facts, ReadOnlySpan<ReplicaSnapshot> replicas, ReadOnlySpan<Candidate> candidates, RoutingOptions options)
    {
        var escaped = RouteReason.None;
        if (facts.Session != 0)
        {
            var home = Rendezvous(facts.Session, replicas, candidates);
            if (!MustEscape(home, replicas, candidates, options)) return new Decision(RouteOutcome.Placed, home, RouteReason.Session);
            escaped = RouteReason.Session;
        }
        else if (facts.Blocks > 0 && MostMatched(replicas, candidates) is var most && most > 0 && most >= options.PrefixShare * facts.Blocks)
        {
            var home = LeastLoad(facts.Seed, most, replicas, candidates, options).Chosen;
            if (!MustEscape(home, replicas, candidates, options)) return new Decision(RouteOutcome.Placed, home, RouteReason.Prefix);
            escaped = RouteReason.Prefix;
        }

        return LeastLoad(facts.Seed, 0, replicas, candidates, options) with { Escaped = escaped };
    }

    /// <summary>
    /// The highest of the weighted scores <c>-w / ln(h)</c> (Thaler, Ravishankar 1998; weights: Schindelhauer, Schomaker 2005): when a replica leaves,
    /// only its own sessions move.
    /// </summary>
    private static int Rendezvous(ulong session, ReadOnlySpan<ReplicaSnapshot> replicas, ReadOnlySpan<Candidate> candidates)
    {
        var (best, highest) = (-1, double.NegativeInfinity);
        for (var i = 0; i < replicas.Length; i++)
        {
            if (candidates[i].Rejected != Rejection.None) continue;
            // Above 0 and below 1. The declared weight: sessions do not move while one warms up; the escape keeps them away if need be.
            var hash = (Mixing.ToFraction(Mixing.Combine(session, replicas[i].Id)) + double.Epsilon) * 0.999_999_999 + 1e-12;
            var score = -replicas[i].Weight / Math.Log(hash);
            if (score > highest) (best, highest) = (i, score);
        }

        return best;
    }

    private static int MostMatched(ReadOnlySpan<ReplicaSnapshot> replicas, ReadOnlySpan<Candidate> candidates)
    {
        var most = 0;
        for (var i = 0; i < replicas.Length; i++)
        {
            if (candidates[i].Rejected == Rejection.None) most = Math.Max(most, replicas[i].Matched);
        }

        return most;
    }

    /// <summary>
    /// Affinity gives way: pure stickiness drives one engine into thrashing while others idle (prime-rl#3255, sglang#14305). Requests are
    /// compared as they were by equal weights.
    /// </summary>
    private static bool MustEscape(int home, ReadOnlySpan<ReplicaSnapshot> replicas, ReadOnlySpan<Candidate> candidates, RoutingOptions options)
    {
        if (LoadParts.Of(replicas[home], options).IsTroubled) return true;
        var (count, weights, sum, least) = (0, 0.0, 0.0, double.MaxValue);
        for (var i = 0; i < replicas.Length; i++)
        {
            if (candidates[i].Rejected != Rejection.None) continue;
            var requests = replicas[i].Requests / Weight(replicas[i]);
            count++;
            weights += Weight(replicas[i]);
            sum += requests;
            least = Math.Min(least, requests);
        }

        var unit = weights / count;
        var ahead = (replicas[home].Requests / Weight(replicas[home]) - least) * unit;
        return ahead > Math.Max(options.EscapeFloor, options.EscapeShare * sum / count * unit);
    }

    /// <summary>The least load among those that know at least so many blocks.</summary>
    private static Decision LeastLoad(
        ulong seed, int matched, ReadOnlySpan<ReplicaSnapshot> replicas, ReadOnlySpan<Candidate> candidates, RoutingOptions options)
    {
        var least = double.MaxValue;
        for (var i = 0; i < replicas.Length; i++)
        {
            if (candidates[i].Rejected == Rejection.None && replicas[i].Matched >= matched) least = Math.Min(least, candidates[i].Load);
        }

        var bound = least + Math.Max(options.NearEqual, 0.1 * least);
        var first = Draw(Mixing.Fraction(seed, 0), bound, -1, matched, replicas, candidates);
        var second = Draw(Mixing.Fraction(seed, 1), bound, first, matched, replicas, candidates);
        if (second < 0) return new Decision(RouteOutcome.Placed, first, RouteReason.LeastLoad);
        return new Decision(RouteOutcome.Placed, candidates[second].Load < candidates[first].Load ? second : first, RouteReason.TwoChoices);
    }

    /// <summary>One of the near-equals but the one already drawn, by weight; -1 when there is none.</summary>
    private static int Draw(
        double chance, double bound, int drawn, int matched, ReadOnlySpan<ReplicaSnapshot> replicas, ReadOnlySpan<Candidate> candidates)
    {
        var total = 0.0;
        for (var i = 0; i < replicas.Length; i++)
        {
            if (IsNear(i, replicas, candidates)) total += Weight(replicas[i]);
        }

        var (left, last) = (chance * total, -1);
        for (var i = 0; i < replicas.Length; i++)
        {
            if (!IsNear(i, replicas, candidates)) continue;
            last = i;
            left -= Weight(replicas[i]);
            if (left < 0) break;
        }

        return last;

        bool IsNear(int i, ReadOnlySpan<ReplicaSnapshot> all, ReadOnlySpan<Candidate> them) =>
            i != drawn && them[i].Rejected == Rejection.None && them[i].Load <= bound && all[i].Matched >= matched;
    }

    private static int Count(ReadOnlySpan<Candidate> candidates)
    {
        var count = 0;
        foreach (ref readonly var candidate in candidates) count += candidate.Rejected == Rejection.None ? 1 : 0;
        return count;
    }

    private static int FirstLeft(ReadOnlySpan<Candidate> candidates)
    {
        for (var i = 0; i < candidates.Length; i++)
        {
            if (candidates[i].Rejected == Rejection.None) return i;
        }

        return -1;
    }
}
