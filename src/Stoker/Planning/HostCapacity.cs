using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>
/// Holds replicas × reservations and limits against the processors and memory of the host. Reservations are promises, so more
/// than there is refuses the plan; limits are ceilings that seldom meet, so more than there is only warns.
/// </summary>
internal static class HostCapacity
{
    /// <param name="services">Services of this machine that will run.</param>
    public static void Check(IReadOnlyList<PlacedService> services, bool rehearse, Observed observed, DiagnosticBag bag)
    {
        foreach (var host in services.GroupBy(s => s.Host?.Name).OrderBy(g => g.Key?.Value, StringComparer.Ordinal))
        {
            Check([.. host], Capacity(host.First().Host, rehearse, observed), bag);
        }
    }

    private static void Check(List<PlacedService> services, Machine machine, DiagnosticBag bag)
    {
        if (machine.Memory is { } memory)
        {
            CheckReservations(
                services, machine, "memory", s => s.Resources.MemoryReservation?.Bytes, memory.Bytes, b => new ByteSize((long)b).ToString(), bag);
            CheckMemoryLimits(services, machine, memory, bag);
        }

        if (machine.Cpus is not { } cpus) return;
        CheckReservations(services, machine, "processors", s => s.Resources.CpuReservation, cpus, c => Words.Count(c, "processor"), bag);
        foreach (var service in services.Where(s => s.Spec.Resources.CpuLimit > cpus))
        {
            bag.Add(
                PlanDiagnostics.CpuLimitAboveHost,
                service.Spec.Resources.Where,
                $"service `{service.Name}` is limited to {Words.Count(service.Spec.Resources.CpuLimit!.Value, "processor")}, "
                    + $"and {machine.Name} has {cpus:0.##}");
        }
    }

    private static void CheckReservations(
        List<PlacedService> services, Machine machine, string what, Func<ServiceSpec, double?> reserved, double capacity,
        Func<double, string> text, DiagnosticBag bag)
    {
        double sum = 0;
        foreach (var service in services) sum += Asked(service);
        if (sum <= capacity) return;
        var asking = services.Where(s => Asked(s) > 0).OrderByDescending(Asked).ThenBy(s => s.Name).ToList();
        bag.Add(
            PlanDiagnostics.ReservationsExceedHost,
            asking[0].Spec.Resources.Where,
            $"services reserve {text(sum)} {(what == "memory" ? "of memory " : "")}on {machine.Name}, which has {text(capacity)}: "
                + Words.Plain(asking.Select(s => $"`{s.Name}` {Times(s)}{text(reserved(s.Spec)!.Value)}"), 5),
            "reserve less, run fewer replicas, or move a service to another host");

        double Asked(PlacedService service) => (reserved(service.Spec) ?? 0) * service.Replicas;
    }

    private static void CheckMemoryLimits(List<PlacedService> services, Machine machine, ByteSize memory, DiagnosticBag bag)
    {
        var limited = services.Where(s => s.Spec.Resources.MemoryLimit is not null && s.Replicas > 0).ToList();
        var tooLarge = limited.Where(s => s.Spec.Resources.MemoryLimit!.Value.CompareTo(memory) > 0).ToList();
        foreach (var service in tooLarge)
        {
            bag.Add(
                PlanDiagnostics.LimitAboveHost,
                service.Spec.Resources.Where,
                $"service `{service.Name}` is limited to {service.Spec.Resources.MemoryLimit} of memory, and {machine.Name} has {memory}",
                "a limit that cannot be reached protects nothing: lower it");
        }

        long sum = 0;
        foreach (var service in limited.Except(tooLarge)) sum += Most(service);
        if (sum <= memory.Bytes) return;
        var largest = limited.Except(tooLarge).OrderByDescending(Most).ThenBy(s => s.Name).ToList();
        bag.Add(
            PlanDiagnostics.LimitsExceedHost,
            largest[0].Spec.Resources.Where,
            $"the memory limits on {machine.Name} add up to {new ByteSize(sum)}, and it has {memory}: "
                + Words.Plain(largest.Select(s => $"`{s.Name}` {Times(s)}{s.Spec.Resources.MemoryLimit}"), 5),
            "if all of them come near their limits at once, the kernel ends one of them");

        static long Most(PlacedService service) => service.Spec.Resources.MemoryLimit!.Value.Bytes * service.Replicas;
    }

    private static string Times(PlacedService service) => service.Replicas > 1 ? $"{service.Replicas} × " : "";

    /// <summary>
    /// What the owner declared; else what was observed, unless a rehearsal plays another machine, of which nothing is known.
    /// </summary>
    private static Machine Capacity(HostSpec? host, bool rehearse, Observed observed)
    {
        if (host is null) return new Machine("this machine", observed.Cpus, Known(observed.Memory));
        var mayLook = !rehearse || HostChoice.IsThisMachine(host, observed);
        return new Machine(
            $"host `{host.Name}`", host.Cpus ?? (mayLook ? observed.Cpus : null), host.Memory ?? (mayLook ? Known(observed.Memory) : null));
    }

    private static ByteSize? Known(ByteSize memory) => memory.Bytes > 0 ? memory : null;

    private sealed record Machine(string Name, double? Cpus, ByteSize? Memory);
}
