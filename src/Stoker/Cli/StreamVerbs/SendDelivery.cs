using System.Text.Json;
using Stoker.Platform;
using Stoker.Streams.Sending;

namespace Stoker.Cli.StreamVerbs;

/// <summary>Brings what waits in the spool to its stream, in order, and keeps there what the stream cannot be given yet.</summary>
internal sealed class SendDelivery(SendPosts posts, SpoolTurns turns, TimeProvider clock, Action<SentDocument> told)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromSeconds(10), Breath = TimeSpan.FromMilliseconds(100);

    private TimeSpan _pause = FirstPause;
    private long _awaySince;

    /// <summary>Why the stream does not take them; null: it does, as far as is known.</summary>
    public string? Away { get; private set; }

    /// <summary>It is worth asking again.</summary>
    public bool IsDue => Away is null || clock.GetElapsedTime(_awaySince) >= _pause;

    /// <summary>The stream does not answer, or takes nothing.</summary>
    /// <param name="pause">When it wants to be asked again; null: it did not say.</param>
    public void GoAway(string why, TimeSpan? pause)
    {
        var next = Away is null ? FirstPause : _pause * 2;
        next = pause > next ? pause.Value : next;
        _pause = next < LongestPause ? next : LongestPause;
        (Away, _awaySince) = (why, clock.GetTimestamp());
    }

    /// <summary>Delivers until nothing waits, or the stream is away.</summary>
    /// <returns>Nothing waits.</returns>
    /// <exception cref="SpoolRefusedException"/>
    /// <exception cref="IOException">The spool is not as it was written, or its disk fails.</exception>
    public async Task<bool> DeliverAsync(CancellationToken cancel)
    {
        while (await turns.TakeAsync(make: false, cancel) is { } spool && spool.Next() is { } unit)
        {
            var posted = await posts.PostAsync(unit.Items, cancel);
            if (posted.Silent is { } why)
            {
                spool.Rewind();
                GoAway(why, posted.Pause);
                return false;
            }

            var refused = posted.Verdicts.Zip(unit.Items).Where(each => !each.First.IsAccepted).Select(each => RefusedLine(each.First, each.Second)).ToList();
            if (refused.Count > 0) spool.PutAside(refused);
            await spool.AcknowledgeAsync(unit);
            foreach (var verdict in posted.Verdicts) told(verdict);
            await LetOthersAsync(cancel);
        }

        Away = null;
        return true;
    }

    /// <summary>Keeps documents until the stream is back; on the disk when it is done, and told then.</summary>
    /// <exception cref="SpoolRefusedException">They are not kept.</exception>
    public async Task KeepAsync(IReadOnlyList<SendItem> items, CancellationToken cancel)
    {
        var spool = (await turns.TakeAsync(make: true, cancel))!;
        var now = TimeProvider.System.GetUtcNow();
        var stamped = items.Select(item => item with { Bytes = SendStamp.Apply(item.Form, item.Bytes, now) }).ToList();
        switch (await spool.KeepAsync(stamped, now))
        {
            case SpoolOutcome.Kept:
                foreach (var item in items) told(new SentDocument(item.Place, SentDocument.Spooled, null, null, []));
                break;
            case SpoolOutcome.TooLarge when items.Count == 1:
                var mistake = new SentMistake("$", "too_large", "this is more than a log commits at once", "at most 4 MiB", $"{items[0].Bytes.Length} bytes");
                told(new SentDocument(items[0].Place, SentDocument.Rejected, null, null, [mistake]));
                break;
            case SpoolOutcome.TooLarge:
                foreach (var item in items) await KeepAsync([item], cancel);
                break;
            case SpoolOutcome.DiskFull:
                throw new SpoolRefusedException($"the disk of the spool `{turns.Directory}` is full, and the stream is away ({Away}); given up at {items[0].Place}",
                    "make room, then send the rest again; what has a line is kept and will be delivered");
            case SpoolOutcome.Failed:
                throw new SpoolRefusedException($"the disk of the spool `{turns.Directory}` failed; given up at {items[0].Place}",
                    "what has a line before this is kept; look after the disk, then send the rest again");
        }

        await LetOthersAsync(cancel);
    }

    /// <summary>Those who wait look every now and then: the turn is theirs for as long as that takes.</summary>
    private async Task LetOthersAsync(CancellationToken cancel)
    {
        if (!turns.IsOver) return;
        turns.Release();
        await Task.Delay(Breath, clock, cancel);
    }

    private static string RefusedLine(SentDocument verdict, SendItem item)
    {
        var isText = System.Text.Unicode.Utf8.IsValid(item.Bytes.Span);
        var document = new RefusedDocument(item.Place, item.Form.ToString().ToLowerInvariant(), verdict.Mistakes,
            isText ? System.Text.Encoding.UTF8.GetString(item.Bytes.Span) : null, isText ? null : Convert.ToBase64String(item.Bytes.Span));
        return JsonSerializer.Serialize(document, StreamDocumentJson.Readable.RefusedDocument);
    }
}
