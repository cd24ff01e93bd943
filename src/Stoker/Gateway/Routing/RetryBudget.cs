namespace Stoker.Gateway.Routing;

/// <summary>
/// Holds a model's retries to a share of its recent requests, and a few more. Counted in buckets of a second: the promise is about the last window to
/// within one bucket. Thread-safe.
/// </summary>
internal sealed class RetryBudget(RetryOptions options)
{
    private readonly int[] _requests = new int[Math.Max(1, (int)options.BudgetWindow.TotalSeconds)];
    private readonly int[] _retries = new int[Math.Max(1, (int)options.BudgetWindow.TotalSeconds)];
    private readonly Lock _access = new();
    private long _second;
    private int _requestSum, _retrySum;

    public void CountRequest(long now)
    {
        lock (_access)
        {
            _requests[Turn(now)]++;
            _requestSum++;
        }
    }

    public bool HasRoom(long now)
    {
        lock (_access)
        {
            Turn(now);
            return HasRoom();
        }
    }

    /// <summary>Takes one retry; false when the budget is spent.</summary>
    public bool TryTake(long now)
    {
        lock (_access)
        {
            var bucket = Turn(now);
            if (!HasRoom()) return false;
            _retries[bucket]++;
            _retrySum++;
            return true;
        }
    }

    private bool HasRoom() => _retrySum + 1 <= options.BudgetFloor + options.BudgetShare * _requestSum;

    private int Turn(long now)
    {
        var second = now / TimeSpan.TicksPerSecond;
        // Loops read the clock one after the other; what comes a little late counts for the bucket that is open.
        for (var steps = Math.Min(second - _second, _requests.Length); steps > 0; steps--)
        {
            var bucket = (int)((second - steps + 1) % _requests.Length);
            _requestSum -= _requests[bucket];
            _retrySum -= _retries[bucket];
            _requests[bucket] = _retries[bucket] = 0;
        }

        _second = Math.Max(_second, second);
        return (int)(_second % _requests.Length);
    }
}
