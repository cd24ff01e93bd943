namespace Stoker.Supervision;

/// <summary>The armed timers of one replica: one of each kind, the latest.</summary>
internal sealed class ReplicaTimers(TimeProvider clock, Action<ServiceFact> post) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ReplicaTimer, ITimer> _armed = [];

    public void Arm(ServiceAction.Arm action)
    {
        var timer = clock.CreateTimer(
            _ => post(new ServiceFact.TimerElapsed(clock.GetUtcNow(), action.Replica, action.Run, action.Timer)), null, action.After, Timeout.InfiniteTimeSpan);
        lock (_lock)
        {
            if (_armed.Remove(action.Timer, out var earlier)) earlier.Dispose();
            _armed[action.Timer] = timer;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var timer in _armed.Values) timer.Dispose();
            _armed.Clear();
        }
    }
}
