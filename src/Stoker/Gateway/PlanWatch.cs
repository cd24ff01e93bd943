using System.Text.Json;
using Stoker.Gateway.Forwarding;
using Stoker.Platform;

namespace Stoker.Gateway;

/// <summary>
/// Puts plans into force, and the addresses of the hosts in them: at the start, once a second when the daemon has written another, and whenever a name moves. Nobody else does, so that
/// two plans cannot overtake each other.
/// </summary>
internal sealed class PlanWatch(GatewayState state, string directory, HostAddresses addresses, Action<string> say)
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    /// <summary>Names that are new are waited for so long; what is known later is in force then.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly string _file = Path.Combine(directory, GatewayProcess.PlanFile);
    private DateTimeOffset? _planAt;
    private volatile bool _isAsked;

    /// <summary>The next look reads the plan, whether or not it has changed.</summary>
    public void Ask() => _isAsked = true;

    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Pace);
        while (await timer.WaitForNextTickAsync(stop)) await LookAsync();
    }

    /// <exception cref="IOException"/>
    /// <exception cref="JsonException"/>
    public static GatewayPlan Read(string directory)
    {
        var path = Path.Combine(directory, GatewayProcess.PlanFile);
        return GatewayPlan.FromJson(Files.ReadIfPresent(path) ?? throw new IOException($"there is no `{path}`; the daemon writes it when an estate with `gateway:` is applied"));
    }

    public async Task<GatewayPlan> ApplyAsync()
    {
        _planAt = Files.ModifiedAtIfPresent(_file);
        var plan = Read(directory);
        addresses.Ask(HostsOf(plan), IsWell);
        await Task.WhenAny(addresses.Answered, Task.Delay(Patience));
        addresses.Take();
        state.Apply(plan, Targets(plan), GatewayLoop.Steady);
        return plan;
    }

    private async Task LookAsync()
    {
        if (_isAsked || (Files.ModifiedAtIfPresent(_file) ?? _planAt) != _planAt)
        {
            _isAsked = false;
            await ReloadAsync();
        }

        addresses.Ask(HostsOf(state.Tables.Plan), IsWell);
        if (addresses.Take()) state.Reach(Targets(state.Tables.Plan));
    }

    private async Task ReloadAsync()
    {
        try
        {
            var before = state.Tables.Plan;
            var plan = await ApplyAsync();
            say($"the plan is in force: {plan.Routes.Count} models, {plan.Routes.Sum(r => r.Replicas.Count)} replicas");
            if (!plan.Listen.SequenceEqual(before.Listen)) say("warning: other addresses to listen on take effect at the next start");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or JsonException or ArgumentException)
        {
            say($"error: the plan before stays in force: {refused.Message}");
        }
    }

    private IReadOnlyDictionary<Routing.ReplicaId, UpstreamTarget> Targets(GatewayPlan plan) => GatewayTables.TargetsOf(plan, addresses.Of, KeyOf);

    private static HashSet<string> HostsOf(GatewayPlan plan) => [.. plan.Routes.SelectMany(r => r.Replicas).Select(r => r.Address)];

    private bool IsWell(string host)
    {
        foreach (var route in state.Tables.Router.Table.Routes)
        {
            foreach (var replica in route.Replicas)
            {
                // The only replica of a model is never ejected.
                if (replica.Address == host && replica is { IsUsable: true, Health: { Failures: 0, ProbesFailed: 0 } }) return true;
            }
        }

        return false;
    }

    private string? KeyOf(RoutePlan route)
    {
        var key = route.KeyFile is { } file ? Files.ReadIfPresent(file) is { } bytes ? System.Text.Encoding.UTF8.GetString(bytes).Trim() : null
            : route.KeyVariable is { } name ? HostEnvironment.Variable(name) : null;
        if (key is null && (route.KeyFile ?? route.KeyVariable) is { } source) say($"warning: the key for model `{route.Name}` is not in `{source}`; its replicas are asked without one");
        return key;
    }
}
