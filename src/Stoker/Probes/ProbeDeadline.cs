using Stoker.Estates;

namespace Stoker.Probes;

/// <summary>The time of one question: what it took so far, and the token that ends it.</summary>
internal sealed class ProbeDeadline : IDisposable
{
    private readonly TimeProvider _clock;
    private readonly long _asked;
    private readonly TimeSpan _timeout;
    private readonly CancellationTokenSource _ending;
    private readonly CancellationTokenRegistration _outer;

    public ProbeDeadline(TimeSpan timeout, TimeProvider clock, CancellationToken cancel)
    {
        _clock = clock;
        _timeout = timeout;
        _asked = clock.GetTimestamp();
        _ending = new CancellationTokenSource(timeout, clock);
        _outer = cancel.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), _ending);
    }

    public CancellationToken Token => _ending.Token;

    public bool IsOver => _ending.IsCancellationRequested;

    private TimeSpan Took => _clock.GetElapsedTime(_asked);

    public ProbeOutcome Healthy(string detail) => new ProbeOutcome.Healthy(Took, detail);

    public ProbeOutcome Unhealthy(string detail) => new ProbeOutcome.Unhealthy(Took, detail);

    /// <param name="progress">How far it came: <c>connected, but no answer</c>.</param>
    public ProbeOutcome TimedOut(string subject, string progress) =>
        new ProbeOutcome.TimedOut(Took, _timeout, $"{subject}: {progress} within {DurationWords.Of(_timeout)}");

    public void Dispose()
    {
        _outer.Dispose();
        _ending.Dispose();
    }
}
