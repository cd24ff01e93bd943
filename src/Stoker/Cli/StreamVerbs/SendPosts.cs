using System.Buffers;
using Stoker.Streams.Sending;

namespace Stoker.Cli.StreamVerbs;

/// <summary>What became of documents that were posted together.</summary>
/// <param name="Verdicts">What the stream said of the first of them, one by one.</param>
/// <param name="Silent">Why it said nothing of the others; null: there are none.</param>
/// <param name="Pause">When it wants to be asked again; null: it did not say.</param>
internal sealed record Posted(IReadOnlyList<SentDocument> Verdicts, string? Silent, TimeSpan? Pause);

/// <summary>
/// Posts documents and reads what the stream says of each. Only an answer that is the stream's own is a verdict; any other (of a proxy, of a tunnel's far end, of a stream that is
/// busy or full) means that it is away.
/// </summary>
internal sealed class SendPosts(StreamClient client)
{
    /// <exception cref="StreamSilentException">The key is refused.</exception>
    public async Task<Posted> PostAsync(IReadOnlyList<SendItem> batch, CancellationToken cancel)
    {
        var (body, type) = BodyOf(batch);
        StreamAnswer answer;
        try
        {
            answer = await client.PostAsync(body, type, cancel);
        }
        catch (StreamSilentException silent)
        {
            return new Posted([], silent.Message, null);
        }

        // Nothing that waiting would mend, and for the one who sends to know.
        if (answer.Status is 401 or 403) throw StreamClient.Denied(answer);
        var said = Posts.Read(answer);
        if (answer.Status is 202 or 207 or 422 && said.Items is { } items && items.Count == batch.Count)
            return new Posted([.. items.Zip(batch, (item, sent) => new SentDocument(sent.Place, item.Status, item.MetadataId, item.Receipt?.Id, item.Mistakes ?? []))], null, null);
        if (answer.Status is not (400 or 413 or 415 or 422)) return new Posted([], said.Title ?? $"it answered {answer.Status}, as no stream does", answer.RetryAfter);
        if (batch.Count > 1 && answer.Status is 400 or 413) return await HalvesAsync([.. batch], cancel);
        var mistakes = said.Mistakes ?? [new SentMistake("$", $"status_{answer.Status}", said.Detail ?? said.Title ?? $"the stream answered {answer.Status}", null, null)];
        return new Posted([.. batch.Select(item => new SentDocument(item.Place, SentDocument.Rejected, null, null, mistakes))], null, null);
    }

    /// <summary>One of them spoils the request for all: found by halves.</summary>
    private async Task<Posted> HalvesAsync(SendItem[] batch, CancellationToken cancel)
    {
        var first = await PostAsync(batch[..(batch.Length / 2)], cancel);
        if (first.Silent is not null) return first;
        var second = await PostAsync(batch[(batch.Length / 2)..], cancel);
        return second with { Verdicts = [.. first.Verdicts, .. second.Verdicts] };
    }

    private static (ReadOnlyMemory<byte> Body, string Type) BodyOf(IReadOnlyList<SendItem> batch)
    {
        var body = new ArrayBufferWriter<byte>(batch.Sum(item => item.Bytes.Length + 1) + 2);
        if (batch[0].Form == SendForm.Line)
        {
            foreach (var item in batch)
            {
                body.Write(item.Bytes.Span);
                body.Write("\n"u8);
            }

            return (body.WrittenMemory, "application/x-ndjson");
        }

        body.Write("["u8);
        for (var i = 0; i < batch.Count; i++)
        {
            if (i > 0) body.Write(","u8);
            body.Write(batch[i].Bytes.Span);
        }

        body.Write("]"u8);
        return (body.WrittenMemory, batch[0].Form == SendForm.CloudEvent ? "application/cloudevents-batch+json" : "application/json");
    }
}
