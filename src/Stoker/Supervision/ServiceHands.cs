using System.Collections.Concurrent;

namespace Stoker.Supervision;

/// <summary>The hands of one service: one <see cref="ReplicaHand"/> for each replica that has ever been started.</summary>
internal sealed class ServiceHands(SupervisionDoors doors, Action<ServiceFact> post, Func<LaunchContext> context) : IServiceHands
{
    private readonly ConcurrentDictionary<int, ReplicaHand> _replicas = new();

    public IReadOnlyList<ServiceFact> Do(ServiceAction.OfReplica action, ServiceLife life)
    {
        if (!_replicas.TryGetValue(action.Replica, out var hand))
            _replicas[action.Replica] = hand = new ReplicaHand(doors, life.Plan.Name, action.Replica, post, context);
        return hand.Do(action, life);
    }

    public ServiceFact.Adopted? Adopt(ReplicaRecord record, ServiceLife life)
    {
        var hand = new ReplicaHand(doors, life.Plan.Name, record.Replica, post, context);
        _replicas[record.Replica] = hand;
        return hand.Adopt(record, life);
    }

    public async Task<IReadOnlyList<AskedReplica>> AskAsync(ServiceLife life, CancellationToken cancel) =>
        await Task.WhenAll(life.Replicas.Select(r => AskAsync(r, life, cancel)));

    private Task<AskedReplica> AskAsync(ReplicaLife replica, ServiceLife life, CancellationToken cancel) =>
        replica.IsUp && _replicas.TryGetValue(replica.Index, out var hand)
            ? hand.AskAsync(life, cancel)
            : Task.FromResult(new AskedReplica(replica.Index, "not_asked", $"it is {replica.State.ToString().ToLowerInvariant()}", TimeSpan.Zero, ReplicaWatch.KindOf(life, replica.Index)));

    public async ValueTask DisposeAsync()
    {
        foreach (var hand in _replicas.Values) await hand.DisposeAsync();
    }
}
