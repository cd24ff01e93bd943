namespace Stoker.Probes;

/// <summary>One way to ask a service for its health. Safe to ask again and again, and from several threads.</summary>
internal interface IProbe
{
    /// <summary>
    /// Asks once. Ends with <see cref="ProbeOutcome.TimedOut"/> at the probe's own timeout or when <paramref name="cancel"/>
    /// fires, whichever is first; never throws for what the service does.
    /// </summary>
    ValueTask<ProbeOutcome> AskAsync(CancellationToken cancel);
}
