using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>The GPUs of one service.</summary>
/// <param name="Cards">Of all replicas together, in order.</param>
/// <param name="PerReplica">The cards of each replica.</param>
/// <param name="Missing">Why it cannot have what it asked for on this machine; null when it can.</param>
internal sealed record GpuGrant(IReadOnlyList<GpuCard> Cards, IReadOnlyList<IReadOnlyList<GpuCard>> PerReplica, string? Missing)
{
    public static GpuGrant None { get; } = new([], [], null);

    public IEnumerable<GpuCard> Absent => Cards.Where(c => c.Real is null);
}

/// <summary>
/// Fits the GPU requests of local services to the declared GPUs of their hosts, or to the real ones where no hosts are
/// declared. A group with a budget asks once, and its services use what it was given.
/// </summary>
internal sealed class GpuFit
{
    private readonly EstateSpec _estate;
    private readonly PlanRequest _request;
    private readonly Observed _observed;
    private readonly DiagnosticBag _bag;
    private readonly Dictionary<ServiceName, GpuGrant> _grants = [];
    private readonly List<GpuSlot> _slots = [];

    private GpuFit(EstateSpec estate, PlanRequest request, Observed observed, DiagnosticBag bag)
    {
        _estate = estate;
        _request = request;
        _observed = observed;
        _bag = bag;
    }

    public IReadOnlyList<GpuSlot> Slots => _slots;

    public GpuGrant For(ServiceName service) => _grants.GetValueOrDefault(service, GpuGrant.None);

    /// <param name="services">Services of this machine that will run.</param>
    public static GpuFit Plan(
        EstateSpec estate, PlanRequest request, IReadOnlyList<PlacedService> services, Observed observed, DiagnosticBag bag)
    {
        var fit = new GpuFit(estate, request, observed, bag);
        fit.WarnOfUnusedShares(services);
        var cards = GpuCard.Of(estate, services.Select(s => s.Host).OfType<HostSpec>(), observed);
        foreach (var host in services.GroupBy(s => s.Host?.Name).OrderBy(h => h.Key?.Value, StringComparer.Ordinal))
        {
            fit.FitHost(host.Key, cards[host.Key], [.. host.Where(s => s.Spec.Resources.Gpus.Count > 0 && s.Replicas > 0)]);
        }

        return fit;
    }

    private void FitHost(HostName? host, IEnumerable<GpuCard> cards, List<PlacedService> asking)
    {
        var asks = new List<(GpuAsk Ask, IReadOnlyList<(PlacedService Service, int Replica)> For)>();
        foreach (var service in asking.Where(s => s.Group?.Gpu is null)) asks.AddRange(OfReplicas(service));
        foreach (var group in asking.Where(s => s.Group?.Gpu is not null).GroupBy(s => s.Group!)) asks.Add(OfGroup(group.Key, [.. group]));

        var name = host is { } declared ? $"host `{declared}`" : "this machine";
        var (answers, slots) = GpuPacking.Pack(name, cards, asks.Select(a => a.Ask));
        _slots.AddRange(slots);
        var users = new Dictionary<GpuAsk, IReadOnlyList<(PlacedService Service, int Replica)>>(ReferenceEqualityComparer.Instance);
        foreach (var (ask, replicas) in asks) users[ask] = replicas;
        var given = new Dictionary<(ServiceName, int), List<GpuCard>>();
        var missing = new Dictionary<ServiceName, string>();
        foreach (var answer in answers)
        {
            if (answer is GpuAnswer.Refused refused) Refuse(refused, users[refused.Ask], host, missing);
            if (answer is not GpuAnswer.Given granted) continue;
            foreach (var (service, replica) in users[granted.Ask])
            {
                if (!given.TryGetValue((service.Name, replica), out var list)) given[(service.Name, replica)] = list = [];
                list.AddRange(granted.Cards);
            }
        }

        foreach (var service in asking) _grants[service.Name] = Grant(service, given, missing.GetValueOrDefault(service.Name));
        WarnOfUnprovenShares(slots);
    }

    private static GpuGrant Grant(PlacedService service, Dictionary<(ServiceName, int), List<GpuCard>> given, string? missing)
    {
        var perReplica = Enumerable.Range(1, service.Replicas)
            .Select(i => given.TryGetValue((service.Name, i), out var cards) ? (IReadOnlyList<GpuCard>)[.. cards.Distinct().OrderBy(c => c.Index)] : [])
            .ToList();
        return new GpuGrant([.. perReplica.SelectMany(c => c).Distinct().OrderBy(c => c.Index)], perReplica, missing);
    }

    /// <summary>Without declared hosts a rehearsal has no GPUs to answer for: what does not fit here is stood in for.</summary>
    private void Refuse(
        GpuAnswer.Refused refused, IReadOnlyList<(PlacedService Service, int)> users, HostName? host, Dictionary<ServiceName, string> missing)
    {
        foreach (var (service, _) in users) missing.TryAdd(service.Name, refused.Reason);
        if (host is null && _request.Rehearse) return;
        _bag.Add(refused.Code, refused.Ask.Where, $"`{refused.Ask.Owner}` {refused.Reason}", refused.Hint ?? Elsewhere(host));
    }

