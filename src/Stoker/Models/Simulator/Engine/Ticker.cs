using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Engine;

/// <summary>
/// Wakes whoever waits for a time: one timer for all of them, and no allocation per wait. They go on on the timer's thread, one after
/// the other, which for a thousand streams costs less than a thousand changes of thread.
/// </summary>
internal sealed class Ticker : IDisposable
{
    private readonly TimeProvider _clock;
    private readonly ITimer _timer;
    private readonly PriorityQueue<(Pause Pause, short Version), long> _due = new();
    private readonly Lock _access = new();
    private long _armed = long.MaxValue;
    private bool _drains;

    public Ticker(TimeProvider clock)
    {
        _clock = clock;
        _timer = clock.CreateTimer(static ticker => ((Ticker)ticker!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public long Now => _clock.GetTimestamp();

    public long Ticks(TimeSpan time) => (long)(time.TotalSeconds * _clock.TimestampFrequency);

    public double Seconds(long from, long to) => (to - from) / (double)_clock.TimestampFrequency;

    /// <summary>Waits until this timestamp; at once when it is over. False: the client has left.</summary>
    public ValueTask<bool> Until(Pause pause, long moment)
    {
        if (pause.IsOver) return ValueTask.FromResult(false);
        if (moment <= Now) return ValueTask.FromResult(true);
        var version = pause.Arm(elsewhere: false);
        lock (_access)
        {
            _due.Enqueue((pause, version), moment);
            if (moment < _armed && !_drains) ArmFor(moment);
        }

        return pause.Wait(version);
    }

    /// <summary>Waits until the client has left.</summary>
    public static ValueTask<bool> ForEver(Pause pause)
    {
        var version = pause.Arm(elsewhere: false);
        return pause.Wait(version);
    }

    public void Dispose() => _timer.Dispose();

    private void Tick()
    {
        lock (_access)
        {
            if (_drains) return;
            _drains = true;
        }

        while (true)
        {
            (Pause Pause, short Version) first;
            lock (_access)
            {
                if (!_due.TryPeek(out _, out var moment) || moment > Now)
                {
                    _drains = false;
                    _armed = long.MaxValue;
                    if (_due.Count > 0) ArmFor(moment);
                    return;
                }

                first = _due.Dequeue();
            }

            first.Pause.Wake(first.Version);
        }
    }

    private void ArmFor(long moment)
    {
        _armed = moment;
        // Timers count whole milliseconds: rounded up, so that it does not wake for nothing.
        var left = Math.Ceiling(Math.Max(0, Seconds(Now, moment)) * 1000);
        _timer.Change(TimeSpan.FromMilliseconds(left), Timeout.InfiniteTimeSpan);
    }
}
