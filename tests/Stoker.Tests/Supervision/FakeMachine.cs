using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Probes;
using Stoker.Supervision;

namespace Stoker.Tests.Supervision;

/// <summary>How a program of the fake machine behaves.</summary>
internal sealed record Behaviour
{
    public bool IgnoresTerm { get; init; }

    /// <summary>Processes it leaves behind when its main process ends.</summary>
    public int LeavesBehind { get; init; }

    public bool CannotStart { get; init; }
}

/// <summary>
/// A machine of facts for <see cref="ServicePolicy"/>: several services, a clock that only tests move, processes that are numbers.
/// Every decision of every service goes through the real policy; what actions do, and which facts follow, is simulated here.
/// </summary>
internal sealed class FakeMachine
{
    private readonly Dictionary<ServiceName, ServiceLife> _lives = [];
    private readonly Dictionary<ServiceName, Behaviour> _behaviours = [];
    private readonly Dictionary<(ServiceName, int, ReplicaTimer), (DateTimeOffset Due, int Run)> _timers = [];
    private readonly Queue<(ServiceName, ServiceFact)> _facts = new();
    private int _pid = 1000;
    private bool _running;

    public DateTimeOffset Now { get; private set; } = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Everything that was done, in order: <c>app launch</c>, <c>app signal 15</c>, …</summary>
    public List<string> Done { get; } = [];

    public List<string> Journal { get; } = [];

    /// <summary>Living processes: service, replica, pid.</summary>
    public Dictionary<int, (ServiceName Service, int Replica, int Run)> Processes { get; } = [];

    public HashSet<ServiceName> Retired { get; } = [];

    public FakeMachine Service(string name, Func<ServiceSpec, ServiceSpec>? declare = null, Behaviour? behaviour = null, int replicas = 1, params (string On, DependencyCondition Condition)[] dependsOn)
    {
        var plan = Plan(name, declare, replicas, dependsOn: [.. dependsOn.Select(d => new DependencyPlan(new ServiceName(d.On), d.Condition, false, true, false, "depends_on"))]);
        return Add(plan, behaviour);
    }

    public FakeMachine Add(ServicePlan plan, Behaviour? behaviour = null)
    {
        _lives[plan.Name] = ServicePolicy.Begin(plan, Now, new Dictionary<int, (ServiceState, DateTimeOffset?)>());
        _behaviours[plan.Name] = behaviour ?? new Behaviour();
        return this;
    }

    public static ServicePlan Plan(string name, Func<ServiceSpec, ServiceSpec>? declare = null, int replicas = 1, string fingerprint = "f1", IReadOnlyList<DependencyPlan>? dependsOn = null)
    {
        var spec = new ServiceSpec(new ServiceName(name), SourcePosition.Whole("stoker.yaml")) { Command = [name] };
        return new ServicePlan(declare?.Invoke(spec) ?? spec, fingerprint)
        {
            Dependencies = dependsOn ?? [],
            Replicas = [.. Enumerable.Range(1, replicas).Select(i => new ReplicaPlan(i, []))],
        };
    }

    public static HealthcheckSpec Check(TimeSpan? interval = null, int retries = 3, TimeSpan? startPeriod = null) =>
        new(new ProbeSpec.Tcp("127.0.0.1", 1), SourcePosition.Whole("stoker.yaml"))
        {
            Interval = interval ?? TimeSpan.FromSeconds(10), Retries = retries, StartPeriod = startPeriod ?? TimeSpan.Zero,
        };

    /// <summary>Of a container whose file says nothing of its health.</summary>
    public static HealthcheckSpec Left() => new(new ProbeSpec.Image(), SourcePosition.Whole("stoker.yaml"))
    {
        LeftToImage = HealthcheckTimes.Interval | HealthcheckTimes.Retries | HealthcheckTimes.StartPeriod,
    };

    public ServiceLife Life(string name) => _lives[new ServiceName(name)];

    public ServiceState State(string name) => ServiceView.StateOf(Life(name));

