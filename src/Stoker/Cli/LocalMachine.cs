using Stoker.Daemon;
using Stoker.Estates;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Supervision;

namespace Stoker.Cli;

/// <summary>This machine, as it is.</summary>
internal sealed class LocalMachine : IMachine
{
    public Observed Observe(EstateSpec estate, IReadOnlyDictionary<string, string> variables, StateDirectory state)
    {
        var running = Alive(state).GroupBy(r => r.Service).ToDictionary(
            g => new ServiceName(g.Key),
            g => new ObservedService(g.First().Fingerprint, g.Count(), IsUp: true));
        return Observation.Of(estate, new PlanRequest(), variables, new RunningEstate(running, new Dictionary<ServiceName, TimeSpan>(), Cgroups.Look()));
    }

    public int CountLeftBehind(StateDirectory state) => Alive(state).Select(r => r.Service).Distinct().Count();

    /// <summary>By their records; a record without a pid is of a start that was under way, which only a daemon can look into.</summary>
    private static IEnumerable<ReplicaRecord> Alive(StateDirectory state) =>
        new ReplicaRecords(state.Replicas).Look(HostEnvironment.BootId)
            .Where(r => r.Ended is null && r.Pid > 0 && ProcessTable.Find(r.Pid) is { IsZombie: false } entry && entry.StartTicks == r.StartTicks);
}
