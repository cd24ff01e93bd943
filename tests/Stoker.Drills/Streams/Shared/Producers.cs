using System.Net;
using System.Text.Json;

namespace Stoker.Drills.Streams.Shared;

/// <summary>
/// Producers that post without a pause, unless one is said, one request after the other each. What was not answered they send again or give up, in turn; what is refused for a
/// time they send again.
/// </summary>
internal sealed class Producers : IAsyncDisposable
{
    private readonly StreamBox _box;
    private readonly Oracle _oracle;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running;
    private readonly int _batch;
    private readonly TimeSpan _pause;
    private readonly Func<Oracle, DrillEvent> _issue;
    private long _unanswered;
    private long _sentAgain;
    private long _refused;

    /// <param name="batch">The most events of a request.</param>
    /// <param name="pause">Between two requests of a producer.</param>
    public Producers(StreamBox box, Oracle oracle, int count = 8, int batch = 20, Func<Oracle, DrillEvent>? issue = null, TimeSpan pause = default)
    {
        (_box, _oracle, _batch, _pause) = (box, oracle, batch, pause);
        _issue = issue ?? (static o => o.Issue());
        _running = [.. Enumerable.Range(0, count).Select(number => Task.Run(() => RunAsync(number)))];
    }

    /// <summary>Requests whose answer nobody saw.</summary>
    public long Unanswered => Interlocked.Read(ref _unanswered);

    /// <summary>Requests that were sent once more.</summary>
    public long SentAgain => Interlocked.Read(ref _sentAgain);

    /// <summary>Answers 503 and 507.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Of the last refusal.</summary>
    public (HttpStatusCode Status, TimeSpan? RetryAfter, string? Type) LastRefusal { get; private set; }

    /// <summary>When it returns, all have had their last answer.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task RunAsync(int number)
    {
        for (var turn = number; !_stop.IsCancellationRequested; turn++)
        {
            if (turn > number && _pause > TimeSpan.Zero) await Task.Delay(_pause);
            var events = Enumerable.Range(0, 1 + ((turn * 7) % _batch)).Select(_ => _issue(_oracle)).ToList();
            for (var attempt = 0; !_stop.IsCancellationRequested; attempt++)
            {
                if (attempt > 0) Interlocked.Increment(ref _sentAgain);
                if (await PostAsync(events) || turn % 2 == 0) break;
            }
        }
    }

    /// <returns>False: nobody knows whether it was taken, or it was not.</returns>
    private async Task<bool> PostAsync(List<DrillEvent> events)
    {
        try
        {
            using var answer = await _box.PostAsync(events);
            if (answer.StatusCode == HttpStatusCode.Accepted)
            {
                foreach (var each in events) _oracle.Acknowledge(each);
                return true;
            }

            LastRefusal = (answer.StatusCode, answer.Headers.RetryAfter?.Delta, answer.Content.Headers.ContentType?.MediaType);
            Interlocked.Increment(ref _refused);
        }
        catch (Exception broken) when (broken is HttpRequestException or TaskCanceledException or IOException or JsonException)
        {
            Interlocked.Increment(ref _unanswered);
        }

        await Task.Delay(5);
        return false;
    }
}
