using System.Threading.Channels;
using Stoker.Gateway.Answers;
using Stoker.Gateway.Forwarding;
using Stoker.Keys;
using Stoker.Gateway.Ledger;
using Stoker.Limits;
using Stoker.Gateway.Metrics;
using Stoker.Gateway.Routing;

namespace Stoker.Gateway;

/// <summary>Bounds that hold for all requests, in milliseconds and bytes.</summary>
/// <param name="BodyTime">For a request's body to arrive.</param>
/// <param name="ClientStall">For a client to take what is sent, before it counts as gone.</param>
internal sealed record GatewaySettings(long MaxBody, IReadOnlyList<string> CorsOrigins, bool RequiresKeys, TimeSpan QueueTime, long BodyTime, long ClientStall);

/// <summary>
/// What all loops of the gateway share. Requests read it without a lock; a reload replaces <see cref="Tables"/> and <see cref="Settings"/>.
/// </summary>
internal sealed class GatewayState(Router router, KeyWatch keys, LedgerWriter ledger, DateTimeOffset since, Action<string> say) : IDisposable
{
    private readonly Channel<Route> _waking = Channel.CreateUnbounded<Route>();
    private volatile GatewayTables _tables = new(new GatewayPlan("", [], true), router, new Dictionary<ReplicaId, UpstreamTarget>(), null);
    private volatile GatewaySettings _settings = new(0, [], true, TimeSpan.Zero, 0, 0);

    public GatewayTables Tables => _tables;

    public GatewaySettings Settings => _settings;

    /// <summary>When it began.</summary>
    public DateTimeOffset Since => since;

    public KeyWatch Keys => keys;

    public LedgerWriter Ledger => ledger;

    public Limiter Limiter { get; } = new();

    public TokenEstimates Estimates { get; } = new();

    public GatewayMetrics Metrics { get; } = new();

    public DecisionLog Decisions { get; } = new();

    /// <summary>Models that somebody waits for and that sleep; read by whoever asks the daemon to load them.</summary>
    public ChannelReader<Route> Waking => _waking.Reader;

    /// <summary>Puts a plan into force for every request that comes from now on.</summary>
    public void Apply(GatewayPlan plan, IReadOnlyDictionary<ReplicaId, UpstreamTarget> targets, long now)
    {
        // Loops go on meanwhile, and find replicas of either plan: so the tables know both, before the router does.
        _tables = new GatewayTables(plan, router, targets, _tables);
        router.Apply(GatewayTables.RoutesOf(plan), now);
        _settings = new GatewaySettings(plan.MaxBody, plan.CorsOrigins, plan.RequiresKeys, TimeSpan.FromMilliseconds(plan.Times.Queue), plan.Times.Body, plan.Times.ClientStall);
        Limiter.SetModelLimits([.. plan.Limits.Select(l => new ModelLimit(l.Model, new LimitSpec(l.RequestsPerMinute, l.TokensPerMinute, l.Concurrent)))]);
        Decisions.Every = plan.LogDecisions;
    }

    /// <summary>Some replicas are elsewhere from now on.</summary>
    public void Reach(IReadOnlyDictionary<ReplicaId, UpstreamTarget> targets) => _tables = new GatewayTables(_tables, targets);

    /// <summary>Somebody waits for a model that sleeps.</summary>
    public void Wake(Route route) => _waking.Writer.TryWrite(route);

    /// <summary>A bug in one connection: told with its trace.</summary>
    public void Report(Exception bug)
    {
        Metrics.Bug();
        say($"error: a connection failed: {bug}");
    }

    public void Dispose()
    {
        Decisions.Dispose();
        keys.Dispose();
        ledger.Dispose();
    }
}
