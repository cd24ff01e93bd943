using System.Buffers;
using System.Text.Json;
using Stoker.Http;

namespace Stoker.Streams.Serving;

/// <summary>A refusal for a reason that is not in the events themselves, as RFC 9457 has it.</summary>
/// <param name="Kind">The end of the problem's <c>type</c>.</param>
internal sealed record Problem(int Status, string Kind, string Title, string Detail)
{
    /// <summary>Seconds after which it is worth coming again; 0: it is not.</summary>
    public int RetryAfter { get; init; }

    /// <summary>The field <c>www-authenticate</c>; null: none.</summary>
    public string? Challenge { get; init; }

    public static Problem NotFound(string path) => new(404, "not-found", "There is nothing here", $"this stream has no `{path}`");

    public static Problem WrongMethod(string path, string method) => new(405, "method", "Another method is needed", $"`{path}` is asked with {method}");

    public static Problem Of(HeadFault? fault) => fault switch
    {
        null => new Problem(408, "too-slow", "The request came too slowly", "its head did not come in time"),
        HeadFault.TooLarge => new Problem(431, "head", "The request's head is too large", $"at most {HttpModule.MaxHead} bytes in {HttpModule.MaxFields} fields"),
        HeadFault.Version => new Problem(505, "head", "Another version of HTTP is needed", "HTTP/1.1 or HTTP/1.0"),
        HeadFault.Coding => new Problem(501, "head", "The transfer coding is not known", "`chunked`, or a content-length"),
        _ => new Problem(400, "head", "The request cannot be read", "it is not HTTP/1.1, or could be read in two ways"),
    };

    public static Problem Of(BodyFault fault, long most) => fault switch
    {
        BodyFault.TooLarge => new Problem(413, "too-large", "The request is too large", $"at most {most} bytes"),
        BodyFault.TooSlow => new Problem(408, "too-slow", "The request came too slowly", "its body did not come in time"),
        BodyFault.Malformed or BodyFault.None or BodyFault.ClientLeft => new Problem(400, "head", "The request cannot be read", "its body is not chunked as it says"),
    };

    public static Problem Of(PostOutcome outcome) => outcome switch
    {
        PostOutcome.Busy => new Problem(503, "busy", "The stream is busy", "more waits for the disk than may; nothing of the request was taken") { RetryAfter = 1 },
        PostOutcome.TooLarge => new Problem(413, "too-large", "The request is too large", "its events are more than is committed at once; send fewer in one request"),
        PostOutcome.DiskFull => new Problem(507, "disk-full", "The disk is full", "it is taken again as soon as there is room") { RetryAfter = 10 },
        PostOutcome.Unavailable => new Problem(503, "log-unavailable", "The log does not answer",
            "nobody knows whether it has the events; send them again, they will not be there twice") { RetryAfter = 5 },
        PostOutcome.Failed or PostOutcome.Durable => new Problem(503, "disk-failed", "The disk failed",
            "nobody knows whether the events are on it; send them again later, they will not be there twice") { RetryAfter = 10 },
    };

    public byte[] ToJson()
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("type", $"urn:stoker:problem:{Kind}");
            json.WriteString("title", Title);
            json.WriteNumber("status", Status);
            json.WriteString("detail", Detail);
            json.WriteEndObject();
        }

        return output.WrittenSpan.ToArray();
    }
}
