using Stoker.Estates;
using Stoker.Gpus;
using Stoker.Planning;
using Stoker.Supervision;
using GpuDocument = Stoker.Gpus.GpuDocument;

namespace Stoker.Daemon;

/// <summary>Lets replicas start where their GPUs have room for them. Who was let start a moment ago has its promise already, so that two that start together do not share one room.</summary>
internal sealed class GpuRooms(SupervisionDoors doors)
{
    /// <summary>From the permission to the process.</summary>
    private static readonly TimeSpan Starting = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Service, int Replica), long> _let = [];

    /// <param name="cards">Of the replica, each with its plan and with what it has now; null: it is not there.</param>
    public StartRoom Decide(
        ServiceName service, int replica, IReadOnlyList<(GpuPlan Plan, GpuDocument? Now, IReadOnlyList<LedgerBudget> Budgets)> cards, EstatePlan plan,
        IReadOnlyList<string> problems)
    {
        lock (_lock)
        {
            foreach (var (card, now, budgets) in cards)
            {
                if (now is null) return new StartRoom.NotNow($"{card.Name}, which is not there{(problems.Count > 0 ? $": {problems[0]}" : "")}");
                // An instance is its owner's alone.
                if (card.Share == "mig") continue;
                var asks = budgets.First(b => GpuPartitions.IsFor(b.Owner, service.Value, replica, plan));
                List<Promise> promises = [.. budgets.Select(b => new Promise(b, IsUp(b, plan, service, replica)))];
                switch (GpuAdmission.Decide(now, card.Memory?.Bytes, promises, asks))
                {
                    case Admission.Later later:
                        return new StartRoom.NotNow(later.Why);
                    case Admission.Never never:
                        return new StartRoom.Never(never.Why);
                }
            }

            _let[(service.Value, replica)] = doors.Clock.GetTimestamp();
            return new StartRoom.There();
        }
    }

    private bool IsUp(LedgerBudget budget, EstatePlan plan, ServiceName service, int replica)
    {
        foreach (var covered in budget.Covers)
        {
            if (doors.Board.Statuses.TryGetValue(new ServiceName(covered), out var status)
                && status.Replicas.Any(r => r.Pid is not null && GpuPartitions.IsFor(budget.Owner, covered, r.Index, plan)))
            {
                return true;
            }
        }

        foreach (var (who, at) in _let)
        {
            if ((who.Service != service.Value || who.Replica != replica) && doors.Clock.GetElapsedTime(at) < Starting && GpuPartitions.IsFor(budget.Owner, who.Service, who.Replica, plan)) return true;
        }

        return false;
    }
}
