using System.Net;
using System.Text;
using Stoker.Tests.Shared;

namespace Stoker.Tests.Streams.Archive;

/// <summary>An HTTP server that answers each request as the test says, and keeps what it was asked.</summary>
internal sealed class CannedServer : IDisposable
{
    private readonly HeldPort _port = new();
    private readonly HttpListener _listener = new();
    private readonly List<CannedRequest> _requests = [];

    public CannedServer(Func<CannedRequest, (int Status, string Body)> answer)
    {
        Url = $"http://{_port.Address}/";
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

    public void Dispose()
    {
        _listener.Close();
        _port.Dispose();
    }

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
