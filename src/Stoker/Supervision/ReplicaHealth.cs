using System.Text.RegularExpressions;
using Stoker.Estates;
using Stoker.Logs;
using Stoker.Probes;

namespace Stoker.Supervision;

/// <summary>The asking of one run of a replica: a loop of probes, or an ear for its log lines. Ends when disposed.</summary>
internal sealed class ReplicaHealth : IDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly Action<ProbeOutcome> _answered;
    private readonly TimeProvider _clock;
    private IDisposable? _ear;

    private ReplicaHealth(Action<ProbeOutcome> answered, TimeProvider clock)
    {
        _answered = answered;
        _clock = clock;
    }

    /// <param name="key">What tells replicas apart, to spread their probes: <c>vision.1</c>.</param>
    public static ReplicaHealth Begin(HealthcheckSpec check, ProbeTarget target, string key, bool everHealthy, LogAttachment log, TimeProvider clock, Action<ProbeOutcome> answered)
    {
        var health = new ReplicaHealth(answered, clock);
        if (check.Probe is ProbeSpec.Log { Pattern: var pattern }) health.Listen(pattern, log);
        else if (ProbeFactory.Create(check.Probe, target, check.Timeout, clock) is { } probe) _ = Task.Run(() => health.AskAsync(check, probe, key, everHealthy));
        return health;
    }

    public void Dispose()
    {
        _ending.Cancel();
        _ear?.Dispose();
    }

    private async Task AskAsync(HealthcheckSpec check, IProbe probe, string key, bool everHealthy)
    {
        var cancel = _ending.Token;
        try
        {
            for (var asked = 0; ; asked++)
            {
                await Task.Delay(ProbeSchedule.Next(check, everHealthy, asked, key), _clock, cancel);
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

    private void Listen(string pattern, LogAttachment log)
    {
        if (!LogMatch.TryCompile(pattern, out var regex, out var problem))
        {
            _answered(new ProbeOutcome.Unhealthy(TimeSpan.Zero, $"the pattern `{pattern}` is not a regular expression: {problem}"));
            return;
        }

        var match = new LogMatch(regex!);
        _ear = log.Observe((_, _, message, _) =>
        {
            if (match.Tell(message)) _answered(new ProbeOutcome.Healthy(TimeSpan.Zero, $"it wrote a line that matches `{pattern}`"));
        });
    }
}
