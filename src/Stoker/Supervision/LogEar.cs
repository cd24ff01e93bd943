using Stoker.Logs;
using Stoker.Probes;

namespace Stoker.Supervision;

/// <summary>Listens to a replica's output for the line that says it is ready. Opened before the start, so that no line is too early to be heard.</summary>
internal sealed class LogEar : IDisposable
{
    private readonly TaskCompletionSource<ProbeOutcome> _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IDisposable? _observation;

    public LogEar(string pattern, LogAttachment log)
    {
        if (!LogMatch.TryCompile(pattern, out var regex, out var problem))
        {
            _heard.SetResult(new ProbeOutcome.Unhealthy(TimeSpan.Zero, $"the pattern `{pattern}` is not a regular expression: {problem}"));
            return;
        }

        var match = new LogMatch(regex!);
        _observation = log.Observe((_, _, message, _) =>
        {
            if (match.Tell(message)) _heard.TrySetResult(new ProbeOutcome.Healthy(TimeSpan.Zero, $"it wrote a line that matches `{pattern}`"));
        });
    }

    public Task<ProbeOutcome> Heard => _heard.Task;

    public void Dispose() => _observation?.Dispose();
}
