using Stoker.Estates;

namespace Stoker.Supervision;

/// <summary>One decision in the making: the life as changed so far and the actions so far. Lives only inside <see cref="ServicePolicy.Decide"/>.</summary>
internal sealed class Turn(ServiceLife life, DateTimeOffset at)
{
    private readonly List<ServiceAction> _actions = [];

    public ServiceLife Life { get; set; } = life;

    public DateTimeOffset At { get; } = at;

    public ServiceSpec Spec => Life.Plan.Spec;

    public ReplicaLife? Find(int index)
    {
        foreach (var replica in Life.Replicas)
        {
            if (replica.Index == index) return replica;
        }

        return null;
    }

    public void Put(ReplicaLife replica)
    {
        Life = Life with { Replicas = [.. Life.Replicas.Select(r => r.Index == replica.Index ? replica : r)] };
    }

    public void Remove(int index) => Life = Life with { Replicas = [.. Life.Replicas.Where(r => r.Index != index)] };

    /// <summary>Moves a replica to a state; the time of the last change moves only when the state does.</summary>
    public ReplicaLife Enter(ReplicaLife replica, ServiceState state, string? reason = null)
    {
        var entered = replica with { State = state, Reason = reason, Since = replica.State == state ? replica.Since : At };
        Put(entered);
        return entered;
    }

    public void Do(ServiceAction action) => _actions.Add(action);

    /// <summary>Writes a line to the journal; the service's name is put in front, and the replica's number when there are several.</summary>
    public void Tell(ReplicaLife? replica, string kind, string text) => Do(new ServiceAction.Journal(replica?.Index, kind, text));

    public Decision Close() => new(Life, _actions);
}
