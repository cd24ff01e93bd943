using Stoker.Streams.Sending;

namespace Stoker.Cli.StreamVerbs;

/// <summary>Delivers what waits in a spool: once, or whenever something does.</summary>
internal sealed class SpoolFlush(SendDelivery delivery, SpoolTurns turns, TimeSpan patience, TimeProvider clock, Action<string> say)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    /// <returns>Null: nothing waits any more; else why it still does.</returns>
    public async Task<string?> OnceAsync(CancellationToken cancel)
    {
        var began = clock.GetTimestamp();
        var hasSaid = false;
        while (true)
        {
            var isDone = await delivery.DeliverAsync(cancel);
            turns.Release();
            if (isDone) return null;
            if (clock.GetElapsedTime(began) >= patience) return delivery.Away;
            if (!hasSaid) say($"waiting for the stream: {delivery.Away}");
            hasSaid = true;
            while (!delivery.IsDue && clock.GetElapsedTime(began) < patience) await Task.Delay(Look, clock, cancel);
        }
    }

    /// <summary>Until it is cancelled. A spool that nobody has changed is not looked into.</summary>
    public async Task FollowAsync(CancellationToken cancel)
    {
        DateTimeOffset? seen = null;
        string? away = null;
        while (true)
        {
            var changed = Spool.ChangedAt(turns.Directory);
            if (changed != seen && delivery.IsDue)
            {
                var isDone = await delivery.DeliverAsync(cancel);
                turns.Release();
                // What another sender wrote since the look is a later time than this one.
                if (isDone) seen = changed;
                if (isDone && away is not null) say("the stream is back, and has what waited");
                if (!isDone && away is null) say($"the stream is away: {delivery.Away}");
                away = delivery.Away;
            }

            await Task.Delay(Look, clock, cancel);
        }
    }
}