    public string? Reason(string name) => ServiceView.Of(Life(name)).Reason;

    public IReadOnlyList<int> Pids(string name) => [.. Processes.Where(p => p.Value.Service == new ServiceName(name)).Select(p => p.Key)];

    /// <summary>Asks for all services, as the supervisor does for a new plan.</summary>
    public FakeMachine Up()
    {
        foreach (var name in _lives.Keys.ToList())
        {
            foreach (var peer in _lives.Keys.Where(p => p != name && Concerns(name, p)))
                Post(name, new ServiceFact.PeerChanged(Now, peer, View(peer)));
        }

        foreach (var name in _lives.Keys.ToList()) Post(name, new ServiceFact.StartRequested(Now, ByName: false));
        return Run();
    }

    public FakeMachine Down()
    {
        foreach (var name in _lives.Keys.ToList())
        {
            var dependents = _lives.Values.Where(l => l.Plan.Dependencies.Any(d => d.Service == name)).Select(l => l.Plan.Name).ToHashSet();
            Post(name, new ServiceFact.StopRequested(Now, dependents, Forget: true, "down"));
        }

        return Run();
    }

    public FakeMachine Ask(string name, Func<DateTimeOffset, ServiceFact> fact)
    {
        Post(new ServiceName(name), fact(Now));
        return Run();
    }

    /// <summary>A process of an earlier daemon, found alive.</summary>
    public FakeMachine Adopt(string name, int replica, int pid, ImageHealthcheck? image = null, (ServiceState, DateTimeOffset)? last = null)
    {
        Processes[pid] = (new ServiceName(name), replica, 7);
        return Ask(name, at => new ServiceFact.Adopted(at, replica, 7, new AdoptedReplica(pid, at, WasHealthy: true, 0, 0, "f1", []) { Image = image, Last = last }));
    }

    public FakeMachine Probe(string name, bool healthy, int replica = 1)
    {
        ProbeOutcome outcome = healthy ? new ProbeOutcome.Healthy(TimeSpan.Zero, "ok") : new ProbeOutcome.Unhealthy(TimeSpan.Zero, "connection refused");
        var life = Life(name).Replicas.First(r => r.Index == replica);
        return Ask(name, at => new ServiceFact.Probed(at, replica, life.Run, outcome));
    }

    /// <summary>The container of a replica runs, and this is what its image says of health.</summary>
    public FakeMachine ReadImage(string name, ImageHealthcheck image, int replica = 1)
    {
        var run = Life(name).Replicas.First(r => r.Index == replica).Run;
        return Ask(name, at => new ServiceFact.ImageRead(at, replica, run, image));
    }

    /// <summary>A main process ends by itself.</summary>
    public FakeMachine Exit(string name, int code = 0, string? words = null, int replica = 1)
    {
        var (pid, process) = Processes.First(p => p.Value.Service == new ServiceName(name) && p.Value.Replica == replica);
        Processes.Remove(pid);
        Post(process.Service, new ServiceFact.Exited(Now, replica, process.Run, ExitStatus.Exited(code), words));
        return Run();
    }

    /// <summary>Moves the clock, letting every timer elapse in order.</summary>
    public FakeMachine Pass(TimeSpan time)
    {
        var until = Now + time;
        while (_timers.Where(t => t.Value.Due <= until).OrderBy(t => t.Value.Due).Select(t => t.Key).Take(1).ToList() is [var key])
        {
            var (due, run) = _timers[key];
            _timers.Remove(key);
            if (due > Now) Now = due;
            Post(key.Item1, new ServiceFact.TimerElapsed(Now, key.Item2, run, key.Item3));
            Run();
        }

        Now = until;
        return this;
    }

    private bool Concerns(ServiceName a, ServiceName b) =>
        _lives[a].Plan.Dependencies.Any(d => d.Service == b) || _lives[b].Plan.Dependencies.Any(d => d.Service == a);

    private void Post(ServiceName name, ServiceFact fact) => _facts.Enqueue((name, fact));

