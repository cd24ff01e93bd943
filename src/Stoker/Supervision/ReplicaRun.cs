using Stoker.Planning;
using Stoker.Probes;
using Stoker.Runtimes;

namespace Stoker.Supervision;

/// <summary>One start of a replica and what belongs to it until it is over.</summary>
/// <param name="Environment">What its process was given; hooks, exec probes and reload commands get the same.</param>
internal sealed record ReplicaRun(RunHandle Handle, IRuntime Runtime, IReadOnlyDictionary<string, string> Environment) : IDisposable
{
    private readonly CancellationTokenSource _ending = new();

    /// <summary>Its ear for <c>sd_notify</c>, where the service has one.</summary>
    public NotifySocket? Notify { get; init; }

    /// <summary>What its group had counted before: the group outlives the run.</summary>
    public long EarlierMemoryKills { get; } = Handle.Cgroup?.OutOfMemoryKills ?? 0;

    public bool RanOutOfMemory => Handle.Cgroup is { } group && group.OutOfMemoryKills > EarlierMemoryKills;

    /// <summary>Just before the start: what was written earlier is another run's.</summary>
    public DateTimeOffset Began { get; init; }

    public CancellationToken Ending => _ending.Token;

    public ProbeTarget Target(ServicePlan plan, ReplicaPlan replica, ReplicaGpuUse? gpuUse) => new("127.0.0.1", [.. replica.Ports.Select(p => (p.Declared, p.Published))])
    {
        Environment = Environment,
        WorkingDirectory = Handle.Container is null ? plan.Spec.WorkingDirectory ?? "/" : "/",
        User = LaunchComposer.UserOf(plan.Spec),
        GpuUse = gpuUse is null ? null : cancel => gpuUse(plan.Name.Value, replica.Index, cancel),
        Through = Handle.Container is { } container ? ContainerCommand.Through(container) : [],
    };

    /// <summary>When its program can be asked and told: at once, or, in a container, when that runs.</summary>
    public Task UntilRunsAsync(TimeProvider clock) =>
        Handle.Container is { } container ? ContainerClient.UntilRunningAsync(container, Handle.RunId, clock, Ending) : Task.CompletedTask;

    public void Dispose()
    {
        _ending.Cancel();
        Notify?.Dispose();
        Handle.Main.Dispose();
    }
}
