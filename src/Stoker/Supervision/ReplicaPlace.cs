using Stoker.Estates;
using Stoker.Logs;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Probes;
using Stoker.Runtimes;

namespace Stoker.Supervision;

/// <summary>What one replica has on this machine, whichever run it is in: name, pipes, log, control group, notify socket and record.</summary>
internal sealed class ReplicaPlace(SupervisionDoors doors, ServiceName service, int replica, Func<LaunchContext> context)
{
    public SupervisionDoors Doors => doors;

    public ServiceName Service => service;

    public int Replica => replica;

    public DateTimeOffset Now => doors.Clock.GetUtcNow();

    /// <summary>What tells replicas of the estate apart: <c>vision.1</c>.</summary>
    public string Key => $"{service}.{replica}";

    public (string Output, string Error) Pipes => (Pipe("out"), Pipe("err"));

    public ReplicaPlan PlanOf(ServicePlan plan)
    {
        var own = plan.Replicas.FirstOrDefault(r => r.Index == replica) ?? new ReplicaPlan(replica, []);
        return plan.AsksRoom && doors.Partitions?.Invoke(service, replica) is { Count: > 0 } instances ? own with { GpuPartitions = instances } : own;
    }

    public Cgroup? Cgroup() => doors.Cgroups?.Create(Key);

    /// <summary>The group that an earlier daemon has put its process into, wherever that daemon made it; null: none.</summary>
    public Cgroup? CgroupOf(int pid) => doors.Cgroups?.Find(Key, pid);

    public LogAttachment AttachLog(ServicePlan plan)
    {
        var (output, error) = Pipes;
        Files.MakeFifo(output);
        Files.MakeFifo(error);
        var rotation = new LogRotation(plan.Spec.Logging.MaxSize.Bytes, plan.Spec.Logging.MaxFiles);
        return doors.Pump.Attach(new LogSource(service.Value, replica, output, error, Path.Combine(doors.Places.Logs, $"{Key}.log"), rotation, context().Materials.SecretValues));
    }

    /// <summary>
    /// Null where the service does not speak <c>sd_notify</c>. The path is the same for every run, so the ear of an earlier one must be
    /// closed; a process that was taken over goes on speaking to the path it was given.
    /// </summary>
    public NotifySocket? BindNotify(ServicePlan plan) => plan.Spec.Healthcheck?.Probe is ProbeSpec.Notify
        ? NotifySocket.Bind(doors.Places.Notify, doors.Places.NotifyFallback, Key, LaunchComposer.UserOf(plan.Spec)?.UserId)
        : null;

    public LaunchSurroundings Surroundings(ServicePlan plan, NotifySocket? notify) => new(doors.Estate, context().Variables, doors.ProgramPath)
    {
        StandInArguments = plan.Runtime == RuntimeKind.StandIn ? Rehearsal.Arguments(plan, PlanOf(plan), context().IsAwaited) : [],
        OutputFifo = Pipes.Output,
        ErrorFifo = Pipes.Error,
        NotifySocket = notify?.Path,
        Materials = Materials.Write(context().Materials, doors.Places.Secrets, Key, LaunchComposer.UserOf(plan.Spec), plan.Runtime == RuntimeKind.Container),
        Cgroup = Cgroup(),
        State = Path.GetDirectoryName(doors.Places.Replicas)!,
        Mps = doors.Places.Mps,
        Declared = context().Estate,
    };

    /// <summary>Before the start, so that a daemon killed in that very moment leaves the run's mark behind.</summary>
    public void SaveBeforeStart(string runId, int number, ContainerHandle? container) =>
        doors.Records.Save(new ReplicaRecord(service.Value, replica, runId, number, HostEnvironment.BootId) { Container = container?.Name, Tool = container?.Tool });

    /// <param name="run">Null: nothing of it runs, and its state is what a later daemon has to know.</param>
    public void Save(ServiceLife life, ReplicaRun? run)
    {
        if (life.Replicas.FirstOrDefault(r => r.Index == replica) is not { } state) return;
        if (run is null)
        {
            doors.Records.Save(new ReplicaRecord(service.Value, replica, "", state.Run, HostEnvironment.BootId)
            {
                Ended = state.State,
                Since = state.Since,
                Fingerprint = life.Plan.Fingerprint,
                Restarts = state.Restarts,
            });
            return;
        }

        doors.Records.Save(new ReplicaRecord(service.Value, replica, run.Handle.RunId, state.Run, HostEnvironment.BootId)
        {
            Pid = run.Handle.Main.Pid,
            StartTicks = run.Handle.Main.StartTicks,
            SessionId = run.Handle.SessionId,
            Fingerprint = state.Fingerprint ?? life.Plan.Fingerprint,
            StartedAt = state.StartedAt ?? Now,
            WasHealthy = state.Health.EverHealthy,
            State = state.State,
            Since = state.Since,
            Restarts = state.Restarts,
            Attempt = state.Attempt,
            Ports = state.Ports,
            Container = run.Handle.Container?.Name,
            Tool = run.Handle.Container?.Tool,
            Image = state.Image,
            StopSignal = life.Plan.Spec.StopSignal,
        });
    }

    public void DropRecord() => doors.Records.Drop(service.Value, replica);

    private string Pipe(string stream) => Path.Combine(doors.Places.Pipes, $"{Key}.{stream}");
}
