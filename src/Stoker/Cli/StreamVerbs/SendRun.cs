using System.Threading.Channels;
using Stoker.Streams.Sending;

namespace Stoker.Cli.StreamVerbs;

/// <summary>
/// Sends documents in requests of many, in order. While the stream is away they go to the spool, if there is one, and from there to the stream when it is back; nothing
/// overtakes what waits.
/// <code>
///  items ─► batch ─► stream is there, nothing waits ─► posted, with patience ─► verdicts
///              │                                          └─ away ─┐
///              └─ away, or something waits ───────────────────────►│ kept ─► delivered before anything else
/// </code>
/// </summary>
/// <param name="delivery">Null: there is no spool.</param>
/// <param name="told">What became of each, in order.</param>
internal sealed class SendRun(SendPosts posts, SendDelivery? delivery, SpoolTurns? turns, SendTerms terms, TimeProvider clock, Action<string> say, Action<SentDocument> told)
{
    private static readonly TimeSpan UsualPause = TimeSpan.FromSeconds(1), Linger = TimeSpan.FromMilliseconds(100);

    private readonly List<SendItem> _batch = [];
    private int _bytes;

    /// <exception cref="StreamSilentException">It does not answer, or takes nothing, for longer than patience, and there is no spool.</exception>
    /// <exception cref="SpoolRefusedException"/>
    public async Task SendAsync(IEnumerable<SendItem> items, CancellationToken cancel)
    {
        var channel = Channel.CreateBounded<SendItem>(SendingModule.MostItems);
        _ = Task.Run(() => ReadAsync(items, channel.Writer, cancel), cancel);
        try
        {
            if (delivery is not null) await DeliverAsync(cancel);
            await TakeAsync(channel.Reader, cancel);
            if (delivery is { Away: not null, IsDue: true }) await DeliverAsync(cancel);
        }
        finally
        {
            // Whoever reads waits for room no more.
            _ = channel.Writer.TryComplete();
            turns?.Release();
        }
    }

    private async Task TakeAsync(ChannelReader<SendItem> items, CancellationToken cancel)
    {
        while (true)
        {
            while (items.TryRead(out var item)) await AddAsync(item, cancel);
            var more = items.WaitToReadAsync(cancel).AsTask();
            await IdleAsync(more, cancel);
            if (!await more) break;
        }

        await FlushAsync(cancel);
    }

    private static async Task ReadAsync(IEnumerable<SendItem> items, ChannelWriter<SendItem> to, CancellationToken cancel)
    {
        try
        {
            foreach (var item in items) await to.WriteAsync(item, cancel);
            _ = to.TryComplete();
        }
        catch (Exception failed)
        {
            // Thrown again by who reads.
            _ = to.TryComplete(failed);
        }
    }

    /// <summary>Nothing more to read at once: what was read is not held back, and what waits is tried again.</summary>
    private async Task IdleAsync(Task<bool> more, CancellationToken cancel)
    {
        while (await Task.WhenAny(more, Task.Delay(Linger, clock, cancel)) != more)
        {
            cancel.ThrowIfCancellationRequested();
            await FlushAsync(cancel);
            if (delivery is { Away: not null, IsDue: true }) await DeliverAsync(cancel);
            turns?.Release();
        }
    }

    private async Task AddAsync(SendItem item, CancellationToken cancel)
    {
        var isFull = _batch.Count >= Math.Min(SendingModule.MostItems, terms.MaxBatch)
            || (_batch.Count > 0 && (_bytes + item.Bytes.Length > SendingModule.MostBytes || _batch[0].Form != item.Form));
        if (isFull) await FlushAsync(cancel);
        _batch.Add(item);
        _bytes += item.Bytes.Length + 1;
    }

    private async Task FlushAsync(CancellationToken cancel)
    {
        var batch = _batch.ToList();
        _batch.Clear();
        _bytes = 0;
        if (batch.Count == 0) return;
        if (delivery is { Away: not null } && (!delivery.IsDue || !await DeliverAsync(cancel)))
        {
            await delivery.KeepAsync(batch, cancel);
            return;
        }

        await PatientlyAsync(batch, cancel);
    }

    private async Task<bool> DeliverAsync(CancellationToken cancel)
    {
        var wasAway = delivery!.Away is not null;
        var isDone = await delivery.DeliverAsync(cancel);
        turns!.Release();
        if (isDone && wasAway) say("the stream is back, and has what waited");
        if (!isDone && !wasAway) say($"the stream is away: {delivery.Away}; documents are kept in {turns.Directory}");
        return isDone;
    }

    private async Task PatientlyAsync(List<SendItem> batch, CancellationToken cancel)
    {
        var began = clock.GetTimestamp();
        var hasSaid = false;
        while (true)
        {
            var posted = await posts.PostAsync(batch, cancel);
            foreach (var verdict in posted.Verdicts) told(verdict);
            batch.RemoveRange(0, posted.Verdicts.Count);
            if (posted.Silent is not { } why) return;
            var pause = posted.Pause ?? UsualPause;
            if (clock.GetElapsedTime(began) + pause > terms.Patience)
            {
                if (delivery is null) throw new StreamSilentException($"{why}; given up at {batch[0].Place}");
                delivery.GoAway(why, posted.Pause);
                say($"the stream is away: {why}; documents are kept in {turns!.Directory}");
                await delivery.KeepAsync(batch, cancel);
                return;
            }

            if (!hasSaid) say($"waiting for the stream: {why}");
            hasSaid = true;
            await Task.Delay(pause, clock, cancel);
        }
    }
}

/// <param name="MaxBatch">The most documents that the stream takes at once.</param>
/// <param name="Patience">How long to wait for a stream that is away, each time.</param>
internal sealed record SendTerms(int MaxBatch, TimeSpan Patience);
