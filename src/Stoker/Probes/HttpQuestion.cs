using System.Text;
using Stoker.Estates;

namespace Stoker.Probes;

/// <summary>What is asked of a server, prepared once: the bytes of the request, where it goes, how it is named in messages.</summary>
/// <param name="Name">For the certificate: the host as the owner wrote it.</param>
/// <param name="Subject"><c>GET http://127.0.0.1:7300/health</c>; without user, password and query, which may be secrets.</param>
/// <param name="Status">The only status that is healthy; null: 200 to 399.</param>
internal sealed record HttpQuestion(IReadOnlyList<string> Hosts, int Port, bool Secure, string Name, string Subject, byte[] Request, int? Status)
{
    public static HttpQuestion Of(ProbeSpec.Http probe, ProbeTarget target)
    {
        var url = probe.Url;
        var hosts = target.HostsFor(url.Host);
        var port = target.PortFor(url.Port);

        // A name stays as written even when it is asked at its first address: servers choose their site by it.
        var name = ProbeTarget.IsThisMachine(url.IdnHost.Trim('[', ']')) && !ProbeTarget.IsThisMachine(target.Address) ? target.Address
            : url.IdnHost.Length == 0 ? hosts[0]
            : url.IdnHost.Trim('[', ']');
        var authority = ProbeTarget.Authority(name, port);
        var path = url.AbsolutePath.Length == 0 ? "/" : url.AbsolutePath;
        var subject = $"GET {url.Scheme}://{authority}{path}{(url.Query.Length > 1 ? "?…" : "")}";

        var request = new StringBuilder()
            .Append($"GET {path}{url.Query} HTTP/1.1\r\n")
            .Append($"Host: {authority}\r\n")
            .Append("User-Agent: stoker-probe\r\nAccept: */*\r\nConnection: close\r\n");
        if (url.UserInfo.Length > 0)
        {
            var credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url.UserInfo)));
            request.Append($"Authorization: Basic {credentials}\r\n");
        }

        var bytes = Encoding.UTF8.GetBytes(request.Append("\r\n").ToString());
        return new HttpQuestion(hosts, port, url.Scheme == Uri.UriSchemeHttps, name, subject, bytes, probe.Status);
    }

    /// <summary>Redirects are answers like others: whoever redirects is alive.</summary>
    public bool IsHealthy(int status) => Status is { } wanted ? status == wanted : status is >= 200 and < 400;
}
