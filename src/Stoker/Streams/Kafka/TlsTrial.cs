using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Stoker.Platform;

namespace Stoker.Streams.Kafka;

/// <summary>
/// Asks the brokers of an address for their certificates, before the library does, which tells of whatever is wrong only that it is. Says nothing of brokers that do not answer:
/// others may, and the library goes on asking.
/// </summary>
internal sealed class TlsTrial(KafkaAddress address)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>A request of Kafka's for the versions that a broker has, which needs no user: length, 18, version 0, number 1, the client's name.</summary>
    private static ReadOnlyMemory<byte> Request => "\0\0\0\u0010\0\u0012\0\0\0\0\0\u0001\0\u0006stoker"u8.ToArray();

    private readonly X509Certificate2Collection _authorities = [];
    private X509Certificate2? _own;

    /// <exception cref="IOException">A file of the address cannot be used, or a broker answers and cannot be trusted, or does not trust the client.</exception>
    public static void Run(KafkaAddress address)
    {
        if (!address.HasTls) return;
        var trial = new TlsTrial(address);
        trial.ReadFiles();
        foreach (var broker in address.Brokers.Split(','))
        {
            if (trial.TryAsync(broker).GetAwaiter().GetResult() is { } words) throw new IOException(words);
        }
    }

    private void ReadFiles()
    {
        var file = address.Option(KafkaAddress.Authority);
        try
        {
            if (file is not null) _authorities.ImportFromPem(Files.ReadAllText(file));
            if (file is not null && _authorities.Count == 0) throw new IOException($"`{file}`, who vouches for the brokers, has no certificate in PEM");
            file = address.Option(KafkaAddress.Certificate);
            if (file is null) return;
            var key = address.Option(KafkaAddress.Key)!;
            _own = X509Certificate2.CreateFromPem(Files.ReadAllText(file), Files.ReadAllText(key));
        }
        catch (Exception unusable) when (unusable is CryptographicException or ArgumentException or UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new IOException($"`{file}`, which the log's address names, cannot be used: {unusable.Message}", unusable);
        }
    }

    /// <returns>What is wrong; null: nothing, or nobody answers.</returns>
    private async Task<string?> TryAsync(string broker)
    {
        var colon = broker.LastIndexOf(':');
        var host = broker[..colon].Trim('[', ']');
        using var patience = new CancellationTokenSource(Patience);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        string? refusal = null;
        try
        {
            await socket.ConnectAsync(host, int.Parse(broker.AsSpan(colon + 1), CultureInfo.InvariantCulture), patience.Token);
        }
        catch (Exception away) when (away is SocketException or OperationCanceledException)
        {
            return null;
        }

        await using var stream = new NetworkStream(socket);
        await using var tls = new SslStream(stream);
        try
        {
            var options = Options(host, (certificate, chain, errors) =>
                refusal = errors == SslPolicyErrors.None ? null : WordsOf(broker, host, certificate, chain, errors));
            await tls.AuthenticateAsClientAsync(options, patience.Token);
            return await AskAsync(tls, broker, patience.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (Exception failed) when (failed is AuthenticationException or IOException)
        {
            return refusal ?? (IsAlert(failed) ? Refused(broker, failed) : $"broker {broker} does not speak TLS, as `tls=true` asks for: {failed.Message}");
        }
    }

    private SslClientAuthenticationOptions Options(string host, Action<X509Certificate2?, X509Chain?, SslPolicyErrors> seen)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                seen(certificate as X509Certificate2, chain, errors);
                return errors == SslPolicyErrors.None;
            },
        };
        if (_own is not null) options.ClientCertificateContext = SslStreamCertificateContext.Create(_own, null, offline: true);
        if (_authorities.Count == 0) return options;
        options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        options.CertificateChainPolicy.CustomTrustStore.AddRange(_authorities);
        return options;
    }

    /// <summary>In TLS 1.3 a server looks at the client's certificate when the client already takes the connection for made: what it makes of it shows in whether it answers.</summary>
    private async Task<string?> AskAsync(SslStream tls, string broker, CancellationToken patience)
    {
        try
        {
            await tls.WriteAsync(Request, patience);
            return await tls.ReadAsync(new byte[1], patience) == 0 ? Refused(broker, null) : null;
        }
        catch (IOException alert)
        {
            return Refused(broker, alert);
        }
    }

    private static bool IsAlert(Exception failed) => failed.InnerException is { } inner && inner.Message.Contains("alert", StringComparison.OrdinalIgnoreCase);

    private string Refused(string broker, Exception? alert)
    {
        var words = alert is null ? "it ends the connection" : (alert.InnerException ?? alert).Message;
        return _own is null
            ? $"broker {broker} lets in only clients with a certificate, and the log's address names none (`tlsCertificateFile`, `tlsKeyFile`): {words}"
            : $"broker {broker} does not accept the certificate in `{address.Option(KafkaAddress.Certificate)}`, of `{_own.Subject}`, by `{_own.Issuer}`: {words}";
    }

    private string WordsOf(string broker, string host, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null) return $"broker {broker} shows no certificate";
        var status = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, each) => all | each.Status) ?? X509ChainStatusFlags.NoError;
        if (status.HasFlag(X509ChainStatusFlags.NotTimeValid) && Outdated(chain!) is { } old)
        {
            var (begin, end) = (old.NotBefore.ToUniversalTime(), old.NotAfter.ToUniversalTime());
            return $"the certificate of broker {broker} is not valid now: `{old.Subject}` is from {begin:yyyy-MM-dd HH:mm} to {end:yyyy-MM-dd HH:mm} UTC";
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            var trusted = address.Option(KafkaAddress.Authority) is { } file ? $"`{file}` has" : "this system trusts";
            if ((status & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid)) != 0)
            {
                return $"the certificate of broker {broker}, of `{certificate.Subject}`, is vouched for by `{certificate.Issuer}`, "
                    + $"which is not among the authorities that {trusted}: `tlsCAFile=FILE` names the one that is to be trusted";
            }

            return $"the certificate of broker {broker}, of `{certificate.Subject}`, is not to be trusted: {string.Join("; ", chain?.ChainStatus.Select(each => each.StatusInformation.Trim()) ?? [])}";
        }

        return $"the certificate of broker {broker} is for {NamesOf(certificate)}, and not for `{host}`: "
            + "the log's address, and the broker's `advertised.listeners`, have to name it as its certificate does";
    }

    private static X509Certificate2? Outdated(X509Chain chain) =>
        chain.ChainElements.FirstOrDefault(each => each.ChainElementStatus.Any(status => status.Status == X509ChainStatusFlags.NotTimeValid))?.Certificate;

    private static string NamesOf(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(each => each.EnumerateDnsNames().Concat(each.EnumerateIPAddresses().Select(static ip => ip.ToString()))).Select(static name => $"`{name}`").ToList();
        return names.Count > 0 ? string.Join(", ", names) : $"`{certificate.Subject}`, without any name of a host";
    }
}
