using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>
/// Decides what will happen before anything does: specs + request + what was observed → plan. Looks at nothing and changes
/// nothing, so the same three always give the same plan, in whatever order the file has its services.
/// <code>
/// which host am I → which services take part, and where → who waits for whom → ports, processors, memory, GPUs
///                 → by what each runs → what changes
/// </code>
/// Promises: every mistake is reported, each with a place, the numbers and a way out; a plan without errors can be carried
/// out as it stands; 1,000 services take milliseconds. Refuses: cycles, clashes, what does not fit, what is not installed.
/// </summary>
internal static class Planner
{
    public static EstatePlan Plan(EstateSpec estate, PlanRequest request, Observed observed)
    {
        var bag = new DiagnosticBag();
        var here = HostChoice.For(estate, request, observed, bag);
        var selection = ServiceSelection.For(estate, request, bag);
        var placement = new Placement(estate, request, here, bag);
        var services = selection.Selected.Select(placement.Place).ToList();
        WarnOfNamesElsewhere(request, services, here, bag);

        var graph = new DependencyGraph(estate, services);
        Cycles.Report(graph, bag);
        var gates = new Dependencies(estate, services);
        var dependencies = services.ToDictionary(s => s.Name, gates.Of);
        RemoteGates.Check(graph, bag);

        var resources = Resources(estate, request, services, placement, here, observed, bag);
        RuntimeChoice.CheckExternalMaterials(estate, services, observed, bag);
        var decided = Decide(services, request, resources.Gpus, observed, bag);
        var order = StartOrder.Sequence(graph).Select(i => services[i]).ToList();
        var prints = new Fingerprint();
        var plans = order.Select(s => Assemble(s, dependencies[s.Name], resources, decided, prints, estate)).ToList();
        List<GpuPlan> gpus = [.. resources.Gpus.Slots.Select(Layout)];
        var mps = MpsDaemons.Of(estate, request, gpus, resources.Gpus, plans, observed, prints, bag);
        plans = [.. mps.Daemons, .. mps.Services];
        return new EstatePlan(estate, here.Name, request.Rehearse)
        {
            Services = plans.ToDictionary(p => p.Name),
            Waves = MpsDaemons.Waves(StartOrder.Waves(graph), mps.Daemons, mps.Services),
            CriticalPath = StartOrder.CriticalPath(graph, observed.StartTimes),
            Changes = Changes.From(estate, request, plans, selection.Active, observed, AsIf),
            Gpus = gpus,
            Diagnostics = bag.Sorted(),
        };

        string AsIf(ServicePlan plan, RuntimeKind runtime) => plan.MpsOf is not null ? MpsDaemons.PrintOf(estate, plan, runtime, prints) :
            prints.Of(estate, services[graph.IndexOf(plan.Name)], runtime, resources.Gpus.For(plan.Name).Cards);
    }

    private static void WarnOfNamesElsewhere(PlanRequest request, List<PlacedService> services, HostChoice here, DiagnosticBag bag)
    {
        if (here is not HostChoice.One) return;
        foreach (var service in services.Where(s => !s.IsLocal && s.Host is not null && request.Names.Contains(s.Name)))
        {
            bag.Add(
                PlanDiagnostics.RunsElsewhere,
                service.Spec.Where,
                $"service `{service.Name}` runs on host `{service.Host!.Name}`, not here",
                $"ask for it there: `--host {service.Host.Name}`");
        }
    }

    /// <summary>
    /// Ports, capacity and GPUs of this machine. Services that were not asked for but are running still take their part of it.
    /// </summary>
    private static Resourced Resources(
        EstateSpec estate, PlanRequest request, List<PlacedService> services, Placement placement, HostChoice here, Observed observed,
        DiagnosticBag bag)
    {
        var replicas = services.ToDictionary(s => s.Name, s => ReplicaPorts.Of(s, bag));
        var unasked = request.Names.Count == 0
            ? []
            : estate.Services.Values
                .Where(s => !replicas.ContainsKey(s.Name) && observed.Running.TryGetValue(s.Name, out var running) && running.IsUp)
                .Select(placement.Place)
                .Where(s => s.IsLocal);
        var present = services.Where(s => s.IsLocal).Concat(unasked).OrderBy(s => s.Name).ToList();
        PortClashes.Check(present, s => replicas.TryGetValue(s.Name, out var known) ? known : ReplicaPorts.Of(s, new DiagnosticBag()), here, observed, bag);
        HostCapacity.Check(present, request.Rehearse, observed, bag);
        var gpus = GpuFit.Plan(estate, request, present, observed, bag);
        RuntimeChoice.CheckGpusArePresent(gpus, request.Rehearse, observed.GpuProblem, bag);
        return new Resourced(replicas, gpus);
    }

    private static Decided Decide(List<PlacedService> services, PlanRequest request, GpuFit gpus, Observed observed, DiagnosticBag bag)
    {
        var runtimes = services.ToDictionary(s => s.Name, s => RuntimeChoice.For(s, gpus.For(s.Name), request.Rehearse, observed, bag));
        var processes = services.Where(s => s.IsLocal && runtimes[s.Name].Kind == RuntimeKind.Process);
        return new Decided(runtimes, Enforcement.Check(processes, observed, bag));
    }

    private static ServicePlan Assemble(
        PlacedService service, IReadOnlyList<DependencyPlan> dependencies, Resourced resources, Decided decided, Fingerprint prints,
        EstateSpec estate)
    {
        var runtime = decided.Runtimes[service.Name];
        var grant = resources.Gpus.For(service.Name);
        return new ServicePlan(service.Spec, prints.Of(estate, service, runtime.Kind, grant.Cards))
        {
            Host = service.Host?.Name,
            IsLocal = service.IsLocal,
            RemoteAddress = service.IsLocal ? null : service.Host?.Address,
            Runtime = runtime.Kind,
            StandIn = runtime.StandIn,
            Executable = runtime.Executable,
            Dependencies = dependencies,
            Replicas = runtime.Kind == RuntimeKind.StandIn ? resources.Replicas[service.Name] : WithGpus(resources.Replicas[service.Name], grant),
            NotEnforced = decided.NotEnforced.GetValueOrDefault(service.Name) ?? [],
            Gpus = [.. grant.Cards.Select(c => c.Name)],
        };
    }

    private static IReadOnlyList<ReplicaPlan> WithGpus(IReadOnlyList<ReplicaPlan> replicas, GpuGrant grant) => grant.Cards.Count == 0
        ? replicas
        : [.. replicas.Select(r => r with
        {
            GpuUuids = [.. grant.PerReplica[r.Index - 1].Select(c => c.Real?.Uuid).OfType<string>()],
            GpuIndices = [.. grant.PerReplica[r.Index - 1].Select(c => c.Real?.Index).OfType<int>()],
        })];

    private static GpuPlan Layout(GpuSlot slot) => new(
        slot.Card.Host, slot.Card.Index, slot.Card.Model, slot.Card.Name, slot.Card.Memory, slot.Card.Real is not null, slot.Share,
        [.. slot.Holders.Select(h => new GpuHolderPlan(h.Owner, h.Memory))])
    {
        Uuid = slot.Card.Uuid ?? slot.Card.Real?.Uuid,
    };

    private sealed record Resourced(IReadOnlyDictionary<ServiceName, IReadOnlyList<ReplicaPlan>> Replicas, GpuFit Gpus);

    private sealed record Decided(
        IReadOnlyDictionary<ServiceName, RuntimeChoice> Runtimes, IReadOnlyDictionary<ServiceName, IReadOnlyList<string>> NotEnforced);
}
