namespace Stoker.Platform;

/// <summary>When what failed is tried again: after a tenth of a second, then after twice as long each time, up to ten seconds.</summary>
/// <param name="clock">Its monotonic time counts: a clock that is set changes nothing.</param>
internal sealed class BackOff(TimeProvider clock)
{
    /// <summary>What has gone well for longer than this has not just failed.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);

    private TimeSpan _pause = TimeSpan.Zero;
    private long _since;

    public void Failed()
    {
        _pause = _pause == TimeSpan.Zero ? First : _pause * 2 < Longest ? _pause * 2 : Longest;
        _since = clock.GetTimestamp();
    }

    public void Worked() => _pause = TimeSpan.Zero;

    /// <summary>Waits out what is left of the pause; nothing, unless it has failed.</summary>
    public Task WaitAsync(CancellationToken cancellation)
    {
        if (_pause == TimeSpan.Zero) return Task.CompletedTask;
        var left = _pause - clock.GetElapsedTime(_since);
        return left > TimeSpan.Zero ? Task.Delay(left, clock, cancellation) : Task.CompletedTask;
    }

    /// <summary>It has failed: waits until it is to be tried again.</summary>
    public Task PauseAsync(CancellationToken cancellation)
    {
        Failed();
        return WaitAsync(cancellation);
    }
}
