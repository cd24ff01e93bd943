using System.Globalization;
using Stoker.Estates;
using Stoker.Estates.Reading;

namespace Stoker.Models;

/// <summary>Where the estate's gateway is reached, as far as the services that use models must know.</summary>
/// <param name="Listen">Address that it listens on, without brackets.</param>
/// <param name="Host">The host that runs it; null: not said, and there is more than one.</param>
internal sealed record GatewayAddress(string Listen, int Port, HostName? Host)
{
    public const int DefaultPort = 8000;

    /// <summary>Null: the estate has no gateway.</summary>
    public static GatewayAddress? Of(EstateSpec estate)
    {
        if (estate.Sections.GetValueOrDefault("gateway") is not MappingNode gateway) return null;
        var text = gateway.Strings("listen") is [var first, ..] ? first.Value : "";
        var colon = text.LastIndexOf(':');
        var host = colon > 0 ? text[..colon].Trim('[', ']') : "127.0.0.1";
        var port = int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 65535 ? number : DefaultPort;
        var on = gateway.Text("host") is { } name ? new HostName(name) : estate.Hosts.Count == 1 ? estate.Hosts.Keys.First() : null;
        return new GatewayAddress(host, port, on);
    }
}
