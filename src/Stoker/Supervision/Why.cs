using Stoker.Estates;
using Stoker.Planning;

namespace Stoker.Supervision;

/// <summary>One link of the chain from symptom to cause.</summary>
/// <param name="Text">A clause that reads on from the one before.</param>
internal sealed record WhyStep(string Text, ServiceName Service, DateTimeOffset At);

/// <summary>What is known besides the statuses: the ports that strangers hold.</summary>
internal delegate string? PortHolderLookup(int port);

/// <summary>
/// Why a service is as it is, as one causal chain in words: from its own state along what it waits for to the first cause. Pure:
/// it reads statuses, plans and the journal.
/// </summary>
internal static class Why
{
    private const int LongestChain = 50;

    /// <summary>What befell its GPU, or was done there, is a reason for what becomes of a service for so long.</summary>
    private static readonly TimeSpan GpuFaultCounts = TimeSpan.FromMinutes(2);

    public static IReadOnlyList<WhyStep> Explain(
        ServiceName name,
        IReadOnlyDictionary<ServiceName, ServiceStatus> statuses,
        IReadOnlyList<EstateEvent> journal,
        PortHolderLookup holderOf,
        DateTimeOffset now)
    {
        var steps = new List<WhyStep>();
        var seen = new HashSet<ServiceName>();
        ServiceName? next = name;
        while (next is { } current && seen.Add(current) && steps.Count < LongestChain && statuses.TryGetValue(current, out var status))
        {
            next = AddSteps(steps, status, statuses, journal, holderOf, now);
            AddGpu(steps, status, journal);
        }

        return steps;
    }

    /// <summary>Adds what is to be said of one service, and names the one to go on with.</summary>
    private static ServiceName? AddSteps(
        List<WhyStep> steps, ServiceStatus status, IReadOnlyDictionary<ServiceName, ServiceStatus> statuses, IReadOnlyList<EstateEvent> journal, PortHolderLookup holderOf, DateTimeOffset now)
    {
        var since = DurationWords.Of(now - status.Since);
        switch (status.State)
        {
            case ServiceState.Waiting when status.WaitsFor.Count > 0:
                var cause = MostTelling(status.WaitsFor, statuses);
                var others = status.WaitsFor.Count > 1 ? $" (and {status.WaitsFor.Count - 1} more)" : "";
                steps.Add(new WhyStep($"{status.Name} has been waiting for {since} for {cause}{others}", status.Name, status.Since));
                return cause;
            case ServiceState.Backoff or ServiceState.Failed:
                AddFailure(steps, status, journal, holderOf, now);
                return null;
            case ServiceState.Healthy or ServiceState.Running:
                AddWell(steps, status, journal, since);
                return null;
            default:
                steps.Add(new WhyStep($"{Where(status)} is {Said(status.State)} for {since}{Because(status.Reason)}", status.Name, status.Since));
                if (status.State == ServiceState.Unhealthy) AddPortHolder(steps, status, status.Reason, holderOf);
                return null;
        }
    }

    /// <summary>The dependency that is in the most trouble tells more than one that is merely starting.</summary>
    private static ServiceName MostTelling(IReadOnlyList<ServiceName> names, IReadOnlyDictionary<ServiceName, ServiceStatus> statuses)
    {
        ReadOnlySpan<ServiceState> byTrouble =
            [ServiceState.Failed, ServiceState.Backoff, ServiceState.Unhealthy, ServiceState.Stopped, ServiceState.Stopping, ServiceState.Waiting, ServiceState.Starting];
        foreach (var state in byTrouble)
        {
            foreach (var name in names)
            {
                if (statuses.TryGetValue(name, out var status) && status.State == state) return name;
            }
        }

        return names[0];
    }

