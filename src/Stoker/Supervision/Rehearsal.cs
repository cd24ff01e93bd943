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
        if (plan.Spec.Simulation is { } simulation) return Simulated(plan, simulation);
        var health = StandInSpec.HealthcheckFor(plan.Spec, PortsOf(plan.Replicas.Count > 0 ? plan.Replicas[0] : new ReplicaPlan(1, [])));
        return plan with { Spec = Alone(plan.Spec) with { Healthcheck = health.Check }, StandIn = health.Note is { } note ? $"{plan.StandIn}; {note}" : plan.StandIn };
    }

    /// <summary>A simulation speaks the protocol of what it replaces, so its healthcheck is a real one.</summary>
    private static ServicePlan Simulated(ServicePlan plan, SimulationSpec simulation) => plan with
    {
        Spec = Alone(plan.Spec) with { Healthcheck = simulation.Healthcheck ?? plan.Spec.Healthcheck },
        StandIn = $"{plan.StandIn}; `stoker {string.Join(' ', simulation.Arguments.TakeWhile(word => !word.StartsWith('-')))}` answers in its place",
    };

    /// <summary>What the real program needs beside itself is missing like itself: users, directories, hooks.</summary>
    private static ServiceSpec Alone(ServiceSpec spec) =>
        spec with { User = null, PostStart = [], PreStop = [], WorkingDirectory = "/", Ulimits = [], Nice = null, Umask = null };

    /// <param name="completes">Others wait for its successful completion.</param>
    public static IReadOnlyList<string> Arguments(ServicePlan plan, ReplicaPlan replica, bool completes) =>
        StandInSpec.For(plan.Spec, replica.Index, PortsOf(replica), plan.StandIn ?? "", completes).ToArguments();

    private static IReadOnlyList<(int Declared, int Actual)> PortsOf(ReplicaPlan replica) =>
        [.. replica.Ports.Where(p => p.Protocol == "tcp").Select(p => (p.Declared, p.Published))];
}
