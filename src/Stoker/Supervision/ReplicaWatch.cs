using Stoker.Estates;
using Stoker.Logs;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Probes;
using Stoker.Runtimes;

namespace Stoker.Supervision;

/// <summary>What is heard and asked of a run while it lives, posted as facts: its end, what it says by <c>sd_notify</c>, its health.</summary>
internal sealed class ReplicaWatch(ReplicaPlace place, Action<ServiceFact> post) : IDisposable
{
    private static readonly TimeSpan BetweenReadings = TimeSpan.FromSeconds(5);

    private ChildProcess? _main;
    private ReplicaHealth? _health;
    private LogEar? _ear;

    /// <summary>Opens the ear for the line that says it is ready, before it can have been written.</summary>
    public void Listen(ServicePlan plan, LogAttachment log)
    {
        _ear?.Dispose();
        _ear = plan.Spec.Healthcheck?.Probe is ProbeSpec.Log { Pattern: var pattern } ? new LogEar(pattern, log) : null;
    }

    /// <param name="number">Which start of the replica it is.</param>
    public void Begin(ReplicaRun run, int number, LogAttachment log)
    {
        Watch(run, number, log);
        if (run.Notify is { } notify) _ = HearAsync(notify, number, run.Ending);
    }

    /// <summary>Its main process is another one now: the end of that is the end of the run.</summary>
    public void Watch(ReplicaRun run, int number, LogAttachment log)
    {
        _main = run.Handle.Main;
        _ = AwaitExitAsync(run, number, log);
    }

    public void StartAsking(ReplicaRun run, int number, ServiceLife life)
    {
        StopAsking();
        if (CheckOf(life) is not { } check) return;
        var everHealthy = life.Replicas.FirstOrDefault(r => r.Index == place.Replica)?.Health.EverHealthy ?? false;
        _health = ReplicaHealth.Begin(
            check, UntilAskableAsync(check, run, number, everHealthy), run.Target(life.Plan, place.PlanOf(life.Plan), place.Doors.GpuUse), place.Key, everHealthy, _ear, place.Doors.Clock,
            outcome => post(new ServiceFact.Probed(place.Now, place.Replica, number, outcome)));
    }

    /// <summary>Tries again until the image has been read, or the run is over.</summary>
    public async Task ReadImageAsync(ReplicaRun run, int number)
    {
        try
        {
            await run.UntilRunsAsync(place.Doors.Clock);
            for (var first = true; await TryReadImageAsync(run, number) is { } problem; first = false)
            {
                if (first) post(new ServiceFact.ActionFailed(place.Now, place.Replica, number, $"the healthcheck of its image cannot be read, which is tried again: {problem}"));
                await Task.Delay(BetweenReadings, place.Doors.Clock, run.Ending);
            }
        }
        catch (OperationCanceledException)
        {
            // The run has ended.
        }
    }

    public void StopAsking()
    {
        _health?.Dispose();
        _health = null;
    }

    /// <summary>The run is over: what still comes of it is nobody's concern.</summary>
    public void Leave() => _main = null;

    public void Dispose() => StopAsking();

    public static string KindOf(ServiceLife life, int replica) => ProbesModule.KindOf(CheckOf(life, replica)?.Probe ?? new ProbeSpec.None());

    /// <summary>Asks once, for a person.</summary>
    /// <param name="run">Null: nothing of it runs.</param>
    public async Task<AskedReplica> AskOnceAsync(ReplicaRun? run, ServiceLife life, CancellationToken cancel)
    {
        var kind = KindOf(life, place.Replica);
        if (run is null || CheckOf(life) is not { Probe: not ProbeSpec.None } check)
            return new AskedReplica(place.Replica, "not_asked", NoneOf(life), TimeSpan.Zero, kind);
        if (check.Probe is ProbeSpec.Image)
            return new AskedReplica(place.Replica, "not_asked", "its image is not known yet", TimeSpan.Zero, kind);
        if (ProbeFactory.Create(check.Probe, run.Target(life.Plan, place.PlanOf(life.Plan), place.Doors.GpuUse), check.Timeout, place.Doors.Clock) is not { } probe)
            return new AskedReplica(place.Replica, "not_asked", $"its health is not asked but told ({kind}): {life.Replicas.First(r => r.Index == place.Replica).Health.Reason}", TimeSpan.Zero, kind);
        var outcome = await probe.AskAsync(cancel);
        var word = outcome switch
        {
            ProbeOutcome.Healthy => "healthy",
            ProbeOutcome.TimedOut => "timed_out",
            _ => "unhealthy",
        };
        return new AskedReplica(place.Replica, word, outcome.Detail, outcome.Took, kind);
    }

    private static HealthcheckSpec? CheckOf(ServiceLife life, int replica) =>
        life.Replicas.FirstOrDefault(r => r.Index == replica) is { } state ? HealthTurns.CheckOf(life.Plan.Spec, state) : life.Plan.Spec.Healthcheck;

    private HealthcheckSpec? CheckOf(ServiceLife life) => CheckOf(life, place.Replica);

    private static string NoneOf(ServiceLife life) =>
        life.Plan.Spec.Healthcheck?.Probe is ProbeSpec.Image ? "no healthcheck is declared, and its image has none" : "no healthcheck is declared";

    /// <summary>Null when it was read, else why not.</summary>
    private async Task<string?> TryReadImageAsync(ReplicaRun run, int number)
    {
        try
        {
            post(new ServiceFact.ImageRead(place.Now, place.Replica, number, await ContainerImage.HealthcheckAsync(run.Handle.Container!)));
            return null;
        }
        catch (IOException problem)
        {
            return problem.Message;
        }
    }

    private async Task AwaitExitAsync(ReplicaRun run, int number, LogAttachment log)
    {
        var process = run.Handle.Main;
        var status = await process.Exit;
        if (_main != process) return;
        var outOfMemory = run.RanOutOfMemory;
        var words = await LastWords.TakeAsync(log, run.Began);
        post(new ServiceFact.Exited(place.Now, place.Replica, number, status, words) { OutOfMemory = outOfMemory });
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

    private ServiceFact.Notified Translate(NotifyMessage message, int number) => new(place.Now, place.Replica, number)
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

    /// <summary>The start period begins when there is somebody to ask: a container may have been pulled or built until then.</summary>
    private async Task UntilAskableAsync(HealthcheckSpec check, ReplicaRun run, int number, bool everHealthy)
    {
        var runs = run.UntilRunsAsync(place.Doors.Clock);
        if (runs.IsCompletedSuccessfully) return;
        await runs;
        if (!everHealthy) post(new ServiceFact.Notified(place.Now, place.Replica, number) { ExtendTimeout = check.StartPeriod });
    }
}