    private string Elsewhere(HostName? host)
    {
        if (host is not { } name) return "run it where GPUs are, or rehearse it here: `--rehearse`";
        var others = _estate.Hosts.Values
            .Where(h => h.Name != name && h.Gpus.Count > 0).Select(h => h.Name.Value).Order(StringComparer.Ordinal)
            .ToList();
        return $"declare them: `hosts.{name}.gpus`" + (others.Count > 0 ? $", or run it on {Words.List(others)}" : "");
    }

    private IEnumerable<(GpuAsk, IReadOnlyList<(PlacedService, int)>)> OfReplicas(PlacedService service) =>
        Enumerable.Range(1, service.Replicas).SelectMany(replica => service.Spec.Resources.Gpus.Select(request => (
            new GpuAsk(
                service.Replicas > 1 ? $"{service.Name}/{replica}" : service.Name.Value,
                request.Count, request.DeviceIds, request.Memory, request.Share, request.Where)
            {
                RunsOn = RunsOn(service),
            },
            (IReadOnlyList<(PlacedService, int)>)[(service, replica)])));

    private (GpuAsk, IReadOnlyList<(PlacedService, int)>) OfGroup(GroupSpec group, IReadOnlyList<PlacedService> services)
    {
        var share = group.Gpu!;
        CheckBudget(group, share, services);
        var ids = services.SelectMany(s => s.Spec.Resources.Gpus).SelectMany(r => r.DeviceIds)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        return (
            new GpuAsk($"group {group.Name}", share.Count, [.. ids], share.Memory, share.Share, share.Where)
            {
                RunsOn = [.. services.SelectMany(RunsOn).Distinct()],
            },
            [.. services.SelectMany(s => Enumerable.Range(1, s.Replicas).Select(r => (s, r)))]);
    }

    private IReadOnlyList<string> RunsOn(PlacedService service) =>
        _observed.Running.TryGetValue(service.Name, out var running) && running.IsUp ? running.Gpus : [];

    private void CheckBudget(GroupSpec group, GpuShareSpec share, IReadOnlyList<PlacedService> services)
    {
        foreach (var service in services)
        {
            var most = service.Spec.Resources.Gpus.Max(r => r.DeviceIds.Count > 0 ? r.DeviceIds.Count : r.Count ?? share.Count);
            if (most <= share.Count) continue;
            _bag.Add(
                PlanDiagnostics.GroupShareExceeded,
                service.Spec.Resources.Gpus[0].Where,
                $"service `{service.Name}` asks for {Words.Count(most, "GPU")}, and its group `{group.Name}` has {share.Count} ({share.Where})",
                $"give the group `count: {most}`");
        }

        if (share.Memory is not { } budget) return;
        var needs = services
            .Select(s => (s.Name, s.Replicas, Each: s.Spec.Resources.Gpus.Max(r => r.Memory?.Bytes ?? 0)))
            .Where(n => n.Each > 0)
            .ToList();
        var sum = needs.Sum(n => n.Each * n.Replicas);
        if (sum <= budget.Bytes * Math.Max(1, share.Count)) return;
        _bag.Add(
            PlanDiagnostics.GroupShareExceeded,
            share.Where,
            $"services of group `{group.Name}` ask for {new ByteSize(sum)} of GPU memory, and the group has {budget}"
                + (share.Count > 1 ? $" on each of {share.Count} GPUs: " : ": ")
                + Words.Plain(needs.Select(n => $"`{n.Name}` {(n.Replicas > 1 ? $"{n.Replicas} × " : "")}{new ByteSize(n.Each)}"), 5),
            $"give the group `memory: {new ByteSize(sum).ToString().Replace(" ", "", StringComparison.Ordinal)}`, or ask for less");
    }

    private void WarnOfUnusedShares(IReadOnlyList<PlacedService> services)
    {
        foreach (var group in services.Where(s => s.Group?.Gpu is not null).GroupBy(s => s.Group!))
        {
            if (group.Any(s => s.Spec.Resources.Gpus.Count > 0)) continue;
            _bag.Add(
                PlanDiagnostics.GroupShareUnused,
                group.Key.Gpu!.Where,
                $"group `{group.Key.Name}` has a GPU share, and none of its services asks for a GPU",
                "add `gpus: all`, or `deploy.resources.reservations.devices`, to the services that use it");
        }
    }

    private void WarnOfUnprovenShares(IReadOnlyList<GpuSlot> slots)
    {
        foreach (var slot in slots.Where(s => s.Holders.Count > 1))
        {
            var silent = slot.Holders.Where(h => h.Memory is null).ToList();
            if (slot.Card.Memory is not null && silent.Count == 0) continue;
            _bag.Add(
                PlanDiagnostics.GpuFitUnproven,
                (silent.Count > 0 ? silent[0] : slot.Holders[0]).Where,
                slot.Card.Memory is null
                    ? $"whether {Words.List(slot.Holders.Select(h => h.Owner))} fit on {slot.Card.Name} is not known: its memory is not declared"
                    : $"whether {Words.List(slot.Holders.Select(h => h.Owner))} fit on {slot.Card.Text} is not known: "
                        + $"{Words.List(silent.Select(h => h.Owner))} {(silent.Count == 1 ? "does" : "do")} not say how much memory",
                slot.Card.Memory is null ? "declare it: `memory: 24GiB`" : "add `memory:` to the request");
        }
    }
}
