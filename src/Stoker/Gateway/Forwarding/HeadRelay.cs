using Stoker.Http;

namespace Stoker.Gateway.Forwarding;

/// <summary>
/// Which fields of a head go on to the other side. All do but those that belong to one connection, those that would tell our
/// secrets or theirs, and those that the gateway answers for itself.
/// </summary>
internal static class HeadRelay
{
    /// <summary>The head of the request as the replica gets it, up to and with the empty line.</summary>
    /// <param name="path">After <c>/v1</c>, without its query.</param>
    public static void WriteRequest(OutputBuffer output, MessageHead head, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query, UpstreamTarget target, long bodyLength, ReadOnlySpan<byte> requestId)
    {
        output.Write(head.Method);
        output.Write(" "u8);
        output.Write(target.Prefix.Span);
        output.Write(path);
        output.Write(query);
        output.Write(" HTTP/1.1\r\n"u8);
        output.Write(target.Fields.Span);
        for (var i = 0; i < head.Count; i++)
        {
            var name = head.NameOf(i);
            if (!StaysOfRequest(name)) output.WriteField(name, head.ValueOf(i));
        }

        output.WriteField("x-request-id"u8, requestId);
        output.WriteField("content-length"u8, bodyLength);
        output.Write("\r\n"u8);
    }

    /// <summary>The status line and the replica's own fields; the caller adds the gateway's and the empty line.</summary>
    public static void WriteAnswer(OutputBuffer output, MessageHead answer)
    {
        output.Write("HTTP/1.1 "u8);
        output.Write(answer.Status);
        output.Write(" "u8);
        output.WriteText(ReasonPhrase.Of(answer.Status));
        output.Write("\r\n"u8);
        for (var i = 0; i < answer.Count; i++)
        {
            var name = answer.NameOf(i);
            if (!StaysOfAnswer(name)) output.WriteField(name, answer.ValueOf(i));
        }
    }

    private static bool StaysOfRequest(ReadOnlySpan<byte> name) => BelongsToConnection(name) || name.Length switch
    {
        4 => MessageHead.Is(name, "host"u8),
        6 => MessageHead.Is(name, "expect"u8) || MessageHead.Is(name, "cookie"u8),
        12 => MessageHead.Is(name, "x-request-id"u8),
        13 => MessageHead.Is(name, "authorization"u8),
        14 => MessageHead.Is(name, "x-stoker-route"u8) || MessageHead.Is(name, "content-length"u8),

        // Compressed answers could not be watched: an engine on the same machine has no reason to compress.
        15 => MessageHead.Is(name, "accept-encoding"u8),
        _ => false,
    };

    private static bool StaysOfAnswer(ReadOnlySpan<byte> name) => BelongsToConnection(name) || name.Length switch
    {
        10 => MessageHead.Is(name, "set-cookie"u8),
        12 => MessageHead.Is(name, "x-request-id"u8),
        14 => MessageHead.Is(name, "content-length"u8) || MessageHead.Is(name, "x-should-retry"u8),
        _ => name.Length > 12 && MessageHead.Is(name[..12], "x-ratelimit-"u8),
    };

    private static bool BelongsToConnection(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 => MessageHead.Is(name, "te"u8),
        7 => MessageHead.Is(name, "trailer"u8) || MessageHead.Is(name, "upgrade"u8),
        10 => MessageHead.Is(name, "connection"u8) || MessageHead.Is(name, "keep-alive"u8),
        16 => MessageHead.Is(name, "proxy-connection"u8),
        17 => MessageHead.Is(name, "transfer-encoding"u8),
        19 => MessageHead.Is(name, "proxy-authorization"u8),
        18 => MessageHead.Is(name, "proxy-authenticate"u8),
        _ => false,
    };
}
