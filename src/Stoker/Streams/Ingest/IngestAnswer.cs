using System.Buffers;
using System.Buffers.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Stoker.Streams.Json;

namespace Stoker.Streams.Ingest;

/// <summary>
/// What producers are answered: 202 for one event, with what CA4's clients read (<c>status</c>, <c>message</c>, <c>metadata_id</c>, <c>embedding_dim</c>) and
/// the receipt; a verdict for each item of a batch; problem+json (RFC 9457) for what is refused. One per thread, used again.
/// </summary>
/// <param name="acknowledged">What a 202 says of the event.</param>
internal sealed class IngestAnswer(string acknowledged = "the log has it on disk") : IDisposable
{
    public const string Json = "application/json", ProblemJson = "application/problem+json";

    // Back-ticks and umlauts as they are: no answer is ever put into HTML.
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Utf8JsonWriter _json = new(Stream.Null, WriterOptions);

    public void Dispose() => _json.Dispose();

    /// <summary>The status of what is answered: 202, 207, 400, 413, 415 or 422.</summary>
    public static int Status(IngestResult result)
    {
        if (result.Refusal is { } refusal) return refusal.Status;
        if (result.IsBatch) return result.AcceptedCount == result.Count ? 202 : result.HasAccepted ? 207 : 422;
        if (result[0].IsAccepted) return 202;
        return result[0].Mistakes.Kept[0].Code switch
        {
            MistakeCodes.TooLarge => 413,
            MistakeCodes.NotJson or MistakeCodes.NotUtf8 => 400,
            _ => 422,
        };
    }

    public static string ContentType(IngestResult result) => Status(result) is 202 or 207 ? Json : ProblemJson;

    /// <summary>The body for a result. Of the receipts there is one for each item that is taken, in their order.</summary>
    public void Write(IngestResult result, ReadOnlySpan<EventReceipt> receipts, IBufferWriter<byte> output)
    {
        _json.Reset(output);
        _json.WriteStartObject();
        if (Status(result) is var status and not (202 or 207)) WriteProblem(status, Title(result), Detail(result));
        if (result.Refusal is { } refusal)
        {
            _json.WriteStartArray("mistakes"u8);
            WriteMistake(refusal.Mistake);
            _json.WriteEndArray();
        }
        else if (result.IsBatch)
        {
            WriteBatch(result, receipts);
        }
        else if (result[0].IsAccepted)
        {
            WriteAccepted(result[0], receipts[0], acknowledged);
        }
        else
        {
            WriteMistakes(result[0].Mistakes);
        }

        _json.WriteEndObject();
        _json.Flush();
    }

    private void WriteBatch(IngestResult result, ReadOnlySpan<EventReceipt> receipts)
    {
        var logged = result.HasAccepted ? result.AcceptedCount : 0;
        if (Status(result) is 202 or 207) _json.WriteString("status"u8, logged == result.Count ? "accepted"u8 : "partial"u8);
        _json.WriteNumber("accepted"u8, logged);
        _json.WriteNumber("rejected"u8, result.Count - logged);
        _json.WriteStartArray("items"u8);
        for (int i = 0, next = 0; i < result.Count; i++)
        {
            var item = result[i];
            _json.WriteStartObject();
            _json.WriteNumber("index"u8, item.Index);
            if (result.Takes(item)) WriteAccepted(item, receipts[next++], null);
            else if (item.IsAccepted) WriteHeldBack();
            else WriteRejected(item);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
    }

    private void WriteHeldBack()
    {
        _json.WriteString("status"u8, "held_back"u8);
        _json.WriteString("message"u8, "nothing is wrong with it, but all or none was asked for"u8);
    }

    private void WriteRejected(IngestItem item)
    {
        _json.WriteString("status"u8, "rejected"u8);
        WriteMistakes(item.Mistakes);
    }

    private void WriteAccepted(IngestItem item, EventReceipt receipt, string? message)
    {
        _json.WriteString("status"u8, "accepted"u8);
        if (message is not null) _json.WriteString("message"u8, message);
        _json.WriteString("metadata_id"u8, item.Event.Id.Span);
        _json.WriteString("source"u8, item.Event.Source.Span);
        _json.WriteNumber("embedding_dim"u8, item.Event.Dimension);
        _json.WriteStartObject("receipt"u8);
        Span<byte> id = stackalloc byte[40];
        Utf8Formatter.TryFormat(receipt.Partition, id, out var length);
        id[length++] = (byte)'-';
        Utf8Formatter.TryFormat(receipt.Offset, id[length..], out var more);
        _json.WriteString("id"u8, id[..(length + more)]);
        _json.WriteString("log"u8, receipt.Log);
        _json.WriteNumber("partition"u8, receipt.Partition);
        _json.WriteNumber("offset"u8, receipt.Offset);
        _json.WriteEndObject();
    }

    private void WriteProblem(int status, string title, string detail)
    {
        _json.WriteString("type"u8, status switch
        {
            400 => "urn:stoker:problem:unreadable",
            413 => "urn:stoker:problem:too-large",
            415 => "urn:stoker:problem:content-type",
            _ => "urn:stoker:problem:invalid-event",
        });
        _json.WriteString("title"u8, title);
        _json.WriteNumber("status"u8, status);
        _json.WriteString("detail"u8, detail);
    }

    private void WriteMistakes(MistakeList mistakes)
    {
        _json.WriteStartArray("mistakes"u8);
        for (var i = 0; i < mistakes.Kept.Count; i++) WriteMistake(mistakes.Kept[i]);
        _json.WriteEndArray();
        if (mistakes.Count > mistakes.Kept.Count) _json.WriteNumber("more_mistakes"u8, mistakes.Count - mistakes.Kept.Count);
    }

    private void WriteMistake(Mistake mistake)
    {
        _json.WriteStartObject();
        _json.WriteString("path"u8, mistake.Path);
        _json.WriteString("code"u8, mistake.Code);
        _json.WriteString("message"u8, mistake.Message);
        if (mistake.Expected is not null) _json.WriteString("expected"u8, mistake.Expected);
        if (mistake.Got is not null) _json.WriteString("got"u8, mistake.Got);
        _json.WriteEndObject();
    }

    private static string Title(IngestResult result) => Status(result) switch
    {
        400 => "The request cannot be read",
        413 => "The request is too large",
        415 => "The request is of a type that is not taken here",
        _ => result.IsBatch ? "No event of the batch was taken" : "The event was not taken",
    };

    private static string Detail(IngestResult result)
    {
        if (result.Refusal is { } refusal) return Sentence(refusal.Mistake);
        if (!result.IsBatch) return result[0].Mistakes is { Count: 1 } one ? Sentence(one.Kept[0]) : $"{result[0].Mistakes.Count} things are wrong with it";
        var rejected = result.Count - result.AcceptedCount;
        return result.IsAtomic && rejected < result.Count ? $"{rejected} of {result.Count} events are wrong, and all or none was asked for" : $"all of its {result.Count} events are wrong";
    }

    private static string Sentence(Mistake mistake) => $"{mistake.Path}: {mistake.Message}";
}
