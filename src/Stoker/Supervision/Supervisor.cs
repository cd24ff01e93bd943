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
/// middle of an <c>up</c>, or an <c>up</c> in the middle of a <c>down</c>, is simply the later wish.
/// </summary>
/// <param name="hands">What does for a driver what was decided, on this machine.</param>
internal sealed class Supervisor(SupervisionDoors doors, Func<Action<ServiceFact>, Func<LaunchContext>, IServiceHands> hands)
{
    private readonly Lock _lock = new();

    /// <summary>The life of each service of the estate; it may not have begun, because an earlier one has not ended.</summary>
    private readonly Dictionary<ServiceName, ServiceDriver> _drivers = [];

    /// <summary>Told to leave and not gone yet, in that order: several of one name when it came and went while it stopped.</summary>
    private readonly List<ServiceDriver> _leaving = [];

    private readonly Dictionary<ServiceName, RemoteWatch> _watches = [];
    private ImmutableDictionary<ServiceName, LaunchContext> _contexts = ImmutableDictionary<ServiceName, LaunchContext>.Empty;
    private ImmutableDictionary<ServiceName, ServicePlan> _plans = ImmutableDictionary<ServiceName, ServicePlan>.Empty;

    /// <summary>The plans being carried out, by service.</summary>
    public ImmutableDictionary<ServiceName, ServicePlan> Plans => Volatile.Read(ref _plans);

    /// <summary>Makes the estate what the plan says. Unchanged services are left alone. The task completes when the board shows what each was told.</summary>
    /// <param name="adopted">What the daemon before this one left behind; empty after the first plan.</param>
    /// <param name="resume">The same daemon continues (after an upgrade): what was stopped by the owner stays stopped.</param>
    public Task Apply(EstatePlan plan, IReadOnlyDictionary<ServiceName, LaunchContext> contexts, AdoptedEstate adopted, bool resume, IReadOnlyList<ServiceName> byName)
    {
        lock (_lock)
        {
            var local = plan.Local.Select(Rehearsal.Adapt).ToList();
            var leaving = plan.Changes.Where(c => c.Kind == ChangeKind.Stop && _drivers.ContainsKey(c.Service)).ToDictionary(c => c.Service, c => c.Reason);
            Leave(leaving);
            Volatile.Write(ref _contexts, _contexts.SetItems(contexts));
            Volatile.Write(ref _plans, _plans.RemoveRange(leaving.Keys).SetItems(local.Select(p => KeyValuePair.Create(p.Name, p))));
            var known = local.Select(p => _drivers.GetValueOrDefault(p.Name)).OfType<ServiceDriver>().ToList();
            var started = local.Select(p => Place(p, adopted, resume)).ToList();
            ConnectPeers();
            Watch(plan);
            foreach (var driver in started)
            {
                if (resume && adopted.Ended(driver.Name).Count > 0 && !adopted.Running.Contains(driver.Name)) continue;
                driver.Post(new ServiceFact.StartRequested(doors.Clock.GetUtcNow(), byName.Contains(driver.Name)));
            }

            return Task.WhenAll(known.Select(driver => driver.CatchUpAsync()));
        }
    }

    /// <summary>
    /// Every service leaves, dependents first. The task completes when nothing runs any more of what ran at the time of the call, or was
    /// leaving already; what is applied meanwhile is not waited for.
    /// </summary>
    public Task Down(string why)
    {
        lock (_lock)
        {
            Leave(_drivers.Keys.ToDictionary(name => name, _ => why));
            Volatile.Write(ref _plans, _plans.Clear());
            return Task.WhenAll(_leaving.Select(d => d.Ended));
        }
    }

