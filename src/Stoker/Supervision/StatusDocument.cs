using Stoker.Estates;

namespace Stoker.Supervision;

/// <summary>What is published of a whole estate: the answer of <c>GET /v1/status</c>, and word for word what <c>stoker status --json</c> prints.</summary>
/// <param name="Host">The host of the estate that this daemon runs; null when the estate declares none.</param>
/// <param name="Services">In the order of the file: those without a group, then group by group as services first mention them.</param>
internal sealed record StatusDocument(string Estate, string? Host, IReadOnlyList<ServiceDocument> Services)
{
    /// <summary>The services of this host, in the order of the document.</summary>
    /// <param name="inFile">Of the whole estate; what is leaving it, and not in the file any more, comes last by name.</param>
    public static IReadOnlyList<ServiceDocument> InOrder(IReadOnlyDictionary<ServiceName, ServiceStatus> statuses, IEnumerable<ServiceName> inFile)
    {
        var declared = inFile.ToList();
        var gone = statuses.Keys.Except(declared).Order();
        var shown = declared.Concat(gone).Where(statuses.ContainsKey).Select(name => statuses[name]).Where(s => !s.IsRemote);
        return [.. shown.GroupBy(s => s.Group).OrderBy(g => g.Key is not null).SelectMany(g => g).Select(ServiceDocument.From)];
    }
}

/// <summary>One service of this host.</summary>
internal sealed record ServiceDocument(string Name, ServiceState State, DateTimeOffset Since)
{
    public string? Group { get; init; }

    public string? Host { get; init; }

    /// <summary>Of the first replica, while it has a process.</summary>
    public int? Pid { get; init; }

    /// <summary>Restarts by itself, of all replicas.</summary>
    public int Restarts { get; init; }

    /// <summary>Being stopped is nothing wrong: it starts when somebody asks for it.</summary>
    public bool StartsOnRequest { get; init; }

    /// <summary>Why a stand-in runs in its place; null for the real thing.</summary>
    public string? StandIn { get; init; }

    public IReadOnlyList<string> Gpus { get; init; } = [];

    /// <summary>In words, why it is in this state.</summary>
    public string? Reason { get; init; }

    public IReadOnlyList<string> NotEnforced { get; init; } = [];

    public IReadOnlyList<string> WaitsFor { get; init; } = [];

    public IReadOnlyList<ReplicaDocument> Replicas { get; init; } = [];

    public static ServiceDocument From(ServiceStatus status) => new(status.Name.Value, status.State, status.Since)
    {
        Group = status.Group,
        Host = status.Host,
        Pid = status.Pid,
        Restarts = status.Restarts,
        StartsOnRequest = status.StartsOnRequest,
        StandIn = status.StandIn,
        Gpus = status.Gpus,
        Reason = status.Reason,
        NotEnforced = status.NotEnforced,
        WaitsFor = [.. status.WaitsFor.Select(name => name.Value)],
        Replicas = [.. status.Replicas.Select(ReplicaDocument.From)],
    };
}

/// <summary>One running copy; <paramref name="Index"/> counts from 1.</summary>
internal sealed record ReplicaDocument(int Index, ServiceState State, DateTimeOffset Since)
{
    public int? Pid { get; init; }

    public int Restarts { get; init; }

    public IReadOnlyList<int> Ports { get; init; } = [];

    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>From start to first healthy (or to running), in milliseconds.</summary>
    public double? StartTookMs { get; init; }

    public ExitDocument? LastExit { get; init; }

    public DateTimeOffset? RetryAt { get; init; }

    public string? LastProbe { get; init; }

    public string? OwnStatus { get; init; }

    public string? Reason { get; init; }

    /// <summary>Of one processor, so 150 is one and a half; null until measured twice.</summary>
    public double? CpuPercent { get; init; }

    /// <summary>Resident memory of its processes.</summary>
    public long? MemoryBytes { get; init; }

    public static ReplicaDocument From(ReplicaStatus status) => new(status.Index, status.State, status.Since)
    {
        Pid = status.Pid,
        Restarts = status.Restarts,
        Ports = status.Ports,
        StartedAt = status.StartedAt,
        StartTookMs = status.StartTook?.TotalMilliseconds,
        LastExit = status.LastExit is { } exit ? ExitDocument.From(exit) : null,
        RetryAt = status.RetryAt,
        LastProbe = status.LastProbe,
        OwnStatus = status.OwnStatus,
        Reason = status.Reason,
    };
}

/// <summary>How a process ended. Code and signal both null: it ended while no daemon could see how.</summary>
/// <param name="LastWords">The last line it wrote.</param>
/// <param name="OutOfMemory">The kernel killed it, or a process that it had started, for want of memory.</param>
internal sealed record ExitDocument(int? Code, int? Signal, DateTimeOffset At, string? LastWords, bool OutOfMemory)
{
    public static ExitDocument From(ExitRecord exit) => new(exit.Status.Code, exit.Status.Signal, exit.At, exit.LastWords, exit.OutOfMemory);
}
