namespace Stoker.Supervision;

/// <summary>
/// What carries out the decisions about one service: the door between <see cref="ServiceDriver"/> and the machine. Tests put a
/// machine of their own here.
/// </summary>
internal interface IServiceHands : IAsyncDisposable
{
    /// <summary>
    /// Does it, or begins to. Facts that follow at once are returned, so that they are decided before anything else is; those
    /// that follow later are posted to the driver.
    /// </summary>
    IReadOnlyList<ServiceFact> Do(ServiceAction.OfReplica action, ServiceLife life);

    /// <summary>Takes over a process of an earlier daemon, before the driver begins; null when it is not there any more.</summary>
    ServiceFact.Adopted? Adopt(ReplicaRecord record, ServiceLife life);

    /// <summary>Asks the healthcheck of every replica now, for a person; decides nothing.</summary>
    Task<IReadOnlyList<AskedReplica>> AskAsync(ServiceLife life, CancellationToken cancel);
}

/// <summary>What a replica's healthcheck answered when asked by hand.</summary>
/// <param name="Outcome"><c>healthy</c>, <c>unhealthy</c>, <c>timed_out</c> or <c>not_asked</c>.</param>
/// <param name="Kind">How it is asked: <c>http</c>, <c>tcp</c>, <c>exec</c>, <c>log</c>, <c>notify</c> or <c>none</c>.</param>
internal sealed record AskedReplica(int Replica, string Outcome, string Detail, TimeSpan Took, string Kind);
