using System.Net;
using System.Text;

namespace Stoker.Gateway.Forwarding;

/// <summary>Where a replica is reached, and what it wants to hear. Connections are kept for this one, and not for another with the same values.</summary>
/// <param name="name">The replica's, as in <c>phi-3-mini.1</c>.</param>
/// <param name="host">What the <c>Host</c> field says.</param>
/// <param name="prefix">What its paths begin with, as in <c>/v1</c>.</param>
/// <param name="names">The model's names that it answers to; a request under another has the first put into its body.</param>
/// <param name="key">The key that the engine wants; null: none.</param>
internal sealed class UpstreamTarget(string name, IPEndPoint endpoint, string host, bool tls, string prefix, IReadOnlyList<string> names, string? key, bool tellsRunningUsage)
{
    public string Name => name;

    public IPEndPoint Endpoint => endpoint;

    public string Host => host;

    /// <summary>What its certificate must be for: the host without a port.</summary>
    public string ServerName { get; } = (host.LastIndexOf(':') > host.LastIndexOf(']') ? host[..host.LastIndexOf(':')] : host).Trim('[', ']');

    public string? Key => key;

    public bool Tls => tls;

    private IReadOnlyList<string> Names => names;

    public ReadOnlyMemory<byte> Prefix { get; } = Encoding.ASCII.GetBytes(prefix);

    /// <summary>Fields that are the same in each request: <c>Host</c>, and <c>Authorization</c> where the engine wants a key.</summary>
    public ReadOnlyMemory<byte> Fields { get; } = Encoding.UTF8.GetBytes($"host: {host}\r\n{(key is null ? "" : $"authorization: Bearer {key}\r\n")}");

    public ReadOnlyMemory<byte> PlainName { get; } = Encoding.UTF8.GetBytes(names.Count > 0 ? names[0] : "");

    public ReadOnlyMemory<byte> QuotedName { get; } = Encoding.UTF8.GetBytes(names.Count > 0 ? $"\"{System.Text.Json.JsonEncodedText.Encode(names[0])}\"" : "\"\"");

    /// <summary>The engine knows vLLM's <c>continuous_usage_stats</c>.</summary>
    public bool TellsRunningUsage => tellsRunningUsage;

    /// <summary>It is reached as the other is, and wants to hear the same.</summary>
    public bool IsSame(UpstreamTarget other) =>
        Name == other.Name && Endpoint.Equals(other.Endpoint) && Host == other.Host && Tls == other.Tls && Key == other.Key && TellsRunningUsage == other.TellsRunningUsage
        && Prefix.Span.SequenceEqual(other.Prefix.Span) && Names.SequenceEqual(other.Names);

    public bool AnswersTo(string model)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (string.Equals(names[i], model, StringComparison.Ordinal)) return true;
        }

        return names.Count == 0;
    }
}
