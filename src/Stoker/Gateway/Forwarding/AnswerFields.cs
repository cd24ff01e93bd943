using System.Buffers;
using Stoker.Gateway.Answers;
using Stoker.Limits;

namespace Stoker.Gateway.Forwarding;

/// <summary>The fields that the gateway adds to every answer: limits, explanation, what a browser must be told, when to come again.</summary>
internal sealed class AnswerFields(Exchange exchange, RouteAttempts attempts)
{
    private readonly ClientConnection _client = exchange.Client;

    private GatewayState Gateway => _client.Loop.Gateway;

    /// <summary>Those of an answer that a replica gave.</summary>
    public void Write()
    {
        _client.Output.WriteField("x-request-id"u8, exchange.RequestId);
        WriteLimits();
        WriteExplanation();
        WriteCors();
        _client.WriteConnectionField();
    }

    /// <summary>Those that an error of the gateway has besides.</summary>
    public void Write(ApiError error)
    {
        if (error.RetryAfter is { } wait)
        {
            _client.Output.WriteField("retry-after"u8, (long)Math.Ceiling(wait.TotalSeconds));
            _client.Output.WriteField("retry-after-ms"u8, (long)Math.Ceiling(wait.TotalMilliseconds));
        }

        if (error.ShouldRetry is { } retry) _client.Output.WriteField("x-should-retry"u8, retry ? "true"u8 : "false"u8);
        if (error.Status == 401) _client.Output.WriteField("www-authenticate"u8, "Bearer"u8);
        WriteLimits();
        WriteExplanation();
    }

    /// <summary>What a browser must be told for the page of another origin to see the answer, where the owner has declared that origin.</summary>
    public void WriteCors()
    {
        var origins = Gateway.Settings.CorsOrigins;
        if (origins.Count == 0) return;
        var origin = _client.Head.Find("origin"u8);
        if (origin.IsEmpty || !(origins.Contains("*") || origins.Contains(ClientConnection.Text(origin)))) return;
        _client.Output.WriteField("access-control-allow-origin"u8, origin);
        _client.Output.WriteField("vary"u8, "origin"u8);
        _client.Output.WriteField(
            "access-control-expose-headers"u8,
            "x-request-id, x-ratelimit-limit-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-requests, x-ratelimit-remaining-tokens, retry-after, x-stoker-route"u8);
    }

    private void WriteLimits()
    {
        if (attempts.Asked is not { } asked) return;
        var view = Gateway.Limiter.Look(exchange.Key.Id.Value, exchange.Key.Terms.Limits, asked.Spec.Name.Value, _client.Loop.Utc);
        if (view.IsEmpty) return;
        Span<byte> lines = stackalloc byte[LimitHeaders.Longest];
        _client.Output.Write(lines[..LimitHeaders.Write(view, lines)]);
    }

    private void WriteExplanation()
    {
        if (!attempts.ShowsExplanation || attempts.Explain is not ArrayBufferWriter<byte> { WrittenCount: > 0 } written) return;
        _client.Output.Write("x-stoker-route: "u8);
        foreach (var letter in written.WrittenSpan) _client.Output.Write([letter == '\n' ? (byte)' ' : letter]);
        _client.Output.Write("\r\n"u8);
    }
}
