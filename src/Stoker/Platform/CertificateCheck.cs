using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Stoker.Platform;

/// <summary>
/// How a server's certificate is verified: name, dates, and its chain against the system's authorities. Nothing is fetched to verify, no revocation
/// lists and no intermediate certificates, because whoever connects would stand still meanwhile.
/// </summary>
internal static class CertificateCheck
{
    /// <param name="host">The name or address that the certificate must be for, without a port.</param>
    /// <param name="accepts">Gets what is wrong with it, in words; null: nothing.</param>
    public static SslClientAuthenticationOptions Options(string host, Func<string?, bool> accepts) => new()
    {
        TargetHost = host,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck },
        RemoteCertificateValidationCallback = (_, _, chain, errors) => accepts(errors == SslPolicyErrors.None ? null : Words(errors, chain)),
    };

    private static string Words(SslPolicyErrors errors, X509Chain? chain)
    {
        List<string> problems = [];
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable)) problems.Add("the server sent none");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) problems.Add("it is for another name");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            problems.AddRange(chain?.ChainStatus.Select(s => s.StatusInformation.Trim()).Distinct() ?? ["its chain is not trusted"]);
        }

        return string.Join(", ", problems);
    }
}
