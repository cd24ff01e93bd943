using System.Collections.Frozen;
using System.Net;
using Stoker.Gateway.Forwarding;
using Stoker.Gateway.Routing;

namespace Stoker.Gateway;

/// <summary>Everything that a request looks up, made from one plan and replaced as a whole by the next.</summary>
internal sealed class GatewayTables
{
    /// <summary>Plans that are remembered: a loop may be interrupted between the choice of a replica and the question where it is.</summary>
    private const int Generations = 8;

    private readonly FrozenDictionary<(ReplicaId Id, string Address, int Port), UpstreamTarget> _targets;
    private readonly FrozenDictionary<string, RoutePlan> _plans;
    private readonly FrozenDictionary<string, RequestTimeouts> _timeouts;
    private readonly GatewayTables? _before;

    /// <param name="before">Those of the plans before: requests that are under way may have its routes and replicas in their hands.</param>
    public GatewayTables(GatewayPlan plan, Router router, IReadOnlyDictionary<ReplicaId, UpstreamTarget> targets, GatewayTables? before)
    {
        Plan = plan;
        Router = router;
        _plans = plan.Routes.ToFrozenDictionary(r => r.Name);
        _timeouts = plan.Routes.ToFrozenDictionary(r => r.Name, r => new RequestTimeouts(
            r.Connect ?? plan.Times.Connect, r.FirstByte ?? plan.Times.FirstByte, r.BetweenChunks ?? plan.Times.BetweenChunks, r.Total ?? plan.Times.Total));
        // A canary stands under two models.
        _targets = ByReplica(plan, targets, before);
        _before = before is null ? null : new GatewayTables(before, Generations);
    }

    /// <summary>The same with replicas that are reached elsewhere.</summary>
    public GatewayTables(GatewayTables of, IReadOnlyDictionary<ReplicaId, UpstreamTarget> targets)
        : this(of, Generations) => _targets = ByReplica(of.Plan, targets, of);

    /// <summary>The same with fewer plans before it.</summary>
    private GatewayTables(GatewayTables of, int left)
    {
        (Plan, Router, _plans, _timeouts, _targets) = (of.Plan, of.Router, of._plans, of._timeouts, of._targets);
        _before = left > 0 && of._before is { } older ? new GatewayTables(older, left - 1) : null;
    }

    public GatewayPlan Plan { get; }

    public Router Router { get; }

    /// <summary>Who is reached as before keeps the connections to it.</summary>
    private static FrozenDictionary<(ReplicaId Id, string Address, int Port), UpstreamTarget> ByReplica(
        GatewayPlan plan, IReadOnlyDictionary<ReplicaId, UpstreamTarget> targets, GatewayTables? before) =>
        plan.Routes.SelectMany(r => r.Replicas).Select(r => (new ReplicaId(r.Service, r.Index), r.Address, r.Port)).Distinct().ToFrozenDictionary(
            key => key, key => before?._targets.GetValueOrDefault(key) is { } known && known.IsSame(targets[key.Item1]) ? known : targets[key.Item1]);

    /// <summary>The replica is of this table.</summary>
    public bool Knows(ReplicaState replica) => _targets.ContainsKey((replica.Id, replica.Address, replica.Port));

    public IEnumerable<UpstreamTarget> Targets => _targets.Values;

    public RoutePlan PlanOf(Route route) => _plans.GetValueOrDefault(route.Spec.Name.Value) ?? Before.PlanOf(route);

    public RequestTimeouts TimeoutsOf(Route route) => _timeouts.GetValueOrDefault(route.Spec.Name.Value) ?? Before.TimeoutsOf(route);

    /// <exception cref="KeyNotFoundException">The replica is neither of this plan nor of those before.</exception>
    public UpstreamTarget TargetOf(ReplicaState replica) => _targets.GetValueOrDefault((replica.Id, replica.Address, replica.Port)) ?? Before.TargetOf(replica);

