using FsCheck;
using FsCheck.Fluent;
using Stoker.Gateway.Routing;

namespace Stoker.Tests.Gateway.Routing;

/// <summary>Any situation that a choice may be made in.</summary>
internal sealed record Situation(ReplicaSnapshot[] Replicas, int PromptTokens, ulong Session, int Blocks, ulong[] Tried, long Sequence, ulong Seed)
{
    public PickFacts Facts => new() { PromptTokens = PromptTokens, Session = Session, Blocks = Blocks, Tried = Tried, Sequence = Sequence, Seed = Seed };

    public RouteSpec Spec => Sample.Route(Replicas.Length);
}

internal static class Situations
{
    private static readonly Gen<ReplicaSnapshot> Replica =
        from requests in Gen.Choose(0, 12)
        from tokens in Gen.Choose(0, 20_000)
        from limit in Gen.Elements(int.MaxValue, 4, 8, 16)
        from kind in Gen.Choose(0, 999)
        from mode in Gen.Frequency((7, Gen.Constant(ReplicaMode.Serving)), (3, Gen.Elements(Enum.GetValues<ReplicaMode>())))
        from phase in Gen.Frequency((7, Gen.Constant(HealthPhase.Well)), (3, Gen.Elements(Enum.GetValues<HealthPhase>())))
        from matched in Gen.Choose(0, 8)
        from waiting in Gen.Choose(-1, 12)
        from age in Gen.Choose(0, 10_000_000)
        select new ReplicaSnapshot
        {
            Id = 0,
            Requests = requests,
            Tokens = tokens,
            Limit = limit,
            LimitIsDeclared = kind % 2 == 0,
            Weight = 1 + kind % 3 * 0.37,
            Canary = kind % 11 == 0 ? 0.07 : 0,
            Warmth = kind % 5 == 0 ? 0.1 + kind / 2000.0 : 1,
            Mode = mode,
            ReadyIn = mode is ReplicaMode.Loading or ReplicaMode.Asleep && kind % 2 == 0 ? age * 17L : -1,
            Phase = phase,
            TrialTaken = kind % 7 == 0,
            Failures = kind % 13 == 0 ? kind % 3 : 0,
            BusyFor = kind % 17 == 0 ? age : 0,
            Matched = matched,
            Running = waiting < 0 ? -1 : kind % 20,
            Waiting = waiting,
            CacheUse = waiting < 0 ? -1 : kind / 1000.0,
            SignalAge = kind % 3 == 0 ? long.MaxValue : age * 10L,
        };

    public static Arbitrary<Situation> Any { get; } = (
        from count in Gen.Choose(0, 9)
        from replicas in Gen.ArrayOf(Replica, count)
        from tokens in Gen.Choose(0, 30_000)
        from session in Gen.Elements(0UL, 0UL, 77UL, ulong.MaxValue)
        from blocks in Gen.Choose(0, 8)
        from sequence in Gen.Choose(0, int.MaxValue)
        from seed in Gen.Choose(0, int.MaxValue)
        from tried in Gen.Choose(0, 3)
        select Make(replicas, tokens, session, blocks, sequence, (ulong)seed, tried)).ToArbitrary();

    private static Situation Make(ReplicaSnapshot[] replicas, int tokens, ulong session, int blocks, int sequence, ulong seed, int tried)
    {
        var named = replicas.Select((r, i) =>
        {
            r.Id = new ReplicaId("m", i + 1).StableHash;
            r.Matched = Math.Min(r.Matched, blocks);
            // What says nothing has no age, and the line leaves both out.
            if (r.SignalAge == long.MaxValue) (r.Running, r.Waiting, r.CacheUse) = (-1, -1, -1);
            return r;
        }).ToArray();
        return new Situation(named, tokens, session, blocks, [.. named.Take(tried).Select(r => r.Id)], sequence, Mixing.Mix(seed));
    }
}
