using Stoker.Supervision;

namespace Stoker.Daemon.Protocol;

/// <summary>The answer to <c>down</c>, <c>start</c>, <c>stop</c>, <c>restart</c>, <c>reload</c>, <c>scale</c> and the daemon's own requests.</summary>
internal sealed record AcceptedDocument(bool Accepted);

/// <summary>The body of <c>POST /v1/services/{name}/scale</c>.</summary>
internal sealed record ScaleRequest(int Replicas);

/// <summary>The answer of <c>GET /v1/services/{name}/why</c>, and word for word what <c>stoker why --json</c> prints.</summary>
/// <param name="Chain">From the service asked about down to the first cause; each link is a clause in words.</param>
internal sealed record WhyDocument(string Service, ServiceState State, IReadOnlyList<WhyLink> Chain);

/// <param name="Text">A clause that reads on from the one before: <c>vision waits for redis</c>, <c>redis is in backoff (4th try)</c>.</param>
/// <param name="At">When it became so.</param>
internal sealed record WhyLink(string Text, string? Service, DateTimeOffset? At);

/// <summary>The answer of <c>POST /v1/services/{name}/probe</c>: its healthcheck, asked now.</summary>
internal sealed record ProbeDocument(string Service, IReadOnlyList<ProbeAnswer> Replicas);

/// <param name="Outcome"><c>healthy</c>, <c>unhealthy</c>, <c>timed_out</c>, or <c>not_asked</c> with the reason as detail.</param>
/// <param name="Kind"><c>http</c>, <c>tcp</c>, <c>exec</c>, <c>log</c>, <c>notify</c>, or <c>none</c>.</param>
internal sealed record ProbeAnswer(int Replica, string Outcome, string Detail, double TookMs, string Kind);

/// <summary>The body of every answer that is not 200.</summary>
internal sealed record ErrorDocument(ErrorBody Error);

/// <param name="Code">One of <see cref="ErrorCodes"/>.</param>
/// <param name="Message">What happened, where and why; lower case, without a full stop.</param>
/// <param name="Hint">What to do next.</param>
internal sealed record ErrorBody(string Code, string Message, string? Hint = null);

/// <summary>The closed set of error codes, each with its status.</summary>
internal static class ErrorCodes
{
    /// <summary>404: no such service on this host.</summary>
    public const string UnknownService = "unknown_service";

    /// <summary>404: no such path.</summary>
    public const string UnknownPath = "unknown_path";

    /// <summary>409: the estate is in no state for it, or another request is under way.</summary>
    public const string Conflict = "conflict";

    /// <summary>409: unsafe, or it does not fit.</summary>
    public const string Refused = "refused";

    /// <summary>422: the body or a parameter does not say what it should.</summary>
    public const string Invalid = "invalid";

    /// <summary>500: a bug or a broken machine.</summary>
    public const string Internal = "internal";
}
