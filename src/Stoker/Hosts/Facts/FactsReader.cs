using Stoker.Platform;

namespace Stoker.Hosts.Facts;

/// <summary>
/// What a machine is: processors, memory, disks, network, system, sensors, GPUs, and what services run on.
/// <code>
///  /proc, /sys, /etc ─→ readers, each a pure function of a tree of files ─┐
///  calls, NVML, tools ─→ answers, asked beside each other ────────────────┴─→ HostFacts, with a reason for each fact that is not in it
/// </code>
/// Promises: nothing is guessed, changed or left running; a tool or a server that hangs costs its own fact and no more than its limit. Refuses nothing: without root, in a
/// container or on an unknown machine it tells what it can.
/// </summary>
internal static class FactsReader
{
    /// <summary>For file systems of servers that may be gone, and for declared endpoints.</summary>
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(1);

    public static async Task<HostFacts> ReadAsync(FactDoors doors, IReadOnlyList<DeclaredEndpoint> endpoints)
    {
        var begun = doors.Clock.GetTimestamp();
        var takenAt = doors.Clock.GetUtcNow();
        var source = new FactSource(doors.Files);
        var packages = new PackageDatabase(doors);

        // What waits for others begins first, and is waited for last.
        var nvml = Task.Run(doors.Nvml);
        var runtimes = RuntimeReader.ReadAsync(doors, source, packages);
        var reach = ReachReader.AskAsync(endpoints, AnswerLimit, doors.Clock);
        var disks = DiskHealth.AddAsync(DiskReader.Read(source), doors, source);
        var mounts = AddSpaceAsync(MountReader.Read(source), doors, source);

        var cpu = CpuReader.Read(source);
        var memory = MemoryReader.Read(source);
        var network = new NetworkFacts(LinkReader.Read(source, Addresses(doors, source)), RouteReader.Read(source), RouteReader.ReadNames(source), []);
        var python = PythonReader.Read(source, doors.Homes);
        var facts = new HostFacts(
            takenAt, 0, OsReader.Read(source), MachineReader.Read(source, doors.Hypervisor()), cpu, memory, NumaReader.Read(source), await disks, await mounts, network,
            PowerReader.Read(source), SensorReader.Read(source), await GpuAsync(source, doors, packages, nvml), await runtimes, python, []);
        return facts with
        {
            Network = network with { Reach = await reach },
            Unknown = [.. source.Unknown.OrderBy(u => u.Fact, StringComparer.Ordinal)],
            TookMs = Math.Round(doors.Clock.GetElapsedTime(begun).TotalMilliseconds, 1),
        };
    }

    private static IReadOnlyList<LinkAddress> Addresses(FactDoors doors, FactSource source)
    {
        try
        {
            return doors.Addresses();
        }
        catch (IOException e)
        {
            source.Note("network.links.addresses", e.Message);
            return [];
        }
    }

    /// <summary>A driver that hangs in its library hangs whoever called it: that thread is left behind.</summary>
    private static async Task<GpuFacts> GpuAsync(FactSource source, FactDoors doors, PackageDatabase packages, Task<NvmlAnswer> nvml)
    {
        NvmlAnswer answer;
        try
        {
            answer = await nvml.WaitAsync(FactDoors.ToolLimit, doors.Clock);
        }
        catch (TimeoutException)
        {
            answer = new NvmlAnswer.Failed($"NVML does not answer within {FactDoors.ToolLimit.TotalSeconds:0} s");
        }

        return await GpuFactsReader.ReadAsync(source, doors, packages, answer);
    }

    private static async Task<IReadOnlyList<MountFacts>> AddSpaceAsync(IReadOnlyList<MountFacts> mounts, FactDoors doors, FactSource source) =>
        await Task.WhenAll(mounts.Select(async mount =>
        {
            if (!MountReader.IsRemote(mount)) return With(mount, doors.Space(mount.Path));
            try
            {
                return With(mount, await Task.Run(() => doors.Space(mount.Path)).WaitAsync(AnswerLimit, doors.Clock));
            }
            catch (TimeoutException)
            {
                source.Note($"mounts.{mount.Path}.size", $"{mount.Source} does not answer within {AnswerLimit.TotalSeconds:0} s");
                return mount;
            }
        }));

    private static MountFacts With(MountFacts mount, FileSystemSpace? space) => space is null ? mount : mount with { Size = space.Total, Free = space.Free };
}
