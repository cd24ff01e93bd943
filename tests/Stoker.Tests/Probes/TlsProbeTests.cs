using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Stoker.Estates;
using Stoker.Probes;
using Xunit;

namespace Stoker.Tests.Probes;

public sealed class TlsProbeTests
{
    [Fact]
    public async Task A_self_signed_certificate_of_this_machine_is_accepted_and_said()
    {
        using var peer = Serve();
        var outcome = await ProbeTests.Ask(new ProbeSpec.Http(new Uri($"https://localhost:{peer.Port}/")));
        Assert.StartsWith(
            $"GET https://localhost:{peer.Port}/ answered 200 OK (certificate not verified on this machine: ",
            Assert.IsType<ProbeOutcome.Healthy>(outcome).Detail,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_self_signed_certificate_of_another_machine_is_refused()
    {
        // A name that is not this machine's by itself, though it leads here: the machine's own host name.
        var name = Dns.GetHostName();
        var address = (await Dns.GetHostAddressesAsync(name)).FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork);
        Assert.SkipWhen(address is null, $"the host name {name} has no IPv4 address here: nothing to stand for another machine");
        using var peer = Serve(IPAddress.Any);
        var outcome = await ProbeTests.Ask(new ProbeSpec.Http(new Uri($"https://localhost:{peer.Port}/")), new ProbeTarget(name, []));
        Assert.StartsWith(
            $"GET https://{name}:{peer.Port}/: certificate refused: it is for another name, ",
            Assert.IsType<ProbeOutcome.Unhealthy>(outcome).Detail,
            StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_plain_server_asked_by_TLS_is_unhealthy()
    {
        using var peer = new Peer();
        _ = peer.Answer("HTTP/1.1 400 Bad Request\r\n\r\n");
        var outcome = await ProbeTests.Ask(new ProbeSpec.Http(new Uri($"https://127.0.0.1:{peer.Port}/")));
        Assert.Contains("TLS failed", Assert.IsType<ProbeOutcome.Unhealthy>(outcome).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_handshake_that_is_never_answered_ends_at_the_timeout()
    {
        using var peer = new Peer();
        peer.OnAccept(async socket =>
        {
            while (await socket.ReceiveAsync(new byte[4096]) > 0) continue;
        });
        var (late, _) = await ProbeTests.AskTooLateAsync(
            new ProbeSpec.Http(new Uri($"https://127.0.0.1:{peer.Port}/")), TimeSpan.FromMilliseconds(200), "connected");
        Assert.Contains("connected, but no TLS handshake within ", late.Detail, StringComparison.Ordinal);
    }

    private static Peer Serve(IPAddress? address = null)
    {
        var certificate = SelfSigned();
        var peer = new Peer(address);
        peer.OnAccept(async socket =>
        {
            try
            {
                await using var tls = new SslStream(new NetworkStream(socket));
                await tls.AuthenticateAsServerAsync(certificate);
                var count = await tls.ReadAsync(new byte[4096]);
                if (count > 0) await tls.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray());
            }
            catch (Exception e) when (e is IOException or AuthenticationException)
            {
                // The prober refused the certificate.
            }
        });
        return peer;
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=stoker-test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
