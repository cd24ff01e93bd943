using Stoker.Platform;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>What a diagnosis sees of the machine beside the driver.</summary>
internal sealed record DiagDoors
{
    public required ISystemTree Files { get; init; }

    /// <summary>Of a device's path.</summary>
    public required Func<string, DeviceAccess> Device { get; init; }

    /// <summary>Lines of the kernel's log that tell of an Xid, oldest first; null where the log may not be read.</summary>
    public required Func<IReadOnlyList<string>?> XidLines { get; init; }

    /// <summary>The name of a process; null where it cannot be seen from here.</summary>
    public required Func<int, string?> CommandOf { get; init; }

    public required int OwnPid { get; init; }

    /// <summary>The environment that the verb was called with.</summary>
    public required IReadOnlyDictionary<string, string> Variables { get; init; }

    /// <summary>What works on the cards; null: CUDA's library is not here. What it cannot do is a <see cref="GpuComputeException"/>.</summary>
    public required Func<IGpuCompute?> Compute { get; init; }

    /// <summary>Whether a program can be run, by its path.</summary>
    public Func<string, bool> CanRun { get; init; } = path => Executables.Find(path, null, "/") is not null;

    /// <summary>Runs a program, with its arguments and environment; null in place of the limit: none but the token.</summary>
    public Func<string, IReadOnlyList<string>, IReadOnlyDictionary<string, string>, TimeSpan?, CancellationToken, Task<ShortCommandOutcome>> Run { get; init; } = ShortCommand.RunAsync;

    /// <summary>This machine.</summary>
    public static DiagDoors Of(IReadOnlyDictionary<string, string> variables) => new()
    {
        Files = new SystemTree(),
        Device = DeviceFile.Try,
        XidLines = () => KernelLog.ReadIfAllowed(line => line.Contains("NVRM: Xid", StringComparison.Ordinal)),
        CommandOf = pid => ProcessTable.Find(pid)?.Command,
        OwnPid = HostEnvironment.ProcessId,
        Variables = variables,
        Compute = () => CudaCompute.Open(),
    };
}
