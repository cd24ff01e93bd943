using System.Buffers;
using Stoker.Streams;

namespace Stoker.Cli.StreamVerbs;

/// <summary>Sends documents in requests of many; waits where the stream asks for it. What is sent again after a broken answer is the same event and no second document.</summary>
/// <param name="told">What became of each, in order.</param>
internal sealed class SendRun(StreamClient client, StreamPlan plan, TimeSpan patience, TimeProvider clock, Action<string> say, Action<SentDocument> told)
{
    private const int MostItems = 500, MostBytes = 1 << 20;

    private static readonly TimeSpan UsualPause = TimeSpan.FromSeconds(1);

    private readonly List<SendItem> _batch = [];
    private int _bytes;

    /// <exception cref="StreamSilentException">It does not answer, or takes nothing, for longer than patience.</exception>
    public async Task SendAsync(IEnumerable<SendItem> items, CancellationToken cancel)
    {
        foreach (var item in items)
        {
            var isFull = _batch.Count >= Math.Min(MostItems, plan.MaxBatch) || (_batch.Count > 0 && (_bytes + item.Bytes.Length > MostBytes || _batch[0].Form != item.Form));
            if (isFull) await FlushAsync(cancel);
            _batch.Add(item);
            _bytes += item.Bytes.Length + 1;
        }

        await FlushAsync(cancel);
    }

    private async Task FlushAsync(CancellationToken cancel)
    {
        var batch = _batch.ToList();
        _batch.Clear();
        _bytes = 0;
        if (batch.Count > 0) await PostAsync(batch, cancel);
    }

    private async Task PostAsync(List<SendItem> batch, CancellationToken cancel)
    {
        var answer = await PatientlyAsync(batch, cancel);
        if (answer.Status is 401 or 403) throw StreamClient.Denied(answer);
        var said = Posts.Read(answer);
        if (said.Items is { } items && items.Count == batch.Count)
        {
            for (var i = 0; i < items.Count; i++)
                told(new SentDocument(batch[i].Place, items[i].Status, items[i].MetadataId, items[i].Receipt?.Id, items[i].Mistakes ?? []));
        }
        else if (batch.Count > 1 && answer.Status is 400 or 413)
        {
            // One of them spoils the request for all: found by halves.
            await PostAsync(batch[..(batch.Count / 2)], cancel);
            await PostAsync(batch[(batch.Count / 2)..], cancel);
        }
        else
        {
            var mistakes = said.Mistakes ?? [new SentMistake("$", $"status_{answer.Status}", said.Detail ?? said.Title ?? $"the stream answered {answer.Status}", null, null)];
            foreach (var item in batch) told(new SentDocument(item.Place, "rejected", null, null, mistakes));
        }
    }

    private async Task<StreamAnswer> PatientlyAsync(List<SendItem> batch, CancellationToken cancel)
    {
        var (body, type) = BodyOf(batch);
        var began = clock.GetTimestamp();
        var hasSaid = false;
        while (true)
        {
            var (pause, why) = (UsualPause, "");
            try
            {
                var answer = await client.PostAsync(body, type, cancel);
                if (answer.Status is not (429 or 503 or 507)) return answer;
                (pause, why) = (answer.RetryAfter ?? UsualPause, Posts.Read(answer).Title ?? $"it answered {answer.Status}");
            }
            catch (StreamSilentException silent)
            {
                why = silent.Message;
            }

            if (clock.GetElapsedTime(began) + pause > patience) throw new StreamSilentException($"{why}; given up at {batch[0].Place}");
            if (!hasSaid) say($"waiting for the stream: {why}");
            hasSaid = true;
            await Task.Delay(pause, clock, cancel);
        }
    }

    private static (ReadOnlyMemory<byte> Body, string Type) BodyOf(List<SendItem> batch)
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
