namespace Stoker.Probes;

/// <summary>
/// How health is asked, one question at a time, and what the answers mean.
/// <code>
///   asked:  ProbeFactory.Create ─→ IProbe.AskAsync ─→ ProbeOutcome ─┐
///   told:   NotifySocket (READY=1, WATCHDOG=1 …) ───────────────────┼─→ HealthPolicy.Decide ─→ Starting | Healthy | Unhealthy
///           LogMatch (a line of its output) ────────────────────────┘
///   when:   ProbeSchedule.Next: 1, 2, 4, 8 … ms until first healthy, then the declared interval
/// </code>
/// Promises: a probe ends at its timeout and leaves nothing behind, neither a socket nor a process. A service that refuses
/// connections while it starts costs no exception. Every outcome says in words what was asked and what was answered.
/// Refuses: to follow redirects, to read bodies, to trust a certificate that is not this machine's own without verifying it.
/// The same probes ask another host's services: only <see cref="ProbeTarget.Address"/> differs.
/// </summary>
internal static class ProbesModule
{
    /// <summary>The word for a kind of probe in <c>stoker probe --json</c>.</summary>
    public static string KindOf(Estates.ProbeSpec probe) => probe switch
    {
        Estates.ProbeSpec.Exec => "exec",
        Estates.ProbeSpec.Http => "http",
        Estates.ProbeSpec.Tcp => "tcp",
        Estates.ProbeSpec.Log => "log",
        Estates.ProbeSpec.Notify => "notify",
        Estates.ProbeSpec.Gpu => "gpu",
        Estates.ProbeSpec.Image => "image",
        Estates.ProbeSpec.None => "none",
        _ => throw new ArgumentOutOfRangeException(nameof(probe), probe, "no such kind of probe"),
    };
}
