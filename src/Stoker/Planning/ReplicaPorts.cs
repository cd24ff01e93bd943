using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>
/// Gives each replica its ports. A range gives one to each; a single port of a process counts up (<c>7300</c>, <c>7301</c>, …),
/// because each copy listens by itself; a single published port of a container stays one, so it cannot have two replicas.
/// </summary>
internal static class ReplicaPorts
{
    private const int Highest = 65535;

    /// <summary>Every port that the estate's services may listen on: what <see cref="Observed.Listening"/> must answer for.</summary>
    public static IReadOnlySet<int> ToLookUp(EstateSpec estate, PlanRequest request) => estate.Services.Values
        .SelectMany(s => s.Ports.SelectMany(p =>
        {
            var replicas = Math.Max(1, request.Scale.GetValueOrDefault(s.Name, s.Replicas));
            return Enumerable.Range(Declared(s, p), p.PublishedEnd is { } end ? Math.Max(1, end - Declared(s, p) + 1) : replicas);
        }))
        .Where(port => port is > 0 and <= Highest)
        .ToHashSet();

    public static IReadOnlyList<ReplicaPlan> Of(PlacedService service, DiagnosticBag bag)
    {
        foreach (var port in service.Spec.Ports) Check(service, port, bag);
        if (service.Replicas > 1) WarnOfLiteralPorts(service, bag);
        return
        [
            .. Enumerable.Range(1, service.Replicas).Select(index => new ReplicaPlan(
                index,
                [
                    .. service.Spec.Ports.Select(port => new PortPlan(
                        Declared(service.Spec, port), PublishedFor(service, port, index), port.Target, port.Protocol, port.HostIp)),
                ])),
        ];
    }

    /// <summary>0 when the container tool picks one; a process without a published port listens on the target itself.</summary>
    private static int Declared(ServiceSpec spec, PortSpec port) => port.Published ?? (spec.IsContainer ? 0 : port.Target);

    private static int PublishedFor(PlacedService service, PortSpec port, int index)
    {
        var first = Declared(service.Spec, port);
        if (first == 0) return 0;
        var last = port.PublishedEnd ?? (service.Spec.IsContainer ? first : Highest);
        return Math.Min(first + index - 1, Math.Min(last, Highest));
    }

    private static void Check(PlacedService service, PortSpec port, DiagnosticBag bag)
    {
        var (name, replicas) = (service.Name, service.Replicas);
        var first = Declared(service.Spec, port);
        if (first == 0 || replicas <= 1) return;
        if (port.PublishedEnd is { } last)
        {
            if (last - first + 1 >= replicas) return;
            bag.Add(
                PlanDiagnostics.RangeTooShort,
                port.Where,
                $"service `{name}` has {replicas} replicas and only {Words.Count(last - first + 1, "port")}, {first}-{last}",
                $"publish `{first}-{first + replicas - 1}`, or run fewer replicas");
        }
        else if (service.Spec.IsContainer)
        {
            bag.Add(
                PlanDiagnostics.FixedPortOfReplicas,
                port.Where,
                $"service `{name}` has {replicas} replicas, and their containers cannot all publish port {first}",
                $"publish a range, `{first}-{first + replicas - 1}:{port.Target}`, or only the container's port, `{port.Target}`");
        }
        else if (first + replicas - 1 > Highest)
        {
            bag.Add(
                PlanDiagnostics.PortOutOfRange,
                port.Where,
                $"replica {Highest - first + 2} of service `{name}` would listen on port {Highest + 1}",
                $"begin lower than {first}, or run fewer replicas");
        }
    }

    /// <summary>
    /// A process learns its replica's port from <c>$(PORT)</c> in its command or from PORT in its environment. One that has the
    /// number itself in its command listens there in each replica, and the second one fails.
    /// </summary>
    private static void WarnOfLiteralPorts(PlacedService service, DiagnosticBag bag)
    {
        var spec = service.Spec;
        if (spec.IsContainer) return;
        var words = CommandWords.Of(spec);
        if (words.Concat(spec.Environment.Values.Select(v => v.Value ?? "")).Any(UsesGivenPort)) return;
        foreach (var port in spec.Ports)
        {
            var number = Declared(spec, port);
            if (words.FirstOrDefault(w => HasNumber(w, number)) is not { } literal) continue;
            bag.Add(
                PlanDiagnostics.LiteralPort,
                spec.CommandWhere ?? spec.Where,
                $"service `{spec.Name}` has {service.Replicas} replicas, and all of them would listen on port {number}: its command says `{literal}`",
                "write `$(PORT)` in its place (or `$$(PORT)` where interpolation would take it): each replica gets its own");
            return;
        }
    }

    private static bool UsesGivenPort(string text) =>
        text.Contains("$(PORT", StringComparison.Ordinal) || text.Contains("$(STOKER_PORT", StringComparison.Ordinal)
        || text.Contains("$PORT", StringComparison.Ordinal) || text.Contains("${PORT", StringComparison.Ordinal)
        || text.Contains("$STOKER_PORT", StringComparison.Ordinal) || text.Contains("${STOKER_PORT", StringComparison.Ordinal);

    private static bool HasNumber(string word, int number)
    {
        var digits = number.ToString();
        for (var at = word.IndexOf(digits, StringComparison.Ordinal); at >= 0; at = word.IndexOf(digits, at + 1, StringComparison.Ordinal))
        {
            var end = at + digits.Length;
            if ((at == 0 || !char.IsAsciiDigit(word[at - 1])) && (end == word.Length || !char.IsAsciiDigit(word[end]))) return true;
        }

        return false;
    }
}
