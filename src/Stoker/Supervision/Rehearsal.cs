using Stoker.Estates;
using Stoker.Planning;
using Stoker.StandIns;

namespace Stoker.Supervision;

/// <summary>Makes of a service that is stood in for one whose healthcheck its stand-in can answer. Everything else stays as declared.</summary>
internal static class Rehearsal
{
    public static ServicePlan Adapt(ServicePlan plan)
    {
        if (plan.Runtime != RuntimeKind.StandIn) return plan;
        var health = StandInSpec.HealthcheckFor(plan.Spec, PortsOf(plan.Replicas.Count > 0 ? plan.Replicas[0] : new ReplicaPlan(1, [])));
        // What the real program needs beside itself is missing like itself: users, directories, hooks.
        var spec = plan.Spec with { Healthcheck = health.Check, User = null, PostStart = [], PreStop = [], WorkingDirectory = "/", Ulimits = [], Nice = null, Umask = null };
        return plan with { Spec = spec, StandIn = health.Note is { } note ? $"{plan.StandIn}; {note}" : plan.StandIn };
    }

    /// <param name="completes">Others wait for its successful completion.</param>
    public static IReadOnlyList<string> Arguments(ServicePlan plan, ReplicaPlan replica, bool completes) =>
        StandInSpec.For(plan.Spec, replica.Index, PortsOf(replica), plan.StandIn ?? "", completes).ToArguments();

    private static IReadOnlyList<(int Declared, int Actual)> PortsOf(ReplicaPlan replica) =>
        [.. replica.Ports.Where(p => p.Protocol == "tcp").Select(p => (p.Declared, p.Published))];
}
