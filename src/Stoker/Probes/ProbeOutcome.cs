namespace Stoker.Probes;

/// <summary>The answer to one probe.</summary>
/// <param name="Detail">
/// In words, complete by itself: <c>GET http://127.0.0.1:7300/health answered 503 Service Unavailable</c>, <c>connection
/// refused by 127.0.0.1:6379</c>, <c>`pg_isready` exited with 1: no response</c>.
/// </param>
internal abstract record ProbeOutcome(TimeSpan Took, string Detail)
{
    internal sealed record Healthy(TimeSpan Took, string Detail) : ProbeOutcome(Took, Detail);

    internal sealed record Unhealthy(TimeSpan Took, string Detail) : ProbeOutcome(Took, Detail);

    /// <param name="After">The declared timeout.</param>
    internal sealed record TimedOut(TimeSpan Took, TimeSpan After, string Detail) : ProbeOutcome(Took, Detail);

    public bool IsHealthy => this is Healthy;
}
