using System.Globalization;
using System.Text;

namespace Stoker.Daemon.Protocol;

/// <summary>The parameters of <c>GET /v1/events</c>.</summary>
/// <param name="After">Only events with a greater sequence.</param>
internal sealed record EventQuery(long? After = null, IReadOnlyList<string>? Services = null, bool Follow = false)
{
    public string ToQueryString() => new QueryString()
        .With("after", After?.ToString(CultureInfo.InvariantCulture))
        .With("service", Services)
        .With("follow", Follow ? "true" : null)
        .ToString();
}

/// <summary>The parameters of <c>GET /v1/logs</c>.</summary>
/// <param name="Tail">Last lines of each service before following; null: all.</param>
internal sealed record LogFollowQuery(IReadOnlyList<string> Services, int? Tail, DateTimeOffset? Since, string? Grep, bool Follow = true)
{
    public string ToQueryString() => new QueryString()
        .With("service", Services)
        .With("tail", Tail?.ToString(CultureInfo.InvariantCulture))
        .With("since", Since?.ToString("O", CultureInfo.InvariantCulture))
        .With("grep", Grep)
        .With("follow", Follow ? "true" : null)
        .ToString();
}

/// <summary>Builds <c>?a=1&amp;b=2</c>; what is null is left out, a list repeats its name.</summary>
internal sealed class QueryString
{
    private readonly StringBuilder _text = new();

    public QueryString With(string name, string? value)
    {
        if (value is not null) _text.Append(_text.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        return this;
    }

    public QueryString With(string name, IReadOnlyList<string>? values)
    {
        foreach (var value in values ?? []) With(name, value);
        return this;
    }

    public override string ToString() => _text.ToString();
}
