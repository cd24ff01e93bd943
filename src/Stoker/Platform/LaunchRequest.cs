namespace Stoker.Platform;

/// <summary>What to start, and how. Nothing is inherited from the daemon but its resource limits, cgroup and namespaces.</summary>
internal sealed record LaunchRequest(
    string Executable,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    string WorkingDirectory)
{
    /// <summary>
    /// What becomes descriptor 1, opened for reading and writing: a FIFO stays open for as long as the child lives, so
    /// writing neither blocks for want of a reader nor ends in SIGPIPE when the daemon is gone. Null: /dev/null.
    /// </summary>
    public string? Output { get; init; }

    /// <summary>The same for descriptor 2.</summary>
    public string? ErrorOutput { get; init; }

    public UserIdentity? User { get; init; }

    public int? Umask { get; init; }

    /// <summary>The nice value itself (-20 to 19), not a difference to the daemon's.</summary>
    public int? Nice { get; init; }

    public IReadOnlyList<ResourceLimit> Limits { get; init; } = [];
}

/// <summary>Who a process runs as.</summary>
internal sealed record UserIdentity(uint UserId, uint GroupId, IReadOnlyList<uint> Groups)
{
    /// <summary>The login name, or the number where there is none: for messages.</summary>
    public string Name { get; init; } = UserId.ToString();

    public string? Home { get; init; }
}

/// <summary>What setrlimit(2) limits; the values are the kernel's numbers.</summary>
internal enum Resource
{
    Cpu = 0,
    FileSize = 1,
    Data = 2,
    Stack = 3,
    Core = 4,
    ResidentSet = 5,
    Processes = 6,
    OpenFiles = 7,
    LockedMemory = 8,
    AddressSpace = 9,
    Locks = 10,
    PendingSignals = 11,
    MessageQueue = 12,
    Nice = 13,
    RealTimePriority = 14,
    RealTimeMicroseconds = 15,
}

/// <summary>One limit, in the resource's own unit; <see cref="Unlimited"/> is the kernel's RLIM_INFINITY.</summary>
internal sealed record ResourceLimit(Resource Resource, ulong Soft, ulong Hard)
{
    public const ulong Unlimited = ulong.MaxValue;

    /// <summary>Compose's name for it (<c>ulimits: {nofile: …}</c>), which is also the option of prlimit(1).</summary>
    public string Name => NameOf(Resource);

    public static string Text(ulong value) => value == Unlimited ? "unlimited" : value.ToString();

    public static bool TryResource(string name, out Resource resource)
    {
        foreach (var candidate in Enum.GetValues<Resource>())
        {
            if (NameOf(candidate) == name)
            {
                resource = candidate;
                return true;
            }
        }

        resource = default;
        return false;
    }

    private static string NameOf(Resource resource) => resource switch
    {
        Resource.Cpu => "cpu",
        Resource.FileSize => "fsize",
        Resource.Data => "data",
        Resource.Stack => "stack",
        Resource.Core => "core",
        Resource.ResidentSet => "rss",
        Resource.Processes => "nproc",
        Resource.OpenFiles => "nofile",
        Resource.LockedMemory => "memlock",
        Resource.AddressSpace => "as",
        Resource.Locks => "locks",
        Resource.PendingSignals => "sigpending",
        Resource.MessageQueue => "msgqueue",
        Resource.Nice => "nice",
        Resource.RealTimePriority => "rtprio",
        Resource.RealTimeMicroseconds => "rttime",
    };
}
