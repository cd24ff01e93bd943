namespace Stoker.Supervision;

/// <summary>Signals to a run, and the sweep that ends all it has started.</summary>
internal sealed class ReplicaStop(ReplicaPlace place, Action<ServiceFact> post) : IDisposable
{
    private CancellationTokenSource _sweep = new();

    public async Task SignalAsync(ReplicaRun run, int number, int signal)
    {
        if (await run.Runtime.SignalAsync(run.Handle, signal) is { } problem) post(new ServiceFact.ActionFailed(place.Now, place.Replica, number, problem));
    }

    /// <param name="run">Null: nothing of it is left.</param>
    public IReadOnlyList<ServiceFact> Sweep(ReplicaRun? run, ServiceAction.Sweep action)
    {
        if (run is null) return [new ServiceFact.TreeGone(place.Now, place.Replica, action.Run, 0)];
        // A later sweep with a stronger signal replaces one that still waits.
        Leave();
        var sweeping = run.Runtime.SweepAsync(run.Handle, action.Number, _sweep.Token);
        if (sweeping.IsCompletedSuccessfully) return [new ServiceFact.TreeGone(place.Now, place.Replica, action.Run, sweeping.Result)];
        _ = AwaitSweepAsync(sweeping, action.Run, _sweep.Token);
        return [];
    }

    /// <summary>A sweep that still waits is given up.</summary>
    public void Leave()
    {
        _sweep.Cancel();
        _sweep = new CancellationTokenSource();
    }

    public void Dispose() => _sweep.Cancel();

    private async Task AwaitSweepAsync(ValueTask<int> sweeping, int number, CancellationToken cancel)
    {
        try
        {
            var killed = await sweeping;
            if (!cancel.IsCancellationRequested) post(new ServiceFact.TreeGone(place.Now, place.Replica, number, killed));
        }
        catch (Exception problem) when (problem is IOException or InvalidOperationException or UnauthorizedAccessException)
        {
            post(new ServiceFact.ActionFailed(place.Now, place.Replica, number, $"what it started could not be ended: {problem.Message}"));
        }
    }
}
