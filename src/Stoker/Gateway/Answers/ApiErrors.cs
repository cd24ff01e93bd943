using Stoker.Gateway.Forwarding;
using Stoker.Http;

namespace Stoker.Gateway.Answers;

/// <summary>Every error that the gateway itself answers with, in one place.</summary>
internal static class ApiErrors
{
    private const string Invalid = "invalid_request_error", Server = "server_error";

    public static ApiError NoKey { get; } = new(401, Invalid, null,
        "You didn't provide an API key. Send it as `Authorization: Bearer YOUR_KEY`; the gateway's owner makes one with `stoker key create`.");

    public static ApiError TooLarge(long limit) => new(413, Invalid, "request_too_large", $"The request's body is larger than {limit} bytes, the most that this gateway takes.");

    public static ApiError LengthRequired { get; } = new(400, Invalid, null, "The request has no body: send JSON with `model`.");

    public static ApiError TooSlow { get; } = new(408, Invalid, "request_timeout", "The request did not arrive in time.");

    public static ApiError NoSuchPath(string method, string path) =>
        new(404, Invalid, "unknown_url", $"Unknown request URL: {method} {path}. The paths that this gateway serves are in /openapi.json.");

    public static ApiError WrongMethod(string method, string path, string allowed) => new(405, Invalid, "method_not_supported", $"Not allowed: {method} {path}. Use {allowed}.");

    /// <summary>The same words for a model that is not there and one that the key may not use, so that a key cannot find out names.</summary>
    public static ApiError NoSuchModel(string model) => new(404, Invalid, "model_not_found", $"The model `{model}` does not exist or you do not have access to it.") { Param = "model" };

    public static ApiError NotAllowed(string scope) => new(403, Invalid, "insufficient_permissions", $"Your API key does not have the scope `{scope}` that this needs.");

    public static ApiError Unsupported(string what) => new(400, Invalid, null, what);

    public static ApiError Of(HeadFault fault) => fault switch
    {
        HeadFault.TooLarge => new(431, Invalid, null, $"The request's head is longer than {HttpModule.MaxHead} bytes or has more than {HttpModule.MaxFields} fields."),
        HeadFault.Version => new(505, Invalid, null, "This gateway speaks HTTP/1.1."),
        HeadFault.Coding => new(501, Invalid, null, "The only transfer coding that this gateway takes is `chunked`."),
        HeadFault.Malformed or HeadFault.None => new(400, Invalid, null, "The request is not well-formed HTTP/1.1."),
    };

    public static ApiError Of(ScanFault fault, in RequestScan scan) => fault switch
    {
        ScanFault.NotUtf8 => new(400, Invalid, "invalid_json", "The request's body is not valid UTF-8."),
        ScanFault.NotAnObject => new(400, Invalid, "invalid_json", "The request's body must be a JSON object."),
        ScanFault.TooDeep => new(400, Invalid, "invalid_json", "The request's body is nested deeper than 128 levels."),
        ScanFault.Duplicate => new(400, Invalid, "duplicate_parameter",
            $"`{scan.FaultKey}` (or another name for the same) is in the request twice, the second time at byte {scan.FaultAt}.") { Param = scan.FaultKey },
        ScanFault.NoModel => new(400, Invalid, "missing_required_parameter", "You must provide a model parameter.") { Param = "model" },
        ScanFault.WrongType => new(400, Invalid, "invalid_type", $"`{scan.FaultKey}` has a value that it cannot have, at byte {scan.FaultAt}.") { Param = scan.FaultKey },
        ScanFault.NotJson or ScanFault.None => new(400, Invalid, "invalid_json", $"The request's body is not valid JSON: it goes wrong at byte {scan.FaultAt}."),
    };

    /// <summary>Nothing serves the model, or what does has failed, and our own tries are used up.</summary>
    public static ApiError Unavailable(string model, string why, TimeSpan? retryAfter, bool shouldRetry) =>
        new(503, Server, "model_unavailable", $"The model `{model}` cannot answer now: {why}.") { RetryAfter = retryAfter, ShouldRetry = shouldRetry };

    public static ApiError UpstreamFailed(string why) => new(502, Server, "upstream_failed", $"The model server failed: {why}.") { ShouldRetry = false };

    public static ApiError UpstreamTooSlow(string why) => new(504, Server, "upstream_timeout", $"The model server did not answer in time: {why}.") { ShouldRetry = false };

    /// <summary>The request's own time was over, which is nobody's fault.</summary>
    public const string TookTooLong = "it took longer than a request may take in total";

    /// <summary>Sent as an event after the answer had begun.</summary>
    public static ApiError Truncated(string why) => new(502, Server, "stream_truncated", $"The answer is not complete: {why}.");
}
