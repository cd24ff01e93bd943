using Stoker.Estates;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Runtimes;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>Looks at this machine before a plan is made. Everything the planner knows beyond the file comes from here.</summary>
internal static class Observation
{
    public static Observed Of(EstateSpec estate, PlanRequest request, IReadOnlyDictionary<string, string> variables, RunningEstate running)
    {
        var path = variables.GetValueOrDefault("PATH");
        var support = running.Cgroups;
        var driver = NeedsGpus(estate) ? Nvml.Read() : new NvmlAnswer.NotThere();
        var tool = estate.Services.Values.Any(s => s.IsContainer) ? ContainerToolCheck.Shared.Find(variables) : new ContainerToolAnswer.NotInstalled();
        return new Observed
        {
            ContainerTool = (tool as ContainerToolAnswer.Usable)?.Tool,
            ContainerToolProblem = (tool as ContainerToolAnswer.Unusable)?.Why,
            Executables = FindExecutables(estate, path),
            Cpus = HostEnvironment.MachineProcessorCount,
            Memory = new ByteSize(HostEnvironment.TotalMemory),
            Identities = [HostEnvironment.HostName, .. NetworkAddresses.Own()],
            Listening = Listening(ReplicaPorts.ToLookUp(estate, request), running.Pids),
            CgroupControllers = support is CgroupSupport.Available available ? available.Controllers : new HashSet<string>(),
            CgroupProblem = support switch
            {
                CgroupSupport.Unavailable none => none.Reason,
                CgroupSupport.Available { Missing.Length: > 0 } partly => partly.Missing,
                _ => null,
            },
            IsRoot = HostEnvironment.IsRoot,
            MayRaiseHardLimits = HardLimits.MayBeRaised,
            HardLimits = HardLimits.Own(),
            Tunnels = TunnelFiles.Look(estate, variables),
            Gpus = Gpus(driver),
            GpuProblem = (driver as NvmlAnswer.Failed)?.Words,
            Running = running.Services,
            StartTimes = running.StartTimes,
        };
    }

    /// <summary>The driver is loaded only for an estate that says something of GPUs.</summary>
    private static bool NeedsGpus(EstateSpec estate) =>
        estate.Hosts.Values.Any(h => h.Gpus.Count > 0) || estate.Services.Values.Any(s => s.Resources.Gpus.Count > 0);

    private static List<GpuFact> Gpus(NvmlAnswer driver) => driver is NvmlAnswer.Found { Cards: var cards }
        ? [.. cards.Where(c => c is { Uuid: not null, Name: not null, TotalMemory: not null }).Select(c => new GpuFact(c.Index, c.Uuid!, c.Name!, new ByteSize(c.TotalMemory!.Value)))]
        : [];

    private static Dictionary<string, string?> FindExecutables(EstateSpec estate, string? path)
    {
        var found = new Dictionary<string, string?>();
        foreach (var service in estate.Services.Values.Where(s => !s.IsContainer))
        {
            if (CommandWords.Of(service) is not [var word, ..]) continue;
            var own = service.Environment.TryGetValue("PATH", out var declared) ? declared.Value ?? path : path;
            found.TryAdd(word, word == ServiceSpec.OwnProgram ? HostEnvironment.ExecutablePath : Executables.Find(word, own, service.WorkingDirectory ?? estate.Directory));
        }

        if (MpsDaemons.AreWanted(estate)) found.TryAdd(MpsDaemons.Program, Executables.Find(MpsDaemons.Program, path, estate.Directory));
        return found;
    }

    /// <summary>Only of the ports that the estate wants, because looking for their holders costs a walk through all processes.</summary>
    /// <param name="own">Main processes of the estate: what they and their sessions hold is not a stranger's.</param>
    private static List<PortHolder> Listening(IReadOnlySet<int> wanted, IReadOnlySet<int> own)
    {
        if (wanted.Count == 0) return [];
        var sockets = SocketTable.Listening().Where(s => wanted.Contains(s.Port)).ToList();
        var holders = SocketTable.Holders(sockets.Select(s => s.Inode).ToHashSet());
        var listening = new List<PortHolder>();
        foreach (var socket in sockets)
        {
            if (!holders.TryGetValue(socket.Inode, out var holder)) listening.Add(new PortHolder(socket.Address.ToString(), socket.Port, socket.Protocol, null));
            else if (!own.Contains(holder.Pid) && !own.Contains(holder.SessionId))
                listening.Add(new PortHolder(socket.Address.ToString(), socket.Port, socket.Protocol, $"pid {holder.Pid}, {holder.Command}"));
        }

        return listening;
    }
}

/// <summary>What the daemon knows of the estate that is running; nothing without a daemon.</summary>
internal sealed record RunningEstate(
    IReadOnlyDictionary<ServiceName, ObservedService> Services, IReadOnlyDictionary<ServiceName, TimeSpan> StartTimes, CgroupSupport Cgroups)
{
    /// <summary>Main processes of all replicas.</summary>
    public IReadOnlySet<int> Pids { get; init; } = new HashSet<int>();

    public RunningEstate With(IReadOnlyDictionary<ServiceName, ObservedService> adopted) =>
        this with { Services = adopted.Concat(Services).GroupBy(p => p.Key).ToDictionary(g => g.Key, g => g.Last().Value) };

    public static RunningEstate Of(IReadOnlyDictionary<ServiceName, ServiceStatus> statuses, IReadOnlyDictionary<ServiceName, ServicePlan> plans, CgroupSupport cgroups)
    {
        var services = new Dictionary<ServiceName, ObservedService>();
        var times = new Dictionary<ServiceName, TimeSpan>();
        foreach (var (name, plan) in plans)
        {
            if (!statuses.TryGetValue(name, out var status)) continue;
            // A task that has completed is where it should be: `up` does not repeat it.
            var up = status.State is not (ServiceState.Stopped or ServiceState.Failed);
            services[name] = new ObservedService(plan.Fingerprint, plan.Replicas.Count, up) { Gpus = plan.Gpus };
            if (status.Replicas.Max(r => r.StartTook) is { } took) times[name] = took;
        }

        return new RunningEstate(services, times, cgroups) { Pids = statuses.Values.SelectMany(s => s.Replicas).Select(r => r.Pid).OfType<int>().ToHashSet() };
    }
}
