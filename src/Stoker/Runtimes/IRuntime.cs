using Stoker.Platform;

namespace Stoker.Runtimes;

/// <summary>
/// What runs a replica. Two implementations, one conformance suite: <see cref="ProcessRuntime"/> (plain processes and stand-ins)
/// and containers (Podman or Docker by their command line). In both, the replica's main process is a process
/// of this machine that outlives the daemon and can be adopted by pid and start time: the program itself, or the container
/// tool's client, which lives as long as the container does and passes on its exit code and output.
/// </summary>
internal interface IRuntime
{
    /// <summary>Starts it. Fast and synchronous; a refusal leaves nothing behind.</summary>
    LaunchOutcome Launch(ReplicaLaunch launch);

    /// <summary>Sends a signal to the main process. Null: done, or it has ended already; else what went wrong, in words.</summary>
    ValueTask<string?> SignalAsync(RunHandle run, int signal);

    /// <summary>
    /// Sends a signal to everything the run started, also to what left its session, and waits until nothing is left or the
    /// token fires. Returns how many processes beside the main one were found.
    /// </summary>
    ValueTask<int> SweepAsync(RunHandle run, int signal, CancellationToken cancel);
}

/// <summary>Everything that is needed to start one replica once, worked out beforehand: no decisions are left.</summary>
/// <param name="RunId">Unique to this start; handed down to every descendant as <c>STOKER_RUN</c>.</param>
internal sealed record ReplicaLaunch(string RunId, LaunchRequest Request)
{
    /// <summary>The control group of the replica, or null where there are none.</summary>
    public Cgroup? Cgroup { get; init; }

    public CgroupLimits Limits { get; init; } = new();

    /// <summary>The container it will run in; null for a process.</summary>
    public ContainerHandle? Container { get; init; }
}

/// <summary>A run that has been started or adopted.</summary>
/// <param name="Main">The main process; a service may name another one by <c>sd_notify</c>'s MAINPID.</param>
/// <param name="SessionId">Session that its processes began in.</param>
internal sealed record RunHandle(string RunId, ChildProcess Main, int SessionId)
{
    public Cgroup? Cgroup { get; init; }

    /// <summary>The container it runs in; null for a process.</summary>
    public ContainerHandle? Container { get; init; }
}
