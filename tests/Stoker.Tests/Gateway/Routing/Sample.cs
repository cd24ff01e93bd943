using Stoker.Gateway.Routing;

namespace Stoker.Tests.Gateway.Routing;

/// <summary>Routes, snapshots and requests for tests, in few words.</summary>
internal static class Sample
{
    public static readonly long Second = TimeSpan.TicksPerSecond;

    public static long At(double seconds) => (long)(seconds * TimeSpan.TicksPerSecond) + Start;

    /// <summary>Not 0, so that nothing rests on that.</summary>
    public const long Start = 1_000 * TimeSpan.TicksPerSecond;

    public static ReplicaSnapshot Replica(int index, int requests = 0) => new() { Id = new ReplicaId("m", index).StableHash, Requests = requests };

    public static ReplicaSnapshot[] Replicas(params int[] requests) => [.. requests.Select((r, i) => Replica(i + 1, r))];

    public static RouteSpec Route(int replicas, Func<ReplicaSpec, ReplicaSpec>? change = null, string name = "m") =>
        new(new ModelName(name), [.. Enumerable.Range(1, replicas).Select(i => (change ?? (r => r))(new ReplicaSpec(new ReplicaId(name, i), "127.0.0.1", 9000 + i, "vllm")))]);

    public static Router Router(params RouteSpec[] routes)
    {
        var router = new Router(RouterOptions.Default, seed: 7);
        router.Apply(routes, Start);
        return router;
    }

    public static Decision Pick(ReplicaSnapshot[] replicas, ulong seed = 1, ulong session = 0, int blocks = 0, long sequence = 0, params int[] tried) =>
        Pick(replicas, out _, seed, session, blocks, sequence, tried);

    public static Decision Pick(
        ReplicaSnapshot[] replicas, out Candidate[] candidates, ulong seed = 1, ulong session = 0, int blocks = 0, long sequence = 0, params int[] tried)
    {
        candidates = new Candidate[replicas.Length];
        var facts = new PickFacts
        {
            Seed = seed, Session = session, Blocks = blocks, Sequence = sequence, Tried = tried.Select(i => replicas[i].Id).ToArray(),
        };
        return RoutePolicy.Pick(facts, replicas, candidates, RoutingOptions.Default);
    }

    /// <summary>How often each is chosen in so many picks of the same situation.</summary>
    public static int[] Shares(ReplicaSnapshot[] replicas, int picks)
    {
        var shares = new int[replicas.Length];
        for (var i = 0; i < picks; i++) shares[Pick(replicas, seed: Mixing.Combine(3, (ulong)i), sequence: i).Chosen]++;
        return shares;
    }

    public static Placement Place(this Router router, string model, long now, params ReplicaState[] tried)
    {
        var route = router.Table.Find(model)!;
        return router.Place(route, new RouteRequest { Sequence = route.Begin(now), Tried = tried.Select(r => r.StableHash).ToArray() }, now);
    }
}

/// <summary>Remembers what it was told; more than once is an error at once.</summary>
internal sealed class FakeWaiter : IWaiter
{
    private int _calls;
    private volatile bool _isDecided;

    public Admission? Admission { get; private set; }

    /// <summary>Once it is there all of <see cref="Admission"/> is, for another thread too.</summary>
    public AdmissionOutcome? Outcome => _isDecided ? Admission?.Outcome : null;

    public void Decided(in Admission admission)
    {
        if (Interlocked.Increment(ref _calls) != 1) throw new InvalidOperationException("decided twice");
        Admission = admission;
        _isDecided = true;
    }
}
