using Stoker.Platform;

namespace Stoker.Runtimes;

/// <summary>
/// Containers by the command line of Podman or Docker. A replica's main process is the tool's client in the foreground: it has
/// the replica's pipes, lives as long as the container does and ends with its exit code. The container itself belongs to
/// the tool, so signals go by the tool too, and a container that has lost its client is ended and removed: the client's
/// death is the service's.
/// </summary>
/// <remarks>
/// <code>
/// stoker container-start (clear, build, networks) → exec → podman run … → container
///        a signal here ends it                              a signal goes to the container by `podman kill`
/// </code>
/// </remarks>
internal sealed class ContainerRuntime(TreeScanner scanner, TimeProvider clock) : IRuntime
{
    /// <summary>For the client to pass on the last output and the exit code of a container that has ended.</summary>
    private static readonly TimeSpan ForTheClient = TimeSpan.FromSeconds(5);

    private readonly ProcessRuntime _clients = new(scanner);

    public LaunchOutcome Launch(ReplicaLaunch launch) => ProcessLauncher.Launch(launch.Request);

    public async ValueTask<string?> SignalAsync(RunHandle run, int signal)
    {
        var container = ContainerOf(run);
        try
        {
            if (!await ContainerClient.IsRunningAsync(container, run.RunId)) return await SignalClientAsync(run, signal);
            var number = signal == Signals.Terminate ? await ContainerClient.StopSignalAsync(container) : signal;
            return await ContainerClient.SignalAsync(container, run.RunId, number);
        }
        catch (IOException problem)
        {
            return problem.Message;
        }
    }

    public async ValueTask<int> SweepAsync(RunHandle run, int signal, CancellationToken cancel)
    {
        var container = ContainerOf(run);
        if (signal != Signals.Kill && await ContainerClient.IsRunningAsync(container, run.RunId))
        {
            await SignalAsync(run, signal);
            await ContainerClient.WaitAsync(container, cancel);
            await ClientEndsAsync(run, cancel);
            if (cancel.IsCancellationRequested) return 0;
        }

        var orphaned = run.Main.Exit.IsCompleted;
        var found = 0;
        if (await ContainerClient.RemoveAsync(container, run.RunId))
        {
            found += orphaned ? 1 : 0;
            using var late = new CancellationTokenSource(ForTheClient, clock);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token);
            await ClientEndsAsync(run, limit.Token);
        }

        var cutShort = !run.Main.Exit.IsCompleted;
        found += await _clients.SweepAsync(run, signal, cancel);
        // It may have been about to make the container.
        if (cutShort && !cancel.IsCancellationRequested) await ContainerClient.RemoveAsync(container, run.RunId);
        return found;
    }

    /// <summary>What is being prepared can only be asked to end; for any other signal there is nobody yet.</summary>
    private async ValueTask<string?> SignalClientAsync(RunHandle run, int signal)
    {
        if (run.Main.Exit.IsCompleted) return null;
        if (signal is Signals.Terminate or Signals.Interrupt or Signals.Quit or Signals.Kill) return await _clients.SignalAsync(run, signal);
        return $"{Signals.Name(signal)} was not sent: container {ContainerOf(run).Name} does not run yet";
    }

    private static async Task ClientEndsAsync(RunHandle run, CancellationToken cancel)
    {
        try
        {
            await run.Main.Exit.WaitAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            // It is ended with what is left.
        }
    }

    private static ContainerHandle ContainerOf(RunHandle run) =>
        run.Container ?? throw new InvalidOperationException($"run {run.RunId} is not one of a container");
}
