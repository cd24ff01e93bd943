namespace Stoker.Platform;

/// <summary>Work that goes on beside the requests for as long as the gateway does.</summary>
internal static class Upheld
{
    /// <summary>
    /// Runs it until it ends or is stopped. What fails is told with its trace and begins again after a pause: one bad moment must not leave queues without
    /// deadlines, or engines unwatched, for ever.
    /// </summary>
    public static async Task RunAsync(string what, Func<CancellationToken, Task> run, TimeSpan pause, Action<string> say, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await run(stop);
                return;
            }
            catch (Exception ended) when (ended is OperationCanceledException && stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failed)
            {
                say($"error: {what} failed, and begins again: {failed}");
            }

            await Task.Delay(pause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
