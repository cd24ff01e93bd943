using System.Collections.Immutable;
using Stoker.Estates;
using Stoker.Planning;

namespace Stoker.Supervision;

/// <summary>The answer to a request about one service.</summary>
internal abstract record RequestOutcome
{
    internal sealed record Accepted : RequestOutcome;

    internal sealed record UnknownService(string? Suggestion) : RequestOutcome;

    internal sealed record Refused(string Why, string? Hint) : RequestOutcome;
}

/// <summary>
/// All services of this host: carries a plan out by telling each service's driver what is wanted of it. Requests are short (they
/// only post facts) and come one after the other, so two <c>up</c>s at once are two plans in some order, and a <c>down</c> in the
/// middle of an <c>up</c> is simply the later wish.
/// </summary>
internal sealed class Supervisor(SupervisionDoors doors)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ServiceName, ServiceDriver> _drivers = [];
    private readonly Dictionary<ServiceName, RemoteWatch> _watches = [];
    private ImmutableDictionary<ServiceName, LaunchContext> _contexts = ImmutableDictionary<ServiceName, LaunchContext>.Empty;
    private ImmutableDictionary<ServiceName, ServicePlan> _plans = ImmutableDictionary<ServiceName, ServicePlan>.Empty;

    /// <summary>The plans being carried out, by service.</summary>
    public ImmutableDictionary<ServiceName, ServicePlan> Plans => Volatile.Read(ref _plans);

    /// <summary>Makes the estate what the plan says. Unchanged services are left alone.</summary>
    /// <param name="adopted">What the daemon before this one left behind; empty after the first plan.</param>
    /// <param name="resume">The same daemon continues (after an upgrade): what was stopped by the owner stays stopped.</param>
    public void Apply(EstatePlan plan, IReadOnlyDictionary<ServiceName, LaunchContext> contexts, AdoptedEstate adopted, bool resume, IReadOnlyList<ServiceName> byName)
    {
        lock (_lock)
        {
            var local = plan.Local.Select(Rehearsal.Adapt).ToList();
            var leaving = plan.Changes.Where(c => c.Kind == ChangeKind.Stop && _drivers.ContainsKey(c.Service)).ToDictionary(c => c.Service, c => c.Reason);
            foreach (var (name, why) in leaving) Leave(name, leaving.Keys, why);
            Volatile.Write(ref _contexts, _contexts.SetItems(contexts));
            Volatile.Write(ref _plans, _plans.RemoveRange(leaving.Keys).SetItems(local.Select(p => KeyValuePair.Create(p.Name, p))));
            var started = local.Select(p => Place(p, adopted)).ToList();
            ConnectPeers();
            Watch(plan);
            foreach (var driver in started)
            {
                if (resume && adopted.Ended(driver.Name).Count > 0 && !adopted.Running.Contains(driver.Name)) continue;
                driver.Post(new ServiceFact.StartRequested(doors.Clock.GetUtcNow(), byName.Contains(driver.Name)));
            }
        }
    }

    /// <summary>Stops everything, dependents first, and completes when nothing runs any more.</summary>
    public async Task DownAsync(string why)
    {
        List<ServiceDriver> drivers;
        lock (_lock)
        {
            drivers = [.. _drivers.Values];
            var all = _drivers.Keys.ToHashSet();
            foreach (var driver in drivers) driver.Post(new ServiceFact.StopRequested(doors.Clock.GetUtcNow(), DependentsOf(driver.Name, all), Forget: true, why));
        }

        await Task.WhenAll(drivers.Select(d => d.Ended));
        lock (_lock)
        {
            foreach (var driver in drivers) Forget(driver);
        }
    }

    /// <summary>Whatever still lives is killed: the second Ctrl-C.</summary>
    public void KillAll()
    {
        lock (_lock)
        {
            foreach (var driver in _drivers.Values) driver.Post(new ServiceFact.KillRequested(doors.Clock.GetUtcNow()));
        }
    }

    public RequestOutcome Start(ServiceName name) => Ask(name, driver => driver.Post(new ServiceFact.StartRequested(doors.Clock.GetUtcNow(), ByName: true)));

    public RequestOutcome Stop(ServiceName name) => Ask(name, driver =>
        driver.Post(new ServiceFact.StopRequested(doors.Clock.GetUtcNow(), ImmutableHashSet<ServiceName>.Empty, Forget: false, "asked to stop")));

    public RequestOutcome Restart(ServiceName name) => Ask(name, driver => driver.Post(new ServiceFact.RestartRequested(doors.Clock.GetUtcNow(), "asked to restart")));

    public RequestOutcome Reload(ServiceName name) => Plans.GetValueOrDefault(name) is { Spec.Reload: null }
        ? new RequestOutcome.Refused($"service `{name}` declares no way to reload", "add `reload: SIGHUP` or `reload: [command, …]`, or use `stoker restart`")
        : Ask(name, driver => driver.Post(new ServiceFact.ReloadRequested(doors.Clock.GetUtcNow())));

    /// <summary>Null: there is no such service.</summary>
    public async Task<IReadOnlyList<AskedReplica>?> ProbeAsync(ServiceName name, CancellationToken cancel)
    {
        ServiceDriver? driver;
        lock (_lock) _drivers.TryGetValue(name, out driver);
        return driver is null ? null : await driver.AskAsync(cancel);
    }

    public RequestOutcome Unknown(ServiceName name) => new RequestOutcome.UnknownService(Diagnostics.Suggestion.For(name.Value, Plans.Keys.Select(k => k.Value)));

    /// <summary>The same service with another number of replicas, as planned anew.</summary>
    public RequestOutcome Scale(ServicePlan plan) => Ask(plan.Name, driver =>
    {
        var adapted = Rehearsal.Adapt(plan);
        Volatile.Write(ref _plans, _plans.SetItem(plan.Name, adapted));
        driver.Post(new ServiceFact.PlanChanged(doors.Clock.GetUtcNow(), adapted));
    });

    /// <summary>The daemon ends; services go on, and the next daemon finds their records.</summary>
    public async Task LetGoAsync()
    {
        List<ServiceDriver> drivers;
        lock (_lock)
        {
            drivers = [.. _drivers.Values];
            foreach (var watch in _watches.Values) watch.Dispose();
        }

        foreach (var driver in drivers) driver.LetGo();
        await Task.WhenAll(drivers.Select(d => d.Ended));
    }

    private RequestOutcome Ask(ServiceName name, Action<ServiceDriver> tell)
    {
        lock (_lock)
        {
            if (!_drivers.TryGetValue(name, out var driver))
                return Unknown(name);
            tell(driver);
            return new RequestOutcome.Accepted();
        }
    }

    private ServiceDriver Place(ServicePlan plan, AdoptedEstate adopted)
    {
        if (_drivers.TryGetValue(plan.Name, out var known) && !known.Ended.IsCompleted)
        {
            known.Post(new ServiceFact.PlanChanged(doors.Clock.GetUtcNow(), plan));
            return known;
        }

        var life = ServicePolicy.Begin(plan, doors.Clock.GetUtcNow(), adopted.Ended(plan.Name));
        ServiceHands? hands = null;
        var driver = new ServiceDriver(life, doors.Board, doors.Journal, d => hands = new ServiceHands(doors, d.Post, () => ContextOf(plan.Name)));
        foreach (var record in adopted.Alive(plan.Name))
        {
            if (hands!.Adopt(record, life) is { } fact) driver.Post(fact);
        }

        // After what is alive, so that a change of the declaration meets the processes it concerns.
        driver.Post(new ServiceFact.PlanChanged(doors.Clock.GetUtcNow(), plan));
        _drivers[plan.Name] = driver;
        driver.Begin();
        return driver;
    }

    private void Leave(ServiceName name, IEnumerable<ServiceName> leaving, string why)
    {
        var driver = _drivers[name];
        driver.Post(new ServiceFact.StopRequested(doors.Clock.GetUtcNow(), DependentsOf(name, leaving.ToHashSet()), Forget: true, why));
        _ = driver.Ended.ContinueWith(_ =>
        {
            lock (_lock) Forget(driver);
        }, TaskScheduler.Default);
    }

    private void Forget(ServiceDriver driver)
    {
        if (_drivers.TryGetValue(driver.Name, out var current) && current == driver) _drivers.Remove(driver.Name);
    }

    private HashSet<ServiceName> DependentsOf(ServiceName name, HashSet<ServiceName> among) =>
        [.. Plans.Values.Where(p => among.Contains(p.Name) && p.Dependencies.Any(d => d.Service == name)).Select(p => p.Name)];

    private void ConnectPeers()
    {
        var dependents = Plans.Values.SelectMany(p => p.Dependencies.Select(d => (d.Service, Dependent: p.Name))).ToLookup(pair => pair.Service, pair => pair.Dependent);
        foreach (var plan in Plans.Values)
        {
            var peers = plan.Dependencies.Select(d => d.Service).Concat(dependents[plan.Name]);
            doors.Board.Listen(plan.Name, peers, _drivers[plan.Name].Post);
        }
    }

    private void Watch(EstatePlan plan)
    {
        var wanted = plan.Local.SelectMany(p => p.Dependencies).Where(d => d.Remote).Select(d => d.Service).ToHashSet();
        foreach (var gone in _watches.Keys.Where(name => !wanted.Contains(name)).ToList())
        {
            _watches.Remove(gone, out var watch);
            watch!.Dispose();
            doors.Board.Remove(gone);
        }

        foreach (var name in wanted)
        {
            if (_watches.Remove(name, out var earlier)) earlier.Dispose();
            _watches[name] = RemoteWatch.Begin(plan.Services[name], doors);
        }
    }

    private LaunchContext ContextOf(ServiceName name) => Volatile.Read(ref _contexts).GetValueOrDefault(name, LaunchContext.Empty) with
    {
        IsAwaited = Plans.Values.Any(p => p.Dependencies.Any(d => d.Service == name && d.Condition == DependencyCondition.CompletedSuccessfully)),
    };
}
