using System.Buffers;
using System.Text;
using Stoker.Http;
using Stoker.Streams.Events;
using Stoker.Streams.Ingest;
using Xunit;

namespace Stoker.Tests.Streams.Ingest;

/// <summary>A door without a socket: requests as bytes, events into a list as the log would have them, and back.</summary>
internal sealed class Door(IngestSpec? spec = null)
{
    public static readonly DateTime Noon = new(2026, 11, 21, 12, 0, 0, DateTimeKind.Utc);

    private readonly IngestReader _reader = new(spec ?? new IngestSpec());
    private long _offset = 41;

    public DoorAnswer Post(byte[] request)
    {
        var (head, body) = Split(request);
        var result = _reader.Read(head, body, "colab"u8.ToArray(), Noon);
        var receipts = new List<EventReceipt>();
        var logged = new List<string>();
        for (var i = 0; i < result.Count; i++)
        {
            if (!result.Takes(result[i])) continue;
            receipts.Add(new EventReceipt("gpu-metadata", 0, ++_offset));
            logged.Add(Show(Frame(result[i].Event)));
        }

        using var answer = new IngestAnswer();
        var output = new ArrayBufferWriter<byte>();
        answer.Write(result, receipts.ToArray(), output);
        return new DoorAnswer(IngestAnswer.Status(result), IngestAnswer.ContentType(result), Encoding.UTF8.GetString(output.WrittenSpan), logged);
    }

    public DoorAnswer Post(string contentType, string body) => Post(Encoding.UTF8.GetBytes($"POST /metadata HTTP/1.1\r\nHost: stream\r\nContent-Type: {contentType}\r\n\r\n{body}"));

    public static (MessageHead Head, byte[] Body) Split(byte[] request)
    {
        var end = request.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        var head = new MessageHead();
        Assert.Equal(HeadFault.None, head.ReadRequest(request.AsMemory(0, end)));
        return (head, request[end..]);
    }

    public static byte[] Frame(EventEnvelope envelope)
    {
        var frame = new ArrayBufferWriter<byte>();
        EnvelopeFrame.Write(envelope, frame);
        return frame.WrittenSpan.ToArray();
    }

    private static string Show(byte[] frame)
    {
        var said = new EventEnvelope();
        Assert.Equal(FrameFault.None, EnvelopeFrame.TryRead(frame, said));
        var shown = new StringBuilder($"{said.Form} from {Text(said.Producer)} at {said.Received:O}\n");
        foreach (var (name, value) in new[]
        {
            ("source", said.Source), ("id", said.Id), ("type", said.Type), ("subject", said.Subject), ("time", said.Time), ("dataschema", said.DataSchema),
            ("content type", said.ContentType), ("schema", said.Schema), ("traceparent", said.TraceParent),
        })
        {
            if (!value.IsEmpty) shown.Append($"{name}: {Text(value)}\n");
        }

        foreach (var attribute in said.Extensions) shown.Append($"{Text(attribute.Name)}: {Text(attribute.Value)} ({attribute.Kind})\n");
        if (said.Dimension > 0) shown.Append($"dimension: {said.Dimension}\n");
        var data = Text(said.Data);
        shown.Append(!said.HasData ? "no data\n" : data.Contains('\ufffd', StringComparison.Ordinal) ? $"data: 0x{Convert.ToHexString(said.Data.Span)}\n"
            : data.Length > 2000 ? $"data: {data[..40]}… {data.Length} characters\n" : $"data: {data}\n");
        return shown.ToString();
    }

    private static string Text(ReadOnlyMemory<byte> text) => Encoding.UTF8.GetString(text.Span);
}

internal sealed record DoorAnswer(int Status, string ContentType, string Body, IReadOnlyList<string> Logged);
