using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Stoker.Gateway.Answers;

/// <summary>
/// A refusal or a failure in OpenAI's exact shape, <c>{"error": {"message", "type", "param", "code"}}</c>, with all four keys
/// always there, as its schema requires and its clients expect.
/// </summary>
/// <param name="Type"><c>invalid_request_error</c>, <c>requests</c>, <c>tokens</c>, <c>insufficient_quota</c> or <c>server_error</c>.</param>
internal sealed record ApiError(int Status, string Type, string? Code, string Message)
{
    // Back-ticks and umlauts as they are: no answer of the gateway is ever put into HTML.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The parameter that it is about.</summary>
    public string? Param { get; init; }

    /// <summary>When to come again; null: nothing is known about it.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// Whether a client that comes again by itself comes at that time. From a minute on the official JavaScript client ignores it and comes at once: better that
    /// it does not come by itself.
    /// </summary>
    public static bool IsKept(TimeSpan retryAfter) => retryAfter < TimeSpan.FromMinutes(1);

    /// <summary>
    /// Whether the client should try again: <c>x-should-retry</c>, which the official clients obey. Null: as they see fit. False once
    /// the gateway has tried itself, because their tries would multiply ours.
    /// </summary>
    public bool? ShouldRetry { get; init; }

    public void WriteTo(IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, Readable);
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteString("message"u8, Message);
        json.WriteString("type"u8, Type);
        json.WriteString("param"u8, Param);
        json.WriteString("code"u8, Code);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public byte[] ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        WriteTo(buffer);
        return buffer.WrittenSpan.ToArray();
    }
}
