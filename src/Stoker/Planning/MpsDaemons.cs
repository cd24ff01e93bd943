using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>
/// One MPS control daemon for each GPU that is shared by MPS, as a service beside those of the file, and the share that each client gets: of threads and of memory, unequal as their declarations
/// are. The clients wait until the daemon answers, end before it, and start again when it has ended. One for each GPU, because a fault of a client ends all clients of its server.
/// </summary>
internal static class MpsDaemons
{
    public const string Program = "nvidia-cuda-mps-control";

    /// <summary>Nobody gets less of a card's threads, in percent.</summary>
    private const int LeastThreads = 10;

    /// <summary>Looked for only where somebody shares by MPS.</summary>
    public static bool AreWanted(EstateSpec estate) =>
        estate.Services.Values.Any(s => s.Resources.Gpus.Any(g => g.Share == "mps")) || estate.Groups.Values.Any(g => g.Gpu?.Share == "mps");

    /// <param name="plans">Services in start order.</param>
    public static (IReadOnlyList<ServicePlan> Daemons, IReadOnlyList<ServicePlan> Services) Of(
        EstateSpec estate, PlanRequest request, IReadOnlyList<GpuPlan> gpus, GpuFit fit, IReadOnlyList<ServicePlan> plans, Observed observed, Fingerprint prints, DiagnosticBag bag)
    {
        List<ServicePlan> daemons = [], services = [.. plans];
        var clients = new HashSet<ServiceName>();
        foreach (var gpu in gpus.Where(g => g.Share == "mps"))
        {
            List<int> own = [.. Enumerable.Range(0, services.Count).Where(i => services[i].IsLocal && fit.For(services[i].Name).Cards.Any(c => c.Host == gpu.Host && c.Index == gpu.Index))];
            if (own.Count == 0) continue;
            var daemon = DaemonOf(estate, request, gpu, observed, services[own[0]].Spec.Where, prints, bag);
            daemons.Add(daemon);
            foreach (var at in own)
            {
                if (!clients.Add(services[at].Name))
                {
                    bag.Add(PlanDiagnostics.MpsOnSeveralGpus, services[at].Spec.Where, $"service `{services[at].Name}` shares several GPUs by MPS, and a program has one MPS server",
                        "ask for one GPU by `mps`, or for whole ones, or share them by `time`");
                    continue;
                }

                services[at] = Client(services[at], daemon, gpu);
            }
        }

        return (daemons, services);
    }

    /// <summary>The daemons start with the first, and only their clients, and who waits for these, are later for it.</summary>
    /// <param name="services">In start order.</param>
    public static IReadOnlyList<IReadOnlyList<ServiceName>> Waves(IReadOnlyList<IReadOnlyList<ServiceName>> waves, IReadOnlyList<ServicePlan> daemons, IReadOnlyList<ServicePlan> services)
    {
        if (daemons.Count == 0) return waves;
        var wave = daemons.ToDictionary(d => d.Name, _ => 0);
        for (var i = 0; i < waves.Count; i++)
        {
            foreach (var name in waves[i]) wave[name] = i;
        }

        foreach (var plan in services.Where(s => wave.ContainsKey(s.Name)))
            wave[plan.Name] = plan.Dependencies.Where(d => wave.ContainsKey(d.Service)).Aggregate(wave[plan.Name], (own, d) => Math.Max(own, wave[d.Service] + 1));
        return [.. wave.GroupBy(w => w.Value).OrderBy(g => g.Key).Select(g => g.Select(w => w.Key).Order().ToList())];
    }

    /// <summary>As the plan of a daemon has it, if it ran by another runtime.</summary>
    public static string PrintOf(EstateSpec estate, ServicePlan plan, RuntimeKind runtime, Fingerprint prints) =>
        prints.Of(estate, new PlacedService(plan.Spec, null, null, true, 1), runtime, []);

    /// <summary>Threads as memory: who has half of the memory may fill half of the card.</summary>
    public static int ThreadsOf(long? own, long? all) => own is { } part && all is { } whole and > 0 ? (int)Math.Clamp(part * 100 / whole, LeastThreads, 100) : 100;

