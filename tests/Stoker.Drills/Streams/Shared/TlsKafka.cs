using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Streams.Shared;

/// <summary>
/// The mock cluster behind TLS. It speaks plaintext and tells its clients <c>127.0.0.1</c> and ports of its own choice; so it runs in a network namespace of its own, and at the
/// same ports of this one each connection is taken by TLS, decrypted, and passed on through a Unix socket. Where somebody here has one of those ports already, another cluster is tried.
/// </summary>
internal sealed class TlsKafka : IAsyncDisposable
{
    private const int Tries = 50;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _directory = Directory.CreateTempSubdirectory("stoker-tls-").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<TcpListener> _listeners = [];
    private readonly Process _process;
    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2? _clients;
    private readonly SaslDoor? _door;
    private int _connections;

    private TlsKafka(X509Certificate2 certificate, X509Certificate2? clients, SaslDoor? door, int partitions)
    {
        (_certificate, _clients, _door) = (certificate, clients, door);
        _process = Process.Start(new ProcessStartInfo("unshare", [
            "--net", "/usr/bin/python3", Path.Combine(Machine.Repository, "tests", "Stoker.Drills", "Streams", "Shared", "namespaced-kafka.py"),
            Path.Combine(Machine.Repository, "estates", "ca4", "mock-kafka.py"), _directory, MockKafka.Topic, $"{partitions}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    /// <summary>The bootstrap, without options.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Connections over which a client and its broker spoke by TLS.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <param name="certificate">With its key: of all brokers.</param>
    /// <param name="clients">The authority of those who are let in; null: nobody is asked.</param>
    /// <param name="door">Asks for users; null: nobody does.</param>
    public static async Task<TlsKafka> StartAsync(X509Certificate2 certificate, X509Certificate2? clients = null, SaslDoor? door = null, int partitions = 2)
    {
        MockKafka.SkipUnlessThere();
        for (var tries = 1; ; tries++)
        {
            var kafka = new TlsKafka(certificate, clients, door, partitions);
            if (await kafka.BeginAsync()) return kafka;
            await kafka.DisposeAsync();
            Assert.True(tries < Tries, $"{Tries} clusters chose ports that are taken here");
        }
    }

    /// <returns>False: somebody here has one of its ports.</returns>
    private async Task<bool> BeginAsync()
    {
        var ready = await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience);
        if (ready is null)
        {
            var errors = await _process.StandardError.ReadToEndAsync();
            await DisposeAsync();
            Assert.SkipWhen(errors.StartsWith("unshare", StringComparison.Ordinal), $"a network namespace of its own is not to be had: {errors}");
            Assert.Fail(errors);
        }

        var ports = ready!.Split(',').Select(int.Parse).ToList();
        foreach (var port in ports)
        {
            if (!TryListen(port)) return false;
        }

        Address = $"kafka://127.0.0.1:{ports[0]}/{MockKafka.Topic}";
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var listener in _listeners) listener.Dispose();
        _process.StandardInput.Close();
        if (!_process.WaitForExit(Patience)) _process.Kill(entireProcessTree: true);
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private bool TryListen(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
        }
        catch (SocketException)
        {
            listener.Dispose();
            return false;
        }

        _listeners.Add(listener);
        _ = Task.Run(async () =>
        {
            while (!_stop.IsCancellationRequested)
            {
                var client = await listener.AcceptSocketAsync(_stop.Token);
                _ = Task.Run(() => ServeAsync(client, port));
            }
        });
        return true;
    }

    private async Task ServeAsync(Socket client, int port)
    {
        try
        {
            await using var tls = new SslStream(new NetworkStream(client, ownsSocket: true));
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificate = _certificate,
                    ClientCertificateRequired = _clients is not null,
                    RemoteCertificateValidationCallback = (_, certificate, _, _) => _clients is null || IsLetIn(certificate as X509Certificate2),
                },
                _stop.Token);
            using var broker = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await broker.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_directory, $"{port}")), _stop.Token);
            await using var plain = new NetworkStream(broker);
            Interlocked.Increment(ref _connections);
            if (_door is not null && !await _door.LetInAsync(tls, plain, _stop.Token)) return;
            await Task.WhenAny(tls.CopyToAsync(plain, _stop.Token), plain.CopyToAsync(tls, _stop.Token));
        }
        catch (Exception ended) when (ended is IOException or AuthenticationException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // As the client asked for, or the drill is at its end.
        }
    }

    private bool IsLetIn(X509Certificate2? certificate)
    {
        if (certificate is null) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_clients!);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }
}
