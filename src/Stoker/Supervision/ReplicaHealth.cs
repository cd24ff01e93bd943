using Stoker.Estates;
using Stoker.Probes;

namespace Stoker.Supervision;

/// <summary>The asking of one run of a replica: a loop of probes, or an ear for its log lines. Ends when disposed.</summary>
internal sealed class ReplicaHealth : IDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly Action<ProbeOutcome> _answered;
    private readonly TimeProvider _clock;

    private ReplicaHealth(Action<ProbeOutcome> answered, TimeProvider clock)
    {
        _answered = answered;
        _clock = clock;
    }

    /// <param name="ready">Before it is done nobody is asked.</param>
    /// <param name="key">What tells replicas apart, to spread their probes: <c>vision.1</c>.</param>
    public static ReplicaHealth Begin(HealthcheckSpec check, Task ready, ProbeTarget target, string key, bool everHealthy, LogEar? ear, TimeProvider clock, Action<ProbeOutcome> answered)
    {
        var health = new ReplicaHealth(answered, clock);
        if (ear is not null) _ = health.AwaitLineAsync(ear);
        else if (ProbeFactory.Create(check.Probe, target, check.Timeout, clock) is { } probe) _ = Task.Run(() => health.AskAsync(check, ready, probe, key, everHealthy));
        return health;
    }

    public void Dispose() => _ending.Cancel();

    private async Task AskAsync(HealthcheckSpec check, Task ready, IProbe probe, string key, bool everHealthy)
    {
        var cancel = _ending.Token;
        try
        {
            await ready.WaitAsync(cancel);
            for (var asked = 0; ; asked++)
            {
                var now = TimeSpan.FromTicks(_clock.GetUtcNow().Ticks);
                await Task.Delay(ProbeSchedule.Gather(now, ProbeSchedule.Next(check, everHealthy, asked, key)), _clock, cancel);
                var outcome = await probe.AskAsync(cancel);
                if (cancel.IsCancellationRequested) return;
                _answered(outcome);
                everHealthy |= outcome.IsHealthy;
            }
        }
        catch (OperationCanceledException)
        {
            // The run has ended, or its healthcheck has changed.
        }
    }

    /// <summary>One good answer, once the ear has heard the line.</summary>
    private async Task AwaitLineAsync(LogEar ear)
    {
        try
        {
            _answered(await ear.Heard.WaitAsync(_ending.Token));
        }
        catch (OperationCanceledException)
        {
            // The run has ended without the line.
        }
    }
}
