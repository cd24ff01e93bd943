using Stoker.Estates;

namespace Stoker.Probes;

/// <summary>The time of one question: what it took so far, and the token that ends it.</summary>
internal sealed class ProbeDeadline : IDisposable
{
    private readonly TimeProvider clock;
    private readonly long asked;
    private readonly TimeSpan timeout;
    private readonly CancellationTokenSource ending;
    private readonly CancellationTokenRegistration outer;

    public ProbeDeadline(TimeSpan timeout, TimeProvider clock, CancellationToken cancel)
    {
        this.clock = clock;
        this.timeout = timeout;
        asked = clock.GetTimestamp();
        ending = new CancellationTokenSource(timeout, clock);
        outer = cancel.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), ending);
    }

    public CancellationToken Token => ending.Token;

    public bool IsOver => ending.IsCancellationRequested;

    private TimeSpan Took => clock.GetElapsedTime(asked);

    public ProbeOutcome Healthy(string detail) => new ProbeOutcome.Healthy(Took, detail);

    public ProbeOutcome Unhealthy(string detail) => new ProbeOutcome.Unhealthy(Took, detail);

    /// <param name="progress">How far it came: <c>connected, but no answer</c>.</param>
    public ProbeOutcome TimedOut(string subject, string progress) =>
        new ProbeOutcome.TimedOut(Took, timeout, $"{subject}: {progress} within {DurationWords.Of(timeout)}");

    public void Dispose()
    {
        outer.Dispose();
        ending.Dispose();
    }
}
