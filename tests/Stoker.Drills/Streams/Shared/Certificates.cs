using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Stoker.Drills.Streams.Shared;

/// <summary>An authority of a drill's own, and what it vouches for.</summary>
internal sealed class Certificates : IDisposable
{
    private readonly X509Certificate2 _authority;

    public Certificates(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-2), DateTimeOffset.UtcNow.AddYears(1));
    }

    public X509Certificate2 Authority => _authority;

    /// <summary>With its key.</summary>
    /// <param name="host">An address or a name; null: of a client.</param>
    /// <param name="until">Since a year ago; null: for a day from now.</param>
    public X509Certificate2 Make(string name, string? host, DateTimeOffset? until = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(host is null ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1")], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        if (host is not null && IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
        else if (host is not null) names.AddDnsName(host);
        if (host is not null) request.CertificateExtensions.Add(names.Build());
        using var made = request.Create(_authority, DateTimeOffset.UtcNow.AddYears(-1), until ?? DateTimeOffset.UtcNow.AddDays(1), RandomNumberGenerator.GetBytes(8));
        using var own = made.CopyWithPrivateKey(key);
        // With a key that the system's TLS can use.
        return X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>Writes what a client names in its log's address.</summary>
    public string WriteAuthority(string directory)
    {
        var file = Path.Combine(directory, $"{Guid.NewGuid():n}.pem");
        File.WriteAllText(file, _authority.ExportCertificatePem());
        return file;
    }

    public static (string Certificate, string Key) Write(string directory, X509Certificate2 own)
    {
        var file = Path.Combine(directory, $"{Guid.NewGuid():n}.pem");
        File.WriteAllText(file, own.ExportCertificatePem());
        using var key = own.GetECDsaPrivateKey()!;
        File.WriteAllText($"{file}.key", key.ExportPkcs8PrivateKeyPem());
        return (file, $"{file}.key");
    }

    public void Dispose() => _authority.Dispose();
}