    private GatewayTables Before => _before ?? throw new KeyNotFoundException("neither this plan nor those before have it");

    /// <summary>Tokens that the context leaves beside a prompt; null: not known.</summary>
    public long? RoomOf(Route route, long prompt) => PlanOf(route).ContextSize is { } size ? Math.Max(1, size - prompt) : null;

    /// <summary>What a replica is while it stops and when it has: who asks for one that is loaded on request waits until it is loaded again.</summary>
    public ReplicaMode WhenStopped(Route route) => PlanOf(route).LoadsOnRequest ? ReplicaMode.Asleep : ReplicaMode.Draining;

    public TimeSpan LoadTimeOf(Route route) => TimeSpan.FromMilliseconds(PlanOf(route).LoadTimeout);

    /// <summary>The routes of a plan in the router's words. Canaries become replicas of the model whose requests they take a part of.</summary>
    public static IReadOnlyList<RouteSpec> RoutesOf(GatewayPlan plan) =>
    [
        .. plan.Routes.Select(route => new RouteSpec(
            new ModelName(route.Name),
            [
                .. route.Replicas.Select(r => new ReplicaSpec(new ReplicaId(r.Service, r.Index), r.Address, r.Port, route.Engine)
                {
                    Weight = r.Weight,
                    CanaryShare = r.CanaryShare,
                    // Until the daemon says otherwise: who asks at once waits, and is not sent to where nobody listens.
                    BeginsAs = route.LoadsOnRequest ? ReplicaMode.Asleep : ReplicaMode.Serving,
                }),
            ])
        {
            Aliases = [.. route.Aliases.Select(a => new ModelName(a))],
            Fallbacks = [.. route.Fallbacks.Select(name => FallbackOf(route, plan.Routes.FirstOrDefault(r => r.Name == name || r.Aliases.Contains(name)), name))],
            SessionHeader = route.SessionHeader?.ToLowerInvariant(),
            MaxConcurrency = route.MaxConcurrency,
        }),
    ];

    /// <summary>For every case; for a prompt that is too long only where the other's context may be larger.</summary>
    private static FallbackSpec FallbackOf(RoutePlan route, RoutePlan? other, string name)
    {
        var isSmaller = other?.ContextSize is { } theirs && route.ContextSize is { } own && theirs <= own;
        return new FallbackSpec(new ModelName(name), FallbackWhen.Unavailable | FallbackWhen.Overloaded | (isSmaller ? FallbackWhen.None : FallbackWhen.ContextLength));
    }

    /// <summary>Where each replica is, once names are resolved.</summary>
    /// <param name="keyOf">The key that a route's replicas want.</param>
    public static IReadOnlyDictionary<ReplicaId, UpstreamTarget> TargetsOf(GatewayPlan plan, Func<string, IPAddress> addressOf, Func<RoutePlan, string?> keyOf)
    {
        var targets = new Dictionary<ReplicaId, UpstreamTarget>();
        foreach (var route in plan.Routes)
        {
            var key = keyOf(route);
            foreach (var replica in route.Replicas)
            {
                var host = replica.Address.Contains(':', StringComparison.Ordinal) ? $"[{replica.Address}]" : replica.Address;
                var id = new ReplicaId(replica.Service, replica.Index);
                // A canary is reached as its own model says: it must not get the key of the model that it helps out.
                if (replica.CanaryShare is not null && targets.ContainsKey(id)) continue;
                targets[id] = new UpstreamTarget(
                    $"{replica.Service}.{replica.Index}",
                    new IPEndPoint(addressOf(replica.Address), replica.Port),
                    replica.Tls && replica.Port == 443 ? host : $"{host}:{replica.Port}",
                    replica.Tls,
                    replica.Path,
                    replica.UpstreamNames ?? route.UpstreamNames,
                    key,
                    route.Engine is "vllm" or "sglang" or "simulator");
            }
        }

        return targets;
    }
}
