using System.Text.RegularExpressions;

namespace Stoker.Logs;

/// <summary>Which lines are asked for. What is null does not restrict.</summary>
/// <param name="Directory">Where the logs lie, as <c>SERVICE.REPLICA.log</c>.</param>
internal sealed record LogQuery(string Directory)
{
    public IReadOnlyCollection<string>? Services { get; init; }

    public int? Replica { get; init; }

    /// <summary>The first time that is shown.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>The last time that is shown.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>The last lines of each replica that fit the rest of the query, as Compose's <c>--tail</c>.</summary>
    public int? Last { get; init; }

    /// <summary>A pattern in the message, which is read as UTF-8.</summary>
    public Regex? Pattern { get; init; }

    public LogStream? Stream { get; init; }

    public bool Wants(string service, int replica) =>
        (Services is null || Services.Contains(service)) && (Replica is null || Replica == replica);

    public bool Wants(DateTimeOffset time, LogStream stream, ReadOnlySpan<byte> message) =>
        !(time < Since) && !(time > Until) && (Stream is null || stream == Stream) && (Pattern is null || LogPattern.IsMatch(Pattern, message));
}
