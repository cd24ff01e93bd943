using Stoker.Estates;
using Stoker.Logs;
using Stoker.Planning;
using Stoker.Platform;

namespace Stoker.Supervision;

/// <summary>
/// Does to one replica what was decided, and reports what happens to it. Called by the driver's loop only; what comes back later
/// (the end of a process, a probe's answer, a timer) is posted as a fact that names the run it belongs to.
/// <code>
/// <see cref="ReplicaStart"/> → <see cref="ReplicaRun"/> ─ <see cref="ReplicaWatch"/>: its end, its health, what it says
///                              ├ <see cref="ReplicaHooks"/>: commands beside it
///                              └ <see cref="ReplicaStop"/>: signals, and the end of all it started
/// </code>
/// </summary>
internal sealed class ReplicaHand : IAsyncDisposable
{
    private readonly ReplicaPlace _place;
    private readonly Action<ServiceFact> _post;
    private readonly ReplicaTimers _timers;
    private readonly ReplicaWatch _watch;
    private readonly ReplicaStop _stop;
    private readonly ReplicaHooks _hooks;
    private LogAttachment? _log;
    private ReplicaRun? _run;

    public ReplicaHand(SupervisionDoors doors, ServiceName service, int replica, Action<ServiceFact> post, Func<LaunchContext> context)
    {
        (_place, _post) = (new ReplicaPlace(doors, service, replica, context), post);
        _timers = new ReplicaTimers(doors.Clock, post);
        _watch = new ReplicaWatch(_place, post);
        _stop = new ReplicaStop(_place, post);
        _hooks = new ReplicaHooks(_place, _stop, post);
    }

    public IReadOnlyList<ServiceFact> Do(ServiceAction.OfReplica action, ServiceLife life)
    {
        switch (action)
        {
            case ServiceAction.Launch launch:
                return [Launch(launch, life.Plan)];
            case ServiceAction.AskRoom ask:
                return AskRoom(ask);
            case ServiceAction.Arm arm:
                _timers.Arm(arm);
                break;
            case ServiceAction.SaveRecord:
                _place.Save(life, _run);
                break;
            case ServiceAction.DropRecord:
                _place.DropRecord();
                LeaveRun();
                break;
            case ServiceAction.StartProbing probing when _run is { } run:
                _watch.StartAsking(run, probing.Run, life);
                break;
            case ServiceAction.ReadImage reading when _run is { } run:
                _ = _watch.ReadImageAsync(run, reading.Run);
                break;
            case ServiceAction.StopProbing:
                _watch.StopAsking();
                break;
            case ServiceAction.Signal signal when _run is { } run:
                _ = _stop.SignalAsync(run, signal.Run, signal.Number);
                break;
            case ServiceAction.Sweep sweep:
                return _stop.Sweep(_run, sweep);
            case ServiceAction.RunHook hook when _run is { } run:
                _ = _hooks.RunAsync(run, hook, life.Plan.Spec);
                break;
            case ServiceAction.Reload reload when _run is { } run:
                _ = _hooks.ReloadAsync(run, reload.Run, life.Plan.Spec);
                break;
            case ServiceAction.MainPidChanged changed when _run is { } run:
                return ChangeMain(changed, run);
        }

        return [];
    }

    private IReadOnlyList<ServiceFact> AskRoom(ServiceAction.AskRoom ask)
    {
        if (_place.Doors.Room is null) return [new ServiceFact.RoomTold(_place.Now, ask.Replica, ask.Run, new StartRoom.There())];
        _ = AskRoomAsync(ask);
        return [];
    }

    private async Task AskRoomAsync(ServiceAction.AskRoom ask)
    {
        StartRoom room;
        try
        {
            room = await _place.Doors.Room!(_place.Service, ask.Replica);
        }
        catch (Exception fault)
        {
            // A bug or a broken machine must not leave it without an answer: it is asked again.
            room = new StartRoom.NotNow($"its GPUs, which could not be looked at: {fault.Message}");
        }

        _post(new ServiceFact.RoomTold(_place.Now, ask.Replica, ask.Run, room));
    }

    public ServiceFact.Adopted? Adopt(ReplicaRecord record, ServiceLife life)
    {
        if (ReplicaStart.Adopt(_place, life.Plan, record) is not { } run) return null;
        _log = _place.AttachLog(life.Plan);
        _watch.Listen(life.Plan, _log);
        Begin(run, record.Run, _log);
        var found = new AdoptedReplica(record.Pid, record.StartedAt == default ? _place.Now : record.StartedAt, record.WasHealthy, record.Restarts, record.Attempt, record.Fingerprint, record.Ports)
        {
            Image = record.Image,
            Last = record is { State: { } state, Since: { } since } ? (state, since) : null,
        };
        return new ServiceFact.Adopted(_place.Now, _place.Replica, record.Run, found);
    }

    public Task<AskedReplica> AskAsync(ServiceLife life, CancellationToken cancel) => _watch.AskOnceAsync(_run, life, cancel);

    /// <summary>The daemon lets go: processes and records stay for the next one.</summary>
    public ValueTask DisposeAsync()
    {
        _timers.Dispose();
        _watch.Dispose();
        _stop.Dispose();
        _run?.Dispose();
        _log?.Detach();
        return ValueTask.CompletedTask;
    }

    private ServiceFact Launch(ServiceAction.Launch action, ServicePlan plan)
    {
        LeaveRun();
        switch (TryStart(plan, action.Run))
        {
            case StartOutcome.Started { Run: var run }:
                Begin(run, action.Run, _log!);
                return new ServiceFact.Launched(_place.Now, _place.Replica, action.Run, run.Handle.Main.Pid);
            case StartOutcome.Refused refused:
                return new ServiceFact.LaunchRefused(_place.Now, _place.Replica, action.Run, refused.Problem, refused.IsPermanent);
            default:
                throw new InvalidOperationException("a start has two outcomes");
        }
    }

    private StartOutcome TryStart(ServicePlan plan, int number)
    {
        try
        {
            if (_log is null)
            {
                _log = _place.AttachLog(plan);
                // An unfinished line of a run that no daemon saw the end of must not be joined to the first line of this one.
                _ = _log.DrainAsync();
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return new StartOutcome.Refused(problem.Message, IsPermanent: false);
        }

        _watch.Listen(plan, _log);
        return ReplicaStart.Start(_place, plan, number);
    }

    private void Begin(ReplicaRun run, int number, LogAttachment log)
    {
        _run = run;
        _watch.Begin(run, number, log);
    }

    private void LeaveRun()
    {
        _watch.Leave();
        _stop.Leave();
        _run?.Dispose();
        _run = null;
    }

    private IReadOnlyList<ServiceFact> ChangeMain(ServiceAction.MainPidChanged action, ReplicaRun run)
    {
        // A container's numbers are its own, and mean another process here.
        if (run.Handle.Container is not null) return [];
        if (ProcessTable.Find(action.Pid) is not { } entry || ChildProcess.Adopt(action.Pid, entry.StartTicks) is not { } process)
            return [new ServiceFact.ActionFailed(_place.Now, _place.Replica, action.Run, $"it names pid {action.Pid} as its main process, which does not exist")];
        _run = run with { Handle = run.Handle with { Main = process } };
        _watch.Watch(_run, action.Run, _log!);
        return [];
    }
}