    private FakeMachine Run()
    {
        if (_running) return this;
        _running = true;
        while (_facts.TryDequeue(out var next)) Decide(next.Item1, next.Item2);
        _running = false;
        return this;
    }

    private void Decide(ServiceName name, ServiceFact fact)
    {
        if (Retired.Contains(name)) return;
        var before = View(name);
        var pending = new Queue<ServiceFact>([fact]);
        while (pending.TryDequeue(out var next))
        {
            var decision = ServicePolicy.Decide(_lives[name], next);
            _lives[name] = decision.Life;
            foreach (var action in decision.Actions) Do(name, action, pending);
        }

        if (View(name) == before) return;
        foreach (var peer in _lives.Keys.Where(p => p != name && Concerns(p, name))) Post(peer, new ServiceFact.PeerChanged(Now, name, View(name)));
    }

    private PeerView View(ServiceName name) => new(ServiceView.StateOf(_lives[name]), _lives[name].IsAlive, _lives[name].Generation, 0) { Starts = _lives[name].Starts };

    /// <summary>The answer to who asks for room on GPUs; null: none comes.</summary>
    public StartRoom? Room { get; set; } = new StartRoom.There();

    private void Do(ServiceName name, ServiceAction action, Queue<ServiceFact> pending)
    {
        switch (action)
        {
            case ServiceAction.Journal line:
                Journal.Add($"{name} {line.Text}");
                break;
            case ServiceAction.Retire:
                Retired.Add(name);
                break;
            case ServiceAction.AskRoom ask:
                if (Room is { } room) pending.Enqueue(new ServiceFact.RoomTold(Now, ask.Replica, ask.Run, room));
                break;
            case ServiceAction.Launch launch:
                Launch(name, launch, pending);
                break;
            case ServiceAction.Signal signal:
                Done.Add($"{name} signal {signal.Number}");
                if (!_behaviours[name].IgnoresTerm || signal.Number == Signals.Kill) End(name, signal.Replica, signal.Number);
                break;
            case ServiceAction.Sweep sweep:
                Done.Add($"{name} sweep {sweep.Number}");
                End(name, sweep.Replica, sweep.Number);
                if (!Processes.Values.Any(p => p.Service == name && p.Replica == sweep.Replica))
                    pending.Enqueue(new ServiceFact.TreeGone(Now, sweep.Replica, sweep.Run, _behaviours[name].LeavesBehind));
                break;
            case ServiceAction.Arm arm:
                _timers[(name, arm.Replica, arm.Timer)] = (Now + arm.After, arm.Run);
                break;
            case ServiceAction.StartProbing:
                Done.Add($"{name} ask");
                break;
            case ServiceAction.ReadImage:
                Done.Add($"{name} read image");
                break;
            case ServiceAction.RunHook hook:
                Done.Add($"{name} hook {hook.Hook}");
                Post(name, new ServiceFact.HookFinished(Now, hook.Replica, hook.Run, hook.Hook, null));
                break;
        }
    }

    private void Launch(ServiceName name, ServiceAction.Launch launch, Queue<ServiceFact> pending)
    {
        Done.Add($"{name} launch");
        if (_behaviours[name].CannotStart)
        {
            pending.Enqueue(new ServiceFact.LaunchRefused(Now, launch.Replica, launch.Run, "no such file", Permanent: true));
            return;
        }

        Processes[++_pid] = (name, launch.Replica, launch.Run);
        pending.Enqueue(new ServiceFact.Launched(Now, launch.Replica, launch.Run, _pid));
    }

    private void End(ServiceName name, int replica, int signal)
    {
        if (_behaviours[name].IgnoresTerm && signal != Signals.Kill) return;
        foreach (var (pid, process) in Processes.Where(p => p.Value.Service == name && p.Value.Replica == replica).ToList())
        {
            Processes.Remove(pid);
            Post(name, new ServiceFact.Exited(Now, replica, process.Run, ExitStatus.Killed(signal), null));
        }
    }
}
