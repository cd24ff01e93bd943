using Stoker.Estates;
using Stoker.Logs;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Probes;
using Stoker.Runtimes;

namespace Stoker.Supervision;

/// <summary>
/// Does to one replica what was decided, and reports what happens to it. Called by the driver's loop only; what comes back later
/// (the end of a process, a probe's answer, a timer) is posted as a fact that names the run it belongs to.
/// </summary>
internal sealed class ReplicaHand(SupervisionDoors doors, ServiceName service, int replica, Action<ServiceFact> post, Func<LaunchContext> context)
    : IAsyncDisposable
{
    private readonly ReplicaTimers _timers = new(doors.Clock, post);
    private LogAttachment? _log;
    private ReplicaRun? _run;
    private ReplicaHealth? _health;
    private LogEar? _ear;
    private CancellationTokenSource _sweep = new();

    private string Key => $"{service}.{replica}";

    public IReadOnlyList<ServiceFact> Do(ServiceAction.OfReplica action, ServiceLife life)
    {
        switch (action)
        {
            case ServiceAction.Launch launch:
                return [Launch(launch, life)];
            case ServiceAction.Arm arm:
                _timers.Arm(arm);
                break;
            case ServiceAction.SaveRecord:
                Save(life);
                break;
            case ServiceAction.DropRecord:
                doors.Records.Drop(service.Value, replica);
                LeaveRun();
                break;
            case ServiceAction.StartProbing probing:
                StartProbing(probing.Run, life);
                break;
            case ServiceAction.StopProbing:
                _health?.Dispose();
                _health = null;
                break;
            case ServiceAction.Signal signal when _run is { } run:
                _ = ReportAsync(signal.Run, () => run.Runtime.SignalAsync(run.Handle, signal.Number));
                break;
            case ServiceAction.Sweep sweep:
                return Sweep(sweep);
            case ServiceAction.RunHook hook when _run is { } run:
                _ = RunHookAsync(hook, run, life.Plan.Spec);
                break;
            case ServiceAction.Reload reload when _run is { } run:
                Reload(reload, run, life.Plan.Spec);
                break;
            case ServiceAction.MainPidChanged changed when _run is { } run:
                return ChangeMain(changed, run);
        }

        return [];
    }

    public ServiceFact.Adopted? Adopt(ReplicaRecord record, ServiceLife life)
    {
        if (ChildProcess.Adopt(record.Pid, record.StartTicks) is not { } process) return null;
        var handle = new RunHandle(record.RunId, process, record.SessionId) { Cgroup = CgroupOf(), Container = record.Handle() };
        var around = Surroundings(life.Plan, PathOfNotify(life.Plan));
        Begin(new ReplicaRun(handle, record.Container is null ? doors.Processes : doors.Containers, handle.Container?.Environment ?? Environment(life.Plan, record.RunId, around)) { Notify = HearAgain(life.Plan), Began = record.StartedAt }, record.Run, life.Plan);
        Listen(life.Plan);
        var found = new AdoptedReplica(record.Pid, record.StartedAt == default ? doors.Clock.GetUtcNow() : record.StartedAt, record.WasHealthy, record.Restarts, record.Attempt, record.Fingerprint, record.Ports);
        return new ServiceFact.Adopted(doors.Clock.GetUtcNow(), replica, record.Run, found);
    }

    public static string KindOf(ServiceLife life) => ProbesModule.KindOf(life.Plan.Spec.Healthcheck?.Probe ?? new ProbeSpec.None());

    public async Task<AskedReplica> AskAsync(ServiceLife life, CancellationToken cancel)
    {
        var kind = KindOf(life);
        if (_run is not { } run || life.Plan.Spec.Healthcheck is not { } check)
            return new AskedReplica(replica, "not_asked", "no healthcheck is declared", TimeSpan.Zero, kind);
        if (ProbeFactory.Create(check.Probe, run.Target(life.Plan, ReplicaPlanOf(life.Plan)), check.Timeout, doors.Clock) is not { } probe)
            return new AskedReplica(replica, "not_asked", $"its health is not asked but told ({kind}): {life.Replicas.First(r => r.Index == replica).Health.Reason}", TimeSpan.Zero, kind);
        var outcome = await probe.AskAsync(cancel);
        var word = outcome switch
        {
            ProbeOutcome.Healthy => "healthy",
            ProbeOutcome.TimedOut => "timed_out",
            _ => "unhealthy",
        };
        return new AskedReplica(replica, word, outcome.Detail, outcome.Took, kind);
    }

    /// <summary>The daemon lets go: processes and records stay for the next one.</summary>
    public ValueTask DisposeAsync()
    {
        _timers.Dispose();
        _health?.Dispose();
        _sweep.Cancel();
        _run?.Dispose();
        _log?.Detach();
        return ValueTask.CompletedTask;
    }

    private ServiceFact Launch(ServiceAction.Launch action, ServiceLife life)
    {
        var plan = life.Plan;
        var runId = Guid.NewGuid().ToString("n");
        var began = doors.Clock.GetUtcNow();
        try
        {
            if (_log is null)
            {
                _log = doors.Pump.Attach(LogSourceOf(plan));
                // An unfinished line of a run that no daemon saw the end of must not be joined to the first line of this one.
                _ = _log.DrainAsync();
            }

            Listen(plan);
            var around = Surroundings(plan, plan.Spec.Healthcheck?.Probe is ProbeSpec.Notify ? BindNotify(plan) : null);
            var launch = LaunchComposer.Compose(plan, ReplicaPlanOf(plan), runId, around);
            doors.Records.Save(new ReplicaRecord(service.Value, replica, runId, action.Run, HostEnvironment.BootId) { Container = launch.Container?.Name, Tool = launch.Container?.Tool });
            var runtime = doors.RuntimeOf(plan);
            switch (runtime.Launch(launch))
            {
                case LaunchOutcome.Launched launched:
                    var handle = new RunHandle(runId, launched.Process, launched.Process.Pid) { Cgroup = launch.Cgroup, Container = launch.Container };
                    Begin(new ReplicaRun(handle, runtime, launch.Container?.Environment ?? launch.Request.Environment) { Notify = _pendingNotify, Began = began }, action.Run, plan);
                    _pendingNotify = null;
                    return new ServiceFact.Launched(doors.Clock.GetUtcNow(), replica, action.Run, launched.Process.Pid);
                case LaunchOutcome.Refused refused:
                    doors.Records.Drop(service.Value, replica);
                    return Refused(action, refused.Message, refused.Cause is not (LaunchRefusal.OutOfResources or LaunchRefusal.Other));
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return Refused(action, problem.Message, permanent: false);
        }

        throw new InvalidOperationException("a launch has two outcomes");
    }

    private NotifySocket? _pendingNotify;

    private ServiceFact.LaunchRefused Refused(ServiceAction.Launch action, string problem, bool permanent)
    {
        _pendingNotify?.Dispose();
        _pendingNotify = null;
        return new(doors.Clock.GetUtcNow(), replica, action.Run, problem, permanent);
    }

    private void Begin(ReplicaRun run, int number, ServicePlan plan)
    {
        LeaveRun();
        _run = run;
        _log ??= doors.Pump.Attach(LogSourceOf(plan));
        _ = WatchExitAsync(run.Handle.Main, number, run.Began);
        if (run.Notify is { } notify) _ = HearAsync(notify, number, run.Ending);
    }

    private void Listen(ServicePlan plan)
    {
        _ear?.Dispose();
        _ear = plan.Spec.Healthcheck?.Probe is ProbeSpec.Log { Pattern: var pattern } ? new LogEar(pattern, _log!) : null;
    }

    private void LeaveRun()
    {
        _run?.Dispose();
        _run = null;
        _sweep.Cancel();
        _sweep = new CancellationTokenSource();
    }

    private async Task WatchExitAsync(ChildProcess process, int number, DateTimeOffset began)
    {
        var status = await process.Exit;
        if (_run?.Handle.Main != process) return;
        var words = _log is null ? null : await LastWords.TakeAsync(_log, began);
        post(new ServiceFact.Exited(doors.Clock.GetUtcNow(), replica, number, status, words));
    }

    private async Task HearAsync(NotifySocket socket, int number, CancellationToken cancel)
    {
        try
        {
            await foreach (var packet in socket.ReadAllAsync(cancel)) post(Translate(packet.Message, number));
        }
        catch (OperationCanceledException)
        {
            // The run has ended.
        }
    }

    private ServiceFact.Notified Translate(NotifyMessage message, int number) => new(doors.Clock.GetUtcNow(), replica, number)
    {
        Ready = message.Ready,
        Stopping = message.Stopping,
        WatchdogAlive = message.KeepAlive,
        WatchdogTrigger = message.WatchdogTrigger,
        Status = message.Status,
        ExtendTimeout = message.ExtendTimeout,
        WatchdogPeriod = message.WatchdogTime,
        MainPid = message.MainPid,
    };

    private void StartProbing(int number, ServiceLife life)
    {
        _health?.Dispose();
        _health = null;
        if (life.Plan.Spec.Healthcheck is not { } check || _run is not { } run || _log is null) return;
        var everHealthy = life.Replicas.FirstOrDefault(r => r.Index == replica)?.Health.EverHealthy ?? false;
        _health = ReplicaHealth.Begin(check, UntilAskableAsync(check, run, number, everHealthy), run.Target(life.Plan, ReplicaPlanOf(life.Plan)), Key, everHealthy, _ear, doors.Clock,
            outcome => post(new ServiceFact.Probed(doors.Clock.GetUtcNow(), replica, number, outcome)));
    }

    /// <summary>The start period begins when there is somebody to ask: a container may have been pulled or built until then.</summary>
    private async Task UntilAskableAsync(HealthcheckSpec check, ReplicaRun run, int number, bool everHealthy)
    {
        var runs = run.UntilRunsAsync(doors.Clock);
        if (runs.IsCompletedSuccessfully) return;
        await runs;
        if (!everHealthy) post(new ServiceFact.Notified(doors.Clock.GetUtcNow(), replica, number) { ExtendTimeout = check.StartPeriod });
    }

    private IReadOnlyList<ServiceFact> Sweep(ServiceAction.Sweep action)
    {
        if (_run is not { } run) return [new ServiceFact.TreeGone(doors.Clock.GetUtcNow(), replica, action.Run, 0)];
        // A later sweep with a stronger signal replaces one that still waits.
        _sweep.Cancel();
        _sweep = new CancellationTokenSource();
        var sweeping = run.Runtime.SweepAsync(run.Handle, action.Number, _sweep.Token);
        if (sweeping.IsCompletedSuccessfully) return [new ServiceFact.TreeGone(doors.Clock.GetUtcNow(), replica, action.Run, sweeping.Result)];
        _ = AwaitSweepAsync(sweeping, action.Run, _sweep.Token);
        return [];
    }

    private async Task AwaitSweepAsync(ValueTask<int> sweeping, int number, CancellationToken cancel)
    {
        try
        {
            var killed = await sweeping;
            if (!cancel.IsCancellationRequested) post(new ServiceFact.TreeGone(doors.Clock.GetUtcNow(), replica, number, killed));
        }
        catch (Exception problem) when (problem is IOException or InvalidOperationException or UnauthorizedAccessException)
        {
            post(new ServiceFact.ActionFailed(doors.Clock.GetUtcNow(), replica, number, $"what it started could not be ended: {problem.Message}"));
        }
    }

    private async Task ReportAsync(int number, Func<ValueTask<string?>> act)
    {
        if (await act() is { } problem) post(new ServiceFact.ActionFailed(doors.Clock.GetUtcNow(), replica, number, problem));
    }

    private async Task RunHookAsync(ServiceAction.RunHook action, ReplicaRun run, ServiceSpec spec)
    {
        var hooks = action.Hook == HookKind.PostStart ? spec.PostStart : spec.PreStop;
        string? problem = null;
        if (action.Hook == HookKind.PostStart && await EndsBeforeItRunsAsync(run)) return;
        foreach (var hook in hooks)
        {
            problem = await HookCommand.RunAsync(run, spec, hook, LogSourcePipes());
            if (problem is not null) break;
        }

        post(new ServiceFact.HookFinished(doors.Clock.GetUtcNow(), replica, action.Run, action.Hook, problem));
    }

    private async Task<bool> EndsBeforeItRunsAsync(ReplicaRun run)
    {
        try
        {
            await run.UntilRunsAsync(doors.Clock);
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    private void Reload(ServiceAction.Reload action, ReplicaRun run, ServiceSpec spec)
    {
        if (spec.Reload?.Signal is { } signal) _ = ReportAsync(action.Run, () => run.Runtime.SignalAsync(run.Handle, signal));
        else if (spec.Reload?.Command is { } command)
            _ = ReportAsync(action.Run, async () => await HookCommand.RunAsync(run, spec, command, LogSourcePipes()) is { } problem ? $"reload failed: {problem}" : null);
    }

    private IReadOnlyList<ServiceFact> ChangeMain(ServiceAction.MainPidChanged action, ReplicaRun run)
    {
        // A container's numbers are its own, and mean another process here.
        if (run.Handle.Container is not null) return [];
        if (ProcessTable.Find(action.Pid) is not { } entry || ChildProcess.Adopt(action.Pid, entry.StartTicks) is not { } process)
            return [new ServiceFact.ActionFailed(doors.Clock.GetUtcNow(), replica, action.Run, $"it names pid {action.Pid} as its main process, which does not exist")];
        _run = run with { Handle = run.Handle with { Main = process } };
        _ = WatchExitAsync(process, action.Run, run.Began);
        return [];
    }

    private void Save(ServiceLife life)
    {
        if (life.Replicas.FirstOrDefault(r => r.Index == replica) is not { } state) return;
        if (_run is not { } run)
        {
            doors.Records.Save(new ReplicaRecord(service.Value, replica, "", state.Run, HostEnvironment.BootId) { Ended = state.State, Fingerprint = life.Plan.Fingerprint, Restarts = state.Restarts });
            return;
        }

        doors.Records.Save(new ReplicaRecord(service.Value, replica, run.Handle.RunId, state.Run, HostEnvironment.BootId)
        {
            Pid = run.Handle.Main.Pid,
            StartTicks = run.Handle.Main.StartTicks,
            SessionId = run.Handle.SessionId,
            Fingerprint = state.Fingerprint ?? life.Plan.Fingerprint,
            StartedAt = state.StartedAt ?? doors.Clock.GetUtcNow(),
            WasHealthy = state.Health.EverHealthy,
            Restarts = state.Restarts,
            Attempt = state.Attempt,
            Ports = state.Ports,
            Container = run.Handle.Container?.Name,
            Tool = run.Handle.Container?.Tool,
            StopSignal = life.Plan.Spec.StopSignal,
        });
    }

    private ReplicaPlan ReplicaPlanOf(ServicePlan plan) => plan.Replicas.FirstOrDefault(r => r.Index == replica) ?? new ReplicaPlan(replica, []);

    private IReadOnlyDictionary<string, string> Environment(ServicePlan plan, string runId, LaunchSurroundings around) =>
        LaunchComposer.EnvironmentOf(plan, ReplicaPlanOf(plan), runId, around, LaunchComposer.UserOf(plan.Spec));

    private LaunchSurroundings Surroundings(ServicePlan plan, string? notify) => new(doors.Estate, context().Variables, doors.ProgramPath)
    {
        StandInArguments = plan.Runtime == RuntimeKind.StandIn ? Rehearsal.Arguments(plan, ReplicaPlanOf(plan), context().IsAwaited) : [],
        OutputFifo = Pipe("out"),
        ErrorFifo = Pipe("err"),
        NotifySocket = notify,
        Materials = Materials.Write(context().Materials, doors.Places.Secrets, Key, LaunchComposer.UserOf(plan.Spec), plan.Runtime == RuntimeKind.Container),
        Cgroup = CgroupOf(),
        State = Path.GetDirectoryName(doors.Places.Replicas)!,
        Declared = context().Estate,
    };

    private string BindNotify(ServicePlan plan)
    {
        _run?.Dispose();
        _pendingNotify = NotifySocket.Bind(doors.Places.Notify, doors.Places.NotifyFallback, Key, LaunchComposer.UserOf(plan.Spec)?.UserId);
        return _pendingNotify.Path;
    }

    /// <summary>The service goes on speaking to the path it was given; the socket there is made anew.</summary>
    private NotifySocket? HearAgain(ServicePlan plan) => plan.Spec.Healthcheck?.Probe is ProbeSpec.Notify
        ? NotifySocket.Bind(doors.Places.Notify, doors.Places.NotifyFallback, Key, LaunchComposer.UserOf(plan.Spec)?.UserId)
        : null;

    private string? PathOfNotify(ServicePlan plan) =>
        plan.Spec.Healthcheck?.Probe is ProbeSpec.Notify ? NotifySocket.Choose(doors.Places.Notify, doors.Places.NotifyFallback, Key) : null;

    private Cgroup? CgroupOf() => doors.Cgroups?.Create(Key);

    private string Pipe(string stream) => Path.Combine(doors.Places.Pipes, $"{Key}.{stream}");

    private (string Output, string Error) LogSourcePipes() => (Pipe("out"), Pipe("err"));

    private LogSource LogSourceOf(ServicePlan plan)
    {
        Files.MakeFifo(Pipe("out"));
        Files.MakeFifo(Pipe("err"));
        var rotation = new LogRotation(plan.Spec.Logging.MaxSize.Bytes, plan.Spec.Logging.MaxFiles);
        return new LogSource(service.Value, replica, Pipe("out"), Pipe("err"), Path.Combine(doors.Places.Logs, $"{Key}.log"), rotation, context().Materials.SecretValues);
    }
}
