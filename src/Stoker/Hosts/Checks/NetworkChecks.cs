using System.Net;
using System.Net.Sockets;
using System.Text;
using Stoker.Hosts.Facts;

namespace Stoker.Hosts.Checks;

internal static class PortCheck
{
    public static async Task MakeAsync(CheckSubject.Port port, CheckDoors doors, TimeSpan limit, Findings findings)
    {
        if (port.Host is { } host)
        {
            await AskAsync(port, host, doors, limit, findings);
            return;
        }

        var sockets = doors.Listening.Where(s => s.Port == port.Number && s.Protocol == port.Protocol).Select(s => s.Address.ToString()).Distinct().ToList();
        var evidence = $"/proc/net/{port.Protocol} and {port.Protocol}6";
        var isOpen = sockets.Count > 0;
        var shown = isOpen ? $"open on {string.Join(", ", sockets)}" : "closed";
        var mend = port.Open ? $"start what listens on {port.Number}" : $"stop what listens on {port.Number}: `ss -lnp`";
        if (!findings.Add("open", port.Open ? "open" : "closed", shown, isOpen == port.Open, evidence, mend) || !isOpen) return;
        if (port.Address is { } address) findings.Add("address", address, string.Join(", ", sockets), sockets.TrueForAll(s => s == address), evidence, $"have it listen on {address} only");
    }

    private static async Task AskAsync(CheckSubject.Port port, string host, CheckDoors doors, TimeSpan limit, Findings findings)
    {
        var reach = await ReachReader.AskAsync(new DeclaredEndpoint("", host, port.Number), limit, doors.Machine.Clock);
        var wanted = port.Open ? "open" : "closed";
        var evidence = $"a connection to {host}:{port.Number}{(reach.Detail is { } detail ? $": {detail}" : "")}";
        switch (reach.Outcome)
        {
            case "no address":
                findings.Unknown("open", wanted, evidence, $"see to it that `{host}` resolves");
                break;
            default:
                var mend = port.Open ? "start what listens there, and let it through the firewalls between" : $"close {port.Number} on {host}";
                findings.Add("open", wanted, reach.Outcome, (reach.Outcome == "open") == port.Open, evidence, mend);
                break;
        }
    }
}

internal static class HttpCheck
{
    private const int LongestBody = 64 << 10;

    private static readonly Lazy<HttpClient> Client = new(() => new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan });

    public static async Task MakeAsync(CheckSubject.Http http, Findings findings, CancellationToken cancel)
    {
        var wanted = http.Status is { } status ? $"{status}" : "200 to 299";
        var evidence = $"GET {http.Url}";
        try
        {
            using var answer = await Client.Value.GetAsync(http.Url, HttpCompletionOption.ResponseHeadersRead, cancel);
            var code = (int)answer.StatusCode;
            findings.Add("status", wanted, $"{code}", http.Status is { } exact ? code == exact : code is >= 200 and < 300, evidence);
            if (http.Body.Count == 0) return;
            var body = await ReadAsync(answer, cancel);
            foreach (var expected in http.Body) findings.Add("body", expected.Text, Brief(body), expected.IsIn(body), evidence);
        }
        catch (HttpRequestException e)
        {
            // Nobody listening is an answer about the service; a name that does not resolve is none.
            if (e.HttpRequestError == HttpRequestError.NameResolutionError) findings.Unknown("status", wanted, $"{evidence}: {e.Message}", $"see to it that `{http.Url.Host}` resolves");
            else findings.Add("status", wanted, "no answer", false, $"{evidence}: {Cause(e)}", $"start what serves {http.Url.Authority}");
        }
    }

    private static string Cause(Exception e) => e.InnerException?.Message ?? e.Message;

    private static async Task<string> ReadAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        await using var content = await answer.Content.ReadAsStreamAsync(cancel);
        var buffer = new byte[LongestBody];
        var length = await content.ReadAtLeastAsync(buffer, LongestBody, throwOnEndOfStream: false, cancel);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    private static string Brief(string body) => body.Length switch { 0 => "nothing", > 80 => body[..80] + "…", _ => body };
}

internal static class DnsCheck
{
    public static async Task MakeAsync(CheckSubject.Dns dns, Findings findings, CancellationToken cancel)
    {
        var evidence = $"getaddrinfo {dns.Name}";
        var wanted = dns.Resolves ? "resolves" : "does not resolve";
        try
        {
            var found = (await Dns.GetHostAddressesAsync(dns.Name, cancel)).Select(a => a.ToString()).Distinct().ToList();
            findings.Add("resolves", wanted, string.Join(", ", found), dns.Resolves, evidence);
            foreach (var address in dns.Addresses) findings.Add("addresses", address, string.Join(", ", found), found.Contains(Canonical(address)), evidence);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData)
        {
            findings.Add("resolves", wanted, "does not resolve", !dns.Resolves, evidence, $"add `{dns.Name}` to the zone, or to /etc/hosts");
        }
        catch (SocketException e)
        {
            // A server that does not answer says nothing about the name.
            findings.Unknown("resolves", wanted, $"{evidence}: {e.Message}", "see /etc/resolv.conf, and whether its servers answer");
        }
    }

    private static string Canonical(string address) => IPAddress.TryParse(address, out var parsed) ? parsed.ToString() : address;
}
