using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Stoker.Tests.Gateway.Shared;

/// <summary>An authority that nobody trusts but who is told to.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _own;

    public TestAuthority()
    {
        var request = new CertificateRequest("CN=Test authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _own = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(2));
    }

    /// <summary>Its certificate, for <c>SSL_CERT_FILE</c>.</summary>
    public string Pem => _own.ExportCertificatePem();

    /// <param name="name">A DNS name or an address.</param>
    public X509Certificate2 Issue(string name, bool expired = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test server", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out var address)) names.AddIpAddress(address);
        else names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_own, true, false));
        var serial = RandomNumberGenerator.GetBytes(8);
        using var issued = request.Create(_own, DateTimeOffset.UtcNow.AddDays(-2).AddHours(1), DateTimeOffset.UtcNow.AddDays(expired ? -1 : 1), serial);
        return issued.CopyWithPrivateKey(key);
    }

    public void Dispose()
    {
        _own.Dispose();
        _key.Dispose();
    }
}