    /// <summary>Nothing is in the estate, and nothing is leaving it.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_lock) return _drivers.Count == 0 && _leaving.TrueForAll(d => d.Ended.IsCompleted);
        }
    }

    /// <summary>Whatever still lives is killed: the second Ctrl-C.</summary>
    public void KillAll()
    {
        lock (_lock)
        {
            foreach (var driver in Living()) driver.Post(new ServiceFact.KillRequested(doors.Clock.GetUtcNow()));
        }
    }

    public RequestOutcome Start(ServiceName name) => Ask(name, driver => driver.Post(new ServiceFact.StartRequested(doors.Clock.GetUtcNow(), ByName: true)));

    public RequestOutcome Stop(ServiceName name) => Ask(name, driver =>
        driver.Post(new ServiceFact.StopRequested(doors.Clock.GetUtcNow(), ImmutableHashSet<ServiceName>.Empty, Forget: false, "asked to stop")));

    public RequestOutcome Restart(ServiceName name, string why = "asked to restart") => Ask(name, driver => driver.Post(new ServiceFact.RestartRequested(doors.Clock.GetUtcNow(), why)));

    /// <summary>A run that harms others ends; its restart policy decides what comes then.</summary>
    public RequestOutcome End(ServiceName name, int? replica, string why) => Ask(name, driver => driver.Post(new ServiceFact.EndRequested(doors.Clock.GetUtcNow(), replica, why)));

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
            drivers = Living();
            foreach (var watch in _watches.Values) watch.Dispose();
        }

        // The later life of a service before the earlier one, with whose end it would begin.
        foreach (var driver in drivers.AsEnumerable().Reverse()) driver.LetGo();
        await Task.WhenAll(drivers.Select(d => d.Ended));
    }

    private RequestOutcome Ask(ServiceName name, Action<ServiceDriver> tell)
    {
        lock (_lock)
        {
            if (_drivers.TryGetValue(name, out var driver))
            {
                tell(driver);
                return new RequestOutcome.Accepted();
            }

            return _leaving.Exists(d => d.Name == name)
                ? new RequestOutcome.Refused($"service `{name}` is leaving the estate: it is being stopped for good", "`stoker up` starts it again when it is gone")
                : Unknown(name);
        }
    }

    private List<ServiceDriver> Living() => [.. _leaving, .. _drivers.Values];

    private ServiceDriver Place(ServicePlan plan, AdoptedEstate adopted, bool resume)
    {
        if (_drivers.TryGetValue(plan.Name, out var known))
        {
            known.Post(new ServiceFact.PlanChanged(doors.Clock.GetUtcNow(), plan));
            return known;
        }

        // What is to start now does not show first how it had ended; a task that was done stays done.
        var life = ServicePolicy.Begin(plan, doors.Clock.GetUtcNow(), resume ? adopted.Ended(plan.Name) : adopted.Done(plan));
        IServiceHands? own = null;
        var driver = new ServiceDriver(life, doors.Board, doors.Journal, d => own = hands(d.Post, () => ContextOf(plan.Name)));
        foreach (var record in adopted.Alive(plan.Name))
        {
            if (own!.Adopt(record, life) is { } fact) driver.Post(fact);
        }

        // After what is alive, so that a change of the declaration meets the processes it concerns.
        driver.Post(new ServiceFact.PlanChanged(doors.Clock.GetUtcNow(), plan));
        _drivers[plan.Name] = driver;
        driver.Begin(_leaving.FindLast(d => d.Name == plan.Name)?.Ended);
        return driver;
    }

    /// <param name="leaving">Names of living services, each with why it leaves.</param>
    private void Leave(Dictionary<ServiceName, string> leaving)
    {
        var names = leaving.Keys.ToHashSet();
        foreach (var (name, why) in leaving)
        {
            _drivers.Remove(name, out var driver);
            _leaving.Add(driver!);
            driver!.Leave(new ServiceFact.StopRequested(doors.Clock.GetUtcNow(), DependentsOf(name, names), Forget: true, why));
            _ = driver.Ended.ContinueWith(_ => Forget(driver), TaskScheduler.Default);
        }
    }

    private void Forget(ServiceDriver driver)
    {
        lock (_lock) _leaving.Remove(driver);
    }

    private HashSet<ServiceName> DependentsOf(ServiceName name, HashSet<ServiceName> among) =>
        [.. Plans.Values.Where(p => among.Contains(p.Name) && p.Dependencies.Any(d => d.Service == name)).Select(p => p.Name)];

    private void ConnectPeers()
    {
        var dependents = Plans.Values.SelectMany(p => p.Dependencies.Select(d => (d.Service, Dependent: p.Name))).ToLookup(pair => pair.Service, pair => pair.Dependent);
        foreach (var plan in Plans.Values)
        {
            var peers = plan.Dependencies.Select(d => d.Service).Concat(dependents[plan.Name]);
            doors.Board.Listen(peers, _drivers[plan.Name].Post);
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