    private static ServicePlan DaemonOf(EstateSpec estate, PlanRequest request, GpuPlan gpu, Observed observed, SourcePosition where, Fingerprint prints, DiagnosticBag bag)
    {
        var spec = new ServiceSpec(NameOf(estate, gpu), where)
        {
            // In the foreground, so that its end is seen: `-d` is for whoever has no supervisor.
            Command = [Program, "-f"],
            WorkingDirectory = "/",
            Restart = new RestartSpec(RestartMode.Always),
            Healthcheck = new HealthcheckSpec(new ProbeSpec.Exec(["/bin/sh", "-c", $"echo get_default_active_thread_percentage | {Program} | grep -q ."]), where)
            {
                Interval = TimeSpan.FromSeconds(10), Timeout = TimeSpan.FromSeconds(5), StartPeriod = TimeSpan.FromSeconds(10),
            },
            PreStop = [new HookSpec(["/bin/sh", "-c", $"echo quit | {Program}"], null, null, new Dictionary<string, string>(), where)],
        };
        var executable = observed.Executables.GetValueOrDefault(Program);
        if (executable is null && !request.Rehearse)
        {
            bag.Add(PlanDiagnostics.NoMps, where, $"{gpu.Name} is shared by MPS, and `{Program}` is not in any directory of PATH",
                "it comes with the driver: install its compute tools (on Debian `nvidia-cuda-mps`), or share the GPU by `time`, or rehearse: `--rehearse`");
        }

        string? standIn = !request.Rehearse ? null : executable is null ? $"`{Program}` is not installed" : gpu.IsPresent ? null : $"{gpu.Name} is not in this machine";
        var runtime = standIn is null ? RuntimeKind.Process : RuntimeKind.StandIn;
        var plan = new ServicePlan(spec, "")
        {
            Host = gpu.Host,
            Runtime = runtime,
            StandIn = standIn,
            Executable = standIn is null ? executable : null,
            Replicas = [new ReplicaPlan(1, [])],
            MpsOf = gpu,
        };
        return plan with { Fingerprint = PrintOf(estate, plan, runtime, prints) };
    }

    private static ServicePlan Client(ServicePlan plan, ServicePlan daemon, GpuPlan gpu) => plan with
    {
        Dependencies =
        [
            .. plan.Dependencies,
            new DependencyPlan(daemon.Name, DependencyCondition.Healthy, Restart: true, Required: true, Remote: false, $"{gpu.Name} is shared by MPS")
            {
                Shared = true,
                OrRunning = true,
            },
        ],
        Replicas = [.. plan.Replicas.Select(r => r with { Mps = ShareOf(plan, r, daemon, gpu) })],
    };

    private static MpsShare ShareOf(ServicePlan plan, ReplicaPlan replica, ServicePlan daemon, GpuPlan gpu)
    {
        var name = plan.Name.Value;
        var group = plan.Spec.Group is { } own ? $"group {own.Value}" : null;
        var holder = gpu.Holders.FirstOrDefault(h => h.Owner == name || h.Owner == $"{name}/{replica.Index}" || h.Owner == group);
        // In a group the budget is for all of its services; one that says what it needs of it gets that.
        var memory = plan.Spec.Resources.Gpus.Select(g => g.Memory).OfType<ByteSize>().Select(m => (long?)m.Bytes).FirstOrDefault() ?? holder?.Memory?.Bytes;
        return new MpsShare(daemon.Name.Value, ThreadsOf(memory, gpu.Memory?.Bytes), memory, gpu.IsPresent ? gpu.Uuid : null);
    }

    private static ServiceName NameOf(EstateSpec estate, GpuPlan gpu)
    {
        var name = $"{(gpu.Host is { } host && estate.Hosts.Count > 1 ? $"{host}-" : "")}gpu{gpu.Index}-mps";
        while (estate.Services.ContainsKey(new ServiceName(name))) name += "-control";
        return new ServiceName(name);
    }
}
