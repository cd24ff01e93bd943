using Stoker.Platform;

namespace Stoker.Probes;

/// <summary>
/// A command that succeeds when the service is well. It runs in a session of its own with the service's environment, directory
/// and user; whatever it has started is killed when it exceeds its time, so that a check that hangs leaves nothing behind.
/// </summary>
internal sealed class ExecProbe(IReadOnlyList<string> command, ProbeTarget target, TimeSpan timeout, TimeProvider clock) : IProbe
{
    private const int LongestWords = 300;

    private static long _lastRun;

    private readonly IReadOnlyList<string> _words = [.. target.Through, .. command];

    private readonly string _subject = $"`{(command.Count > 2 && command[1] == "-c" ? command[2] : string.Join(' ', command))}`";

    public async ValueTask<ProbeOutcome> AskAsync(CancellationToken cancel)
    {
        using var deadline = new ProbeDeadline(timeout, clock, cancel);
        target.Environment.TryGetValue("PATH", out var path);
        var executable = Executables.Find(_words[0], path, target.WorkingDirectory);
        if (executable is null) return deadline.Unhealthy($"{_subject} cannot run: `{_words[0]}` is not installed");

        OutputTail tail;
        try
        {
            tail = new OutputTail();
        }
        catch (IOException e)
        {
            return deadline.Unhealthy($"{_subject} cannot run: {e.Message}");
        }

        using (tail)
        {
            var run = $"probe-{HostEnvironment.ProcessId}-{Interlocked.Increment(ref _lastRun)}";
            return ProcessLauncher.Launch(Request(executable, tail, run)) switch
            {
                LaunchOutcome.Launched launched => await WatchAsync(launched.Process, run, tail, deadline),
                LaunchOutcome.Refused refused => deadline.Unhealthy($"{_subject} cannot run: {refused.Message}"),
                var other => throw new InvalidOperationException($"no such outcome of a launch: {other}"),
            };
        }
    }

    private LaunchRequest Request(string executable, OutputTail tail, string run)
    {
        // A marker of its own: with the service's, killing the check would kill the service.
        var environment = new Dictionary<string, string>(target.Environment) { [ProcessTree.MarkerVariable] = run };
        return new LaunchRequest(executable, [.. _words.Skip(1)], environment, target.WorkingDirectory)
        {
            Output = tail.Path,
            ErrorOutput = tail.Path,
            User = target.User,
        };
    }

    private async ValueTask<ProbeOutcome> WatchAsync(ChildProcess process, string run, OutputTail tail, ProbeDeadline deadline)
    {
        using (process)
        {
            try
            {
                var status = await process.Exit.WaitAsync(deadline.Token);
                var words = LastWords(tail);
                return status.IsSuccess
                    ? deadline.Healthy($"{_subject} succeeded{words}")
                    : deadline.Unhealthy($"{_subject} {status}{words}");
            }
            catch (OperationCanceledException)
            {
                var outcome = deadline.TimedOut(_subject, "did not end");
                // It looks through /proc and waits for the end of what it kills: not on the thread of a timer.
                var left = await Task.Run(() => ProcessTree.KillAll(process.Id, process.Pid, run), CancellationToken.None);
                var survivors = left.Count == 0 ? "" : $" (not killed: pid {string.Join(", ", left.Select(p => p.Pid))})";
                return outcome with { Detail = outcome.Detail + survivors + LastWords(tail) };
            }
        }
    }

    private static string LastWords(OutputTail tail) => tail.LastLine switch
    {
        null => "",
        { Length: > LongestWords } line => $": {line[..LongestWords]}…",
        var line => $": {line}",
    };
}
