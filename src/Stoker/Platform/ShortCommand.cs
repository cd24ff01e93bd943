namespace Stoker.Platform;

/// <summary>What became of a short command.</summary>
internal abstract record ShortCommandOutcome
{
    private ShortCommandOutcome()
    {
    }

    /// <param name="Output">The end of what it wrote to its output: 4 KiB, or what was asked for.</param>
    /// <param name="LastError">The last line of its error output; null when there is none.</param>
    internal sealed record Ended(ExitStatus Status, string Output, string? LastError) : ShortCommandOutcome;

    /// <summary>It took too long, or the asker gave up; it and what it had started are killed.</summary>
    internal sealed record Abandoned(TimeSpan? After) : ShortCommandOutcome;

    internal sealed record NotStarted(string Message) : ShortCommandOutcome;

    public bool IsSuccess => this is Ended { Status.IsSuccess: true };

    /// <summary>What went wrong, in words, to follow the name of the command; of a success that it succeeded.</summary>
    public string Words => this switch
    {
        Ended { Status: { IsSuccess: true } } => "succeeded",
        Ended { LastError: { } line } => line,
        Ended ended => ended.Status.ToString(),
        Abandoned { After: { } time } => $"did not answer within {time.TotalSeconds:0.#} s",
        Abandoned => "was cut short",
        NotStarted refused => refused.Message,
        _ => throw new InvalidOperationException($"no such outcome: {GetType().Name}"),
    };
}

/// <summary>Runs a command for its answer: output captured, time limited, nothing left behind.</summary>
internal static class ShortCommand
{
    private static long _lastRun;

    /// <param name="limit">Null: no limit but the token.</param>
    public static Task<ShortCommandOutcome> RunAsync(
        string executable, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, TimeSpan? limit, CancellationToken cancel = default) =>
        RunAsync(executable, arguments, environment, limit, OutputTail.Usual, cancel);

    /// <param name="kept">How much of its output is wanted at most, in bytes, from the end.</param>
    public static async Task<ShortCommandOutcome> RunAsync(
        string executable, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, TimeSpan? limit, int kept, CancellationToken cancel = default)
    {
        using var output = new OutputTail(kept);
        using var errors = new OutputTail();
        var run = $"short-{Environment.ProcessId}-{Interlocked.Increment(ref _lastRun)}";
        var marked = new Dictionary<string, string>(environment) { [ProcessTree.MarkerVariable] = run };
        var request = new LaunchRequest(executable, arguments, marked, "/") { Output = output.Path, ErrorOutput = errors.Path };
        switch (ProcessLauncher.Launch(request))
        {
            case LaunchOutcome.Refused refused:
                return new ShortCommandOutcome.NotStarted(refused.Message);
            case LaunchOutcome.Launched { Process: var process }:
                using (process)
                {
                    return await EndAsync(process, run, limit, cancel) is { } status
                        ? new ShortCommandOutcome.Ended(status, output.Text, errors.LastLine)
                        : new ShortCommandOutcome.Abandoned(cancel.IsCancellationRequested ? null : limit);
                }
        }

        throw new InvalidOperationException("a launch has two outcomes");
    }

    /// <summary>Null when it was killed for want of an end.</summary>
    private static async Task<ExitStatus?> EndAsync(ChildProcess process, string run, TimeSpan? limit, CancellationToken cancel)
    {
        try
        {
            return await process.Exit.WaitAsync(limit ?? Timeout.InfiniteTimeSpan, cancel);
        }
        catch (Exception late) when (late is TimeoutException or OperationCanceledException)
        {
            await Task.Run(() => ProcessTree.KillAll(process.Id, process.Pid, run), CancellationToken.None);
            return null;
        }
    }
}
