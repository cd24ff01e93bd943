using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Stoker.Tests.Streams.Archive;

/// <summary>An HTTP server that answers each request as the test says, and keeps what it was asked.</summary>
internal sealed class CannedServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly List<CannedRequest> _requests = [];

    public CannedServer(Func<CannedRequest, (int Status, string Body)> answer)
    {
        using (var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            Url = $"http://{probe.LocalEndPoint}/";
        }

        _listener.Prefixes.Add(Url);
        _listener.Start();
        _ = ServeAsync(answer);
    }

    public string Url { get; }

    public IReadOnlyList<CannedRequest> Requests
    {
        get
        {
            lock (_requests) return [.. _requests];
        }
    }

    public void Dispose() => _listener.Close();

    private async Task ServeAsync(Func<CannedRequest, (int Status, string Body)> answer)
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                var request = new CannedRequest(context.Request.HttpMethod, context.Request.RawUrl!, context.Request.Headers, body.ToArray());
                lock (_requests) _requests.Add(request);
                var (status, text) = answer(request);
                context.Response.StatusCode = status;
                context.Response.ContentType = "application/xml";
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text));
                context.Response.Close();
            }
        }
        catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
        {
        }
    }
}

internal sealed record CannedRequest(string Method, string Target, System.Collections.Specialized.NameValueCollection Headers, byte[] Body);
