using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Stoker.Tests.Gateway.Shared;

/// <summary>A TLS server in front of one that speaks plainly: every byte passes as it is, and when one side leaves, the other is left.</summary>
internal sealed class TlsFront : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Task> _serving = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly X509Certificate2 _certificate;
    private readonly Task _accepting;
    private int _sessions;

    public TlsFront(IPEndPoint behind, X509Certificate2 certificate)
    {
        _certificate = certificate;
        _listener.Start();
        _accepting = AcceptAsync(behind);
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>Handshakes that came to their end as far as the server can tell.</summary>
    public int Sessions => Volatile.Read(ref _sessions);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_serving);
        _listener.Dispose();
        _stop.Dispose();
        _certificate.Dispose();
    }

    private async Task AcceptAsync(IPEndPoint behind)
    {
        try
        {
            while (true) _serving.Add(ServeAsync(await _listener.AcceptSocketAsync(_stop.Token), behind));
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket, IPEndPoint behind)
    {
        using var plain = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await using var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
            Interlocked.Increment(ref _sessions);
            await plain.ConnectAsync(behind, _stop.Token);
            await using var inner = new NetworkStream(plain);
            await Task.WhenAny(tls.CopyToAsync(inner, _stop.Token), inner.CopyToAsync(tls, _stop.Token));
        }
        catch (Exception ended) when (ended is IOException or SocketException or AuthenticationException or OperationCanceledException)
        {
            // The client refused the certificate or left, or the test is over.
        }
    }
}
