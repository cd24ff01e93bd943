namespace Stoker.Gateway.Forwarding;

/// <summary>How a request's model is found and its answer is watched.</summary>
internal enum EndpointShape
{
    /// <summary>JSON in; JSON or a stream of <c>choices</c> out.</summary>
    Completions,

    /// <summary>JSON in; JSON or a stream of typed events out.</summary>
    Responses,

    /// <summary>JSON in, anything out.</summary>
    Json,

    /// <summary>A form with files in, where <c>model</c> is a part.</summary>
    Form,
}

/// <summary>A path that is forwarded to replicas.</summary>
/// <param name="Operation"><c>gen_ai.operation.name</c> of OpenTelemetry.</param>
/// <param name="CountsTokens">Its usage counts prompt and completion tokens.</param>
internal sealed record Endpoint(string Path, EndpointShape Shape, string Operation, bool CountsTokens)
{
    /// <summary>After <c>/v1</c>: a replica may have its paths elsewhere.</summary>
    public ReadOnlyMemory<byte> Suffix { get; } = System.Text.Encoding.ASCII.GetBytes(Path["/v1".Length..]);
}

/// <summary>
/// The paths that are forwarded, and no others: engines leave many unguarded (vLLM's key covers only <c>/v1</c>, not
/// <c>/tokenize</c>, <c>/sleep</c> or <c>/load_lora_adapter</c>), so what is not listed here stays closed.
/// </summary>
internal static class EndpointTable
{
    private static readonly Endpoint[] Forwarded =
    [
        new("/v1/chat/completions", EndpointShape.Completions, "chat", true),
        new("/v1/completions", EndpointShape.Completions, "text_completion", true),
        new("/v1/embeddings", EndpointShape.Json, "embeddings", true),
        new("/v1/responses", EndpointShape.Responses, "chat", true),
        new("/v1/rerank", EndpointShape.Json, "rerank", true),
        new("/v1/audio/speech", EndpointShape.Json, "speech", false),
        new("/v1/audio/transcriptions", EndpointShape.Form, "transcription", true),
        new("/v1/audio/translations", EndpointShape.Form, "translation", true),
        new("/v1/images/generations", EndpointShape.Json, "image_generation", true),
        new("/v1/images/edits", EndpointShape.Form, "image_edit", true),
        new("/v1/images/variations", EndpointShape.Form, "image_variation", true),
    ];

    public static IReadOnlyList<Endpoint> All => Forwarded;

    /// <summary>The endpoint of a target, whose query is given apart; null: not one that is forwarded.</summary>
    public static Endpoint? Find(ReadOnlySpan<byte> target, out ReadOnlySpan<byte> query)
    {
        var mark = target.IndexOf((byte)'?');
        query = mark < 0 ? default : target[mark..];
        var path = mark < 0 ? target : target[..mark];
        if (path.Length > 1 && path[^1] == '/') path = path[..^1];
        foreach (var endpoint in Forwarded)
        {
            if (path.Length == endpoint.Path.Length && path[3..].SequenceEqual(endpoint.Suffix.Span) && path.StartsWith("/v1"u8)) return endpoint;
        }

        return null;
    }
}