    private static void AddFailure(List<WhyStep> steps, ServiceStatus status, IReadOnlyList<EstateEvent> journal, PortHolderLookup holderOf, DateTimeOffset now)
    {
        var replica = status.Replicas.FirstOrDefault(r => r.State == status.State);
        var again = replica is { RetryAt: { } due } ? $" ({Words.Ordinal(replica.Restarts)} try in {DurationWords.Of(due > now ? due - now : TimeSpan.Zero)})" : "";
        steps.Add(new WhyStep($"{status.Name} {(status.State == ServiceState.Backoff ? "is in backoff" : "has failed")}{again}", status.Name, status.Since));
        if (replica?.LastExit is { } exit)
        {
            var words = exit.LastWords is { Length: > 0 } last ? $": `{last}`" : "";
            steps.Add(new WhyStep($"it {Passive(exit.Ending)} at {exit.At.ToLocalTime():HH:mm:ss}{words}", status.Name, exit.At));
            AddPortHolder(steps, status, exit.LastWords, holderOf);
        }
        else if (status.Reason is { } reason)
        {
            steps.Add(new WhyStep(reason, status.Name, status.Since));
        }

        if (FirstOfRow(status, journal) is { } first && first.At < status.Since)
            steps.Add(new WhyStep($"it has not been up for long since {first.At.ToLocalTime():HH:mm:ss}, when {first.Text}", status.Name, first.At));
    }

    private static void AddWell(List<WhyStep> steps, ServiceStatus status, IReadOnlyList<EstateEvent> journal, string since)
    {
        steps.Add(new WhyStep($"{Where(status)} is {Said(status.State)} for {since}{(status.StandIn is { } standIn ? $", as a stand-in: {standIn}" : "")}", status.Name, status.Since));
        if (status.Restarts > 0 && journal.LastOrDefault(e => e.Service == status.Name && e.Kind is "exited" or "became_unhealthy" or "watchdog") is { } last)
            steps.Add(new WhyStep($"it was restarted {status.Restarts} time{(status.Restarts == 1 ? "" : "s")}, last because {last.Text} at {last.At.ToLocalTime():HH:mm:ss}", status.Name, last.At));
    }

    /// <summary>What befell its GPU shortly before it came into this state, or since, and what was done about it.</summary>
    private static void AddGpu(List<WhyStep> steps, ServiceStatus status, IReadOnlyList<EstateEvent> journal)
    {
        var fault = journal.LastOrDefault(
            e => e.Service == status.Name && e.Kind is "gpu_healing" or "gpu_fault" or "gpu_drained" or "shared_server_ended" or "ended");
        if (fault is not null && status.Since - fault.At < GpuFaultCounts)
            steps.Add(new WhyStep($"at {fault.At.ToLocalTime():HH:mm:ss}: {fault.Text}", status.Name, fault.At));
    }

    /// <summary>Programs say "address already in use" in many ways; who holds the port is a fact of this machine.</summary>
    private static void AddPortHolder(List<WhyStep> steps, ServiceStatus status, string? words, PortHolderLookup holderOf)
    {
        if (words is null || !words.Contains("in use", StringComparison.OrdinalIgnoreCase) && !words.Contains("EADDRINUSE", StringComparison.Ordinal)) return;
        foreach (var port in status.Replicas.SelectMany(r => r.Ports).Distinct())
        {
            if (holderOf(port) is { } holder) steps.Add(new WhyStep($"port {port} is held by {holder}", status.Name, status.Since));
        }
    }

    /// <summary>The exit with which the present row of failures began: the first after it was last healthy.</summary>
    private static EstateEvent? FirstOfRow(ServiceStatus status, IReadOnlyList<EstateEvent> journal)
    {
        var own = journal.Where(e => e.Service == status.Name).ToList();
        var healthy = own.FindLastIndex(e => e.Kind == "became_healthy");
        return own.Skip(healthy + 1).FirstOrDefault(e => e.Kind is "exited" or "not_started");
    }

    private static string Where(ServiceStatus status) => status.IsRemote ? $"{status.Name} on host {status.Host}" : status.Name.Value;

    private static string Said(ServiceState state) => state.ToString().ToLowerInvariant();

    private static string Because(string? reason) => reason is null ? "" : $": {reason}";

    private static string Passive(string ending) => ending.StartsWith("killed", StringComparison.Ordinal) ? $"was {ending}" : ending;
}
