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
}
