using Stoker.Platform;

namespace Stoker.Hosts.Facts;

/// <summary>What readers see of a machine: its files, and the few answers that only a call or a tool gives.</summary>
internal sealed record FactDoors
{
    /// <summary>A tool that takes longer is left, and its fact unknown.</summary>
    public static readonly TimeSpan ToolLimit = TimeSpan.FromSeconds(5);

    public required ISystemTree Files { get; init; }

    /// <summary>Of the file system at a path; null where it does not tell.</summary>
    public required Func<string, FileSystemSpace?> Space { get; init; }

    public required Func<IReadOnlyList<LinkAddress>> Addresses { get; init; }

    /// <summary>What the processor says of who runs it.</summary>
    public required Func<string?> Hypervisor { get; init; }

    public required Func<NvmlAnswer> Nvml { get; init; }

    /// <summary>The path of a program; null where it is not installed.</summary>
    public required Func<string, string?> Find { get; init; }

    /// <summary>Runs a tool for its answer.</summary>
    public required Func<string, IReadOnlyList<string>, TimeSpan, Task<ShortCommandOutcome>> Run { get; init; }

    /// <summary>The same for a tool that may list thousands: up to a mebibyte of its answer.</summary>
    public Func<string, IReadOnlyList<string>, TimeSpan, Task<ShortCommandOutcome>> List
    {
        get => field ?? Run;
        init;
    }

    public required TimeProvider Clock { get; init; }

    /// <summary>Directories that Python environments are looked for in, beside the system's own: homes, the estate's.</summary>
    public IReadOnlyList<string> Homes { get; init; } = [];

    /// <summary>This machine.</summary>
    /// <param name="variables">The environment that tools are found and run with.</param>
    public static FactDoors Of(IReadOnlyDictionary<string, string> variables, TimeProvider clock, params IEnumerable<string> homes)
    {
        // Tools of administrators are not on every user's path.
        var path = $"{variables.GetValueOrDefault("PATH") ?? Executables.DefaultPath}:/usr/local/sbin:/usr/sbin:/sbin";
        var environment = new Dictionary<string, string>(variables) { ["LC_ALL"] = "C", ["PATH"] = path };
        return new FactDoors
        {
            Files = new SystemTree(),
            Space = FileSystemSpace.Of,
            Addresses = LinkAddress.All,
            Hypervisor = HypervisorName.Read,
            Nvml = () => Platform.Nvml.Read(),
            Find = command => Executables.Find(command, path, "/"),
            Run = (tool, arguments, limit) => ShortCommand.RunAsync(tool, arguments, environment, limit),
            List = (tool, arguments, limit) => ShortCommand.RunAsync(tool, arguments, environment, limit, 1 << 20),
            Clock = clock,
            Homes = [.. homes],
        };
    }
}
