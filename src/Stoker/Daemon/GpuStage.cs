using Stoker.Gpus;
using Stoker.Gpus.Mig;
using Stoker.Gpus.Simulation;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Platform.Gpus;

namespace Stoker.Daemon;

/// <summary>
/// The simulated cards of a rehearsal, and who is on them: the services that the plan gave each, with most of the memory they declared. How busy they are follows the processor time of
/// their processes here, so that a load on the estate is a load on its cards.
/// </summary>
internal sealed class GpuStage : IDisposable
{
    /// <summary>Of what a service declared, in use; and of a whole card that is given without a figure.</summary>
    private const double OfDeclared = 0.8, OfWhole = 0.6;

    /// <summary>A tenth of a processor here is a busy card there: what stands in for a model does little.</summary>
    private const double LoadOfProcessor = 10;

    /// <summary>The bit that sticks in a card with a fault of memory: in its first MiB, which every simulation of its work has.</summary>
    public const long WornBit = (100_000 * 64) + 17;

    private readonly TimeProvider _clock;
    private readonly Dictionary<int, (TimeSpan Cpu, long At)> _seen = [];

    /// <param name="shapeOf">What a card was divided into when an earlier daemon simulated it; a real one would be so still.</param>
    public GpuStage(IReadOnlyList<SimulatedCard> cards, TimeProvider clock, Func<string, MigShape?> shapeOf)
    {
        (Cards, _clock, Driver) = (cards, clock, new SimulatedGpuDriver(cards, clock));
        for (var index = 0; index < cards.Count; index++)
        {
            if (shapeOf(cards[index].Id) is { } shape) Driver.Divide(index, shape.IsOn, shape.Instances);
        }

        Door = new GpuDoor(() => new GpuOpening.Opened(Driver), clock);
    }

    public IReadOnlyList<SimulatedCard> Cards { get; }

    public SimulatedGpuDriver Driver { get; }

    public GpuDoor Door { get; }

    /// <summary>Those of a rehearsal that are not in this machine.</summary>
    public static IReadOnlyList<SimulatedCard> CardsOf(EstatePlan plan) => plan.Rehearse ? [.. plan.Gpus.Where(g => !g.IsPresent).Select(CardOf)] : [];

    public static SimulatedCard CardOf(GpuPlan gpu) => new(gpu.Model, gpu.Memory?.Bytes, gpu.Uuid, gpu.Host?.Value, gpu.Index);

    /// <summary>Services that were given a card.</summary>
    public static IReadOnlyList<string> ServicesOf(GpuPlan gpu, EstatePlan plan) =>
        [.. gpu.Holders.SelectMany(h => CoveredBy(h.Owner, plan)).Distinct()];

    /// <summary>Services that count against a holder: itself, or those of a group that ask for a GPU.</summary>
    public static IReadOnlyList<string> CoveredBy(string owner, EstatePlan plan)
    {
        const string group = "group ";
        if (!owner.StartsWith(group, StringComparison.Ordinal)) return [owner.Split('/')[0]];
        return [.. plan.Local.Where(s => s.Spec.Group?.Value.Value == owner[group.Length..] && s.Spec.Resources.Gpus.Count > 0).Select(s => s.Name.Value)];
    }

    /// <param name="instanceOf">Of a card's UUID and an owner: the MIG instance that it was given.</param>
    public void Place(EstatePlan plan, IReadOnlyList<ReplicaProcess> replicas, Func<string, string, uint?> instanceOf)
    {
        var index = 0;
        foreach (var gpu in plan.Gpus)
        {
            if (gpu.IsPresent) continue;
            var clients = new List<SimulatedClient>();
            foreach (var holder in gpu.Holders)
            {
                var covered = CoveredBy(holder.Owner, plan);
                List<ReplicaProcess> own = [.. replicas.Where(r => covered.Contains(r.Service) && Includes(holder.Owner, r))];
                if (own.Count == 0) continue;
                var whole = holder.Memory is { } declared ? declared.Bytes * OfDeclared : (gpu.Memory?.Bytes ?? 8L << 30) * OfWhole / gpu.Holders.Count;
                var instance = gpu.Share == "mig" ? instanceOf(CardOf(gpu).Id, holder.Owner) : null;
                foreach (var replica in own) clients.Add(new SimulatedClient(replica.Pid, (long)(whole / own.Count), LoadOf(replica.Pid), instance));
            }

            Driver.Place(index++, clients);
        }
    }

    public void Dispose() => Door.Dispose();

    /// <summary>An owner with a slash is one replica: <c>service/2</c>.</summary>
    private static bool Includes(string owner, ReplicaProcess replica) =>
        !owner.Contains('/', StringComparison.Ordinal) || owner == $"{replica.Service}/{replica.Replica}";

    private double LoadOf(int pid)
    {
        if (ProcessTable.Find(pid) is not { } entry) return 0;
        var now = _clock.GetTimestamp();
        var known = _seen.TryGetValue(pid, out var last);
        _seen[pid] = (entry.CpuTime, now);
        var elapsed = known ? _clock.GetElapsedTime(last.At, now) : default;
        return elapsed > TimeSpan.Zero ? Math.Clamp((entry.CpuTime - last.Cpu) / elapsed * LoadOfProcessor, 0, 1) : 0;
    }
}
