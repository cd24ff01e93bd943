namespace Stoker.Streams.Stores;

/// <summary>When a store that failed is asked again: at once, then after a tenth of a second, and twice as long each time, up to ten seconds.</summary>
internal sealed class BackOff(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100), Longest = TimeSpan.FromSeconds(10);

    private TimeSpan _delay = TimeSpan.Zero;
    private DateTimeOffset _next;

    public void Failed()
    {
        _next = time.GetUtcNow() + _delay;
        _delay = _delay == TimeSpan.Zero ? First : _delay * 2 < Longest ? _delay * 2 : Longest;
    }

    public void Worked() => _delay = TimeSpan.Zero;

    public Task WaitAsync(CancellationToken cancellation)
    {
        if (_delay == TimeSpan.Zero) return Task.CompletedTask;
        var left = _next - time.GetUtcNow();
        // A clock that was set back must not keep it waiting.
        if (left > Longest) left = Longest;
        return left > TimeSpan.Zero ? Task.Delay(left, time, cancellation) : Task.CompletedTask;
    }
}
