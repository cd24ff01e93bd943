using System.Buffers;

namespace Stoker.Gateway.Routing;

internal sealed record RouterOptions
{
    public static RouterOptions Default { get; } = new();

    public RoutingOptions Routing { get; init; } = RoutingOptions.Default;

    public ReplicaHealthOptions Health { get; init; } = ReplicaHealthOptions.Default;

    public RetryOptions Retry { get; init; } = RetryOptions.Default;

    public QueueOptions Queue { get; init; } = QueueOptions.Default;
}

/// <summary>
/// The front door of routing: which replica of which model serves a request, and when.
/// <code>
/// name ─table→ route ─begin→ number ─place─┬→ placed: lease ─first byte─ … ─end(how)→ health, limit, room for who waits
///                                          ├→ full: fallbacks for overload, else the queue → admitted with a lease | refused with a time
///                                          ├→ waking: fallbacks, else wait for the load that is under way; the time is told
///                                          └→ unavailable: fallbacks, else 503
/// an attempt that failed ─retry policy→ place again with what was tried | next fallback | the error stands
/// </code>
/// It promises: never more in flight at a replica than its limit; a place is given back exactly once; who waits is told exactly once; the same facts
/// and seed make the same choice. It does no I/O, reads no clock, and holds locks for nanoseconds: times come in as steady ticks of 100 ns. Anything
/// may be called from any thread.
/// </summary>
internal sealed class Router(RouterOptions options, ulong seed)
{
    private readonly Lock _applying = new();
    private volatile RouteTable _table = RouteTable.Empty;
    private bool _isFirst = true;

    public RouteTable Table => _table;

    /// <summary>
    /// Replaces the table. Replicas that stay where they are keep all that is known of them; new ones begin with a small part of their weight, but not
    /// in the first table. Those that are gone end what they have. Models that are gone refuse who waits for them.
    /// </summary>
    /// <exception cref="ArgumentException">The specs contradict each other; the old table stays.</exception>
    public void Apply(IReadOnlyList<RouteSpec> specs, long now)
    {
        lock (_applying)
        {
            RouteTable.Check(specs);
            var before = _table.Routes.ToDictionary(r => r.Spec.Name);
            var table = new RouteTable([.. specs.Select(spec => Build(spec, before.GetValueOrDefault(spec.Name), now))]);
            foreach (var route in table.Routes) Install(route, before.GetValueOrDefault(route.Spec.Name), now);
            _table = table;
            _isFirst = false;
            foreach (var route in table.Routes) route.Life.Queue.Signal(now);
            foreach (var gone in before.Values.Where(old => !table.Routes.Any(r => r.Life == old.Life)))
            {
                foreach (var replica in gone.Replicas) replica.SetMode(ReplicaMode.Draining, now);
                gone.Life.Queue.Close(now);
            }
        }
    }

    /// <summary>
    /// Places a request at its model or, where that has no room or does not serve, at the first of its fallbacks for that case that has room. Where none
    /// has, the answer is that of the model that was asked.
    /// </summary>
    /// <param name="explain">Gets one line of JSON for each model that was asked, with a line feed between them.</param>
    public Placement Place(Route asked, in RouteRequest request, long now, IBufferWriter<byte>? explain = null) => Place(asked, request, now, explain, out _);

    /// <param name="course">Which fallbacks were passed over or taken; at its beginning where it is the asked model's place or word that stands.</param>
    public Placement Place(Route asked, in RouteRequest request, long now, IBufferWriter<byte>? explain, out FallbackCourse course)
    {
        course = default;
        var first = asked.Place(request, now, explain);
        if (first.Outcome == RouteOutcome.Placed || asked.Spec.Fallbacks.Count == 0) return first;
        course.Case = first.Outcome == RouteOutcome.Full ? FallbackWhen.Overloaded : FallbackWhen.Unavailable;
        var table = _table;
        while (table.NextFallback(asked, ref course) is { } other)
        {
            explain?.Write("\n"u8);
            // What was tried at one model says nothing of another.
            var instead = new RouteRequest { PromptTokens = request.PromptTokens, Session = request.Session, Prefix = request.Prefix, Sequence = other.Begin(now) };
            var placement = other.Place(instead, now, explain);
            if (placement.Outcome == RouteOutcome.Placed) return placement;
        }

        course = default;
        return first;
    }

    private Route Build(RouteSpec spec, Route? before, long now)
    {
        var life = before?.Life ?? new RouteLife(options, Mixing.Combine(seed, Mixing.Hash(spec.Name.Value)));
        return new Route(spec, [.. spec.Replicas.Select(r => Kept(r, before) ?? Begin(r, life, now))], life, options.Routing);
    }

    private static ReplicaState? Kept(ReplicaSpec spec, Route? before)
    {
        foreach (var replica in before is null ? default : before.Replicas)
        {
            if (replica.Id == spec.Id && replica.Address == spec.Address && replica.Port == spec.Port && replica.Engine == spec.Engine) return replica;
        }

        return null;
    }

    private ReplicaState Begin(ReplicaSpec spec, RouteLife life, long now) =>
        new(new ReplicaSettings(spec) { Routing = options.Routing, Health = options.Health, Seed = seed, IsNew = !_isFirst }, now)
        {
            Life = life,
            Slot = life.TakeSlot(),
        };

    private static void Install(Route route, Route? before, long now)
    {
        foreach (var replica in route.Replicas) replica.SetLimit(route.Spec.MaxConcurrency);
        route.Life.Current = route;
        foreach (var old in before is null ? default : before.Replicas)
        {
            if (route.Replicas.Contains(old)) continue;
            old.SetMode(ReplicaMode.Draining, now);
            route.Life.GiveSlot(old.Slot);
        }
    }
}
