using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Engine;

/// <summary>
/// Wakes whoever waits for a time: one timer for all of them, and no allocation per wait. They go on on the timer's thread, one after
/// the other, which for a thousand streams costs less than a thousand changes of thread.
/// </summary>
internal sealed class Ticker : IDisposable
{
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private readonly PriorityQueue<(Pause Pause, short Version), long> due = new();
    private readonly Lock access = new();
    private long armed = long.MaxValue;
    private bool drains;

    public Ticker(TimeProvider clock)
    {
        this.clock = clock;
        timer = clock.CreateTimer(static ticker => ((Ticker)ticker!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public long Now => clock.GetTimestamp();

    public long Ticks(TimeSpan time) => (long)(time.TotalSeconds * clock.TimestampFrequency);

    public double Seconds(long from, long to) => (to - from) / (double)clock.TimestampFrequency;

    /// <summary>Waits until this timestamp; at once when it is over. False: the client has left.</summary>
    public ValueTask<bool> Until(Pause pause, long moment)
    {
        if (pause.IsOver) return ValueTask.FromResult(false);
        if (moment <= Now) return ValueTask.FromResult(true);
        var version = pause.Arm(elsewhere: false);
        lock (access)
        {
            due.Enqueue((pause, version), moment);
            if (moment < armed && !drains) ArmFor(moment);
        }

        return pause.Wait(version);
    }

    /// <summary>Waits until the client has left.</summary>
    public static ValueTask<bool> ForEver(Pause pause)
    {
        var version = pause.Arm(elsewhere: false);
        return pause.Wait(version);
    }

    public void Dispose() => timer.Dispose();

    private void Tick()
    {
        lock (access)
        {
            if (drains) return;
            drains = true;
        }

        while (true)
        {
            (Pause Pause, short Version) first;
            lock (access)
            {
                if (!due.TryPeek(out _, out var moment) || moment > Now)
                {
                    drains = false;
                    armed = long.MaxValue;
                    if (due.Count > 0) ArmFor(moment);
                    return;
                }

                first = due.Dequeue();
            }

            first.Pause.Wake(first.Version);
        }
    }

    private void ArmFor(long moment)
    {
        armed = moment;
        // Timers count whole milliseconds: rounded up, so that it does not wake for nothing.
        var left = Math.Ceiling(Math.Max(0, Seconds(Now, moment)) * 1000);
        timer.Change(TimeSpan.FromMilliseconds(left), Timeout.InfiniteTimeSpan);
    }
}
