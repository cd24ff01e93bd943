using Stoker.Estates;
using Stoker.Platform;

namespace Stoker.Supervision;

/// <summary>The states of a service and of a replica, as <c>stoker status</c> shows them in lower case.</summary>
internal enum ServiceState
{
    /// <summary>For its dependencies, named in the reason.</summary>
    Waiting,

    /// <summary>Alive, not yet healthy for the first time.</summary>
    Starting,

    Healthy,

    /// <summary>Alive, and there is no healthcheck.</summary>
    Running,

    Unhealthy,

    /// <summary>Ended; will be started again when the delay is over.</summary>
    Backoff,

    Stopping,

    /// <summary>By request.</summary>
    Stopped,

    /// <summary>Ended by itself with success, and is not restarted.</summary>
    Completed,

    /// <summary>Ended without success and will not be started again by itself.</summary>
    Failed,
}

/// <summary>What is true of one service now: the snapshot that its driver publishes and everyone else reads.</summary>
internal sealed record ServiceStatus(ServiceName Name, ServiceState State, DateTimeOffset Since)
{
    public string? Group { get; init; }

    public string? Host { get; init; }

    /// <summary>It runs on another host, and is only asked for its health from here.</summary>
    public bool IsRemote { get; init; }

    /// <summary>Being stopped is nothing wrong: it starts when somebody asks for it.</summary>
    public bool StartsOnRequest { get; init; }

    /// <summary>Why a stand-in runs in its place; null for the real thing.</summary>
    public string? StandIn { get; init; }

    /// <summary>In words, why it is in this state, where the state alone does not say it.</summary>
    public string? Reason { get; init; }

    /// <summary>The dependencies it waits for now.</summary>
    public IReadOnlyList<ServiceName> WaitsFor { get; init; } = [];

    public IReadOnlyList<string> Gpus { get; init; } = [];

    public IReadOnlyList<string> NotEnforced { get; init; } = [];

    public IReadOnlyList<ReplicaStatus> Replicas { get; init; } = [];

    /// <summary>Restarts by itself of all replicas since the service was started.</summary>
    public int Restarts => Replicas.Sum(r => r.Restarts);

    public int? Pid => Replicas.Count > 0 ? Replicas[0].Pid : null;
}

internal sealed record ReplicaStatus(int Index, ServiceState State, DateTimeOffset Since)
{
    public string? Reason { get; init; }

    public int? Pid { get; init; }

    public int Restarts { get; init; }

    public IReadOnlyList<int> Ports { get; init; } = [];

    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>From start to first healthy (or to running) of the current or last run.</summary>
    public TimeSpan? StartTook { get; init; }

    public ExitRecord? LastExit { get; init; }

    /// <summary>When the next start is due, in <see cref="ServiceState.Backoff"/>.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    public string? LastProbe { get; init; }

    /// <summary>What the service says of itself by <c>sd_notify</c>'s STATUS.</summary>
    public string? OwnStatus { get; init; }
}

/// <param name="LastWords">Last line that the process wrote, standard error preferred.</param>
/// <param name="OutOfMemory">Its control group reached its limit of memory during the run, and the kernel killed some process of it.</param>
internal sealed record ExitRecord(ExitStatus Status, DateTimeOffset At, string? LastWords, bool OutOfMemory = false)
{
    /// <summary><c>exited with 1</c>, <c>killed by SIGKILL, out of memory</c>.</summary>
    public string Ending => OutOfMemory ? $"{Status}, out of memory" : Status.ToString();
}

/// <summary>One line of the journal: a transition with its cause.</summary>
/// <param name="Sequence">Counts from 1 without gaps over the life of the state directory.</param>
/// <param name="Service">Null for events of the estate and the daemon.</param>
/// <param name="Kind">Past tense: <c>started</c>, <c>became_healthy</c>, <c>exited</c>, <c>restart_scheduled</c>, <c>stopped</c>, …</param>
/// <param name="Text">The whole event in words.</param>
/// <param name="Cause">Sequence of the event that caused this one, when it is known.</param>
internal sealed record EstateEvent(long Sequence, DateTimeOffset At, ServiceName? Service, int? Replica, string Kind, ServiceState? State, string Text, long? Cause);
