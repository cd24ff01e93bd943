using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Stoker.Models.Simulator;

namespace Stoker.Tests.Models.Simulator;

/// <summary>A real simulated server on a free port, with a real client.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private Bench(SimulatedServer server)
    {
        Server = server;
        Client = new HttpClient { BaseAddress = new Uri($"http://{server.Address}"), Timeout = Patience };
    }

    public SimulatedServer Server { get; }

    public HttpClient Client { get; }

    /// <summary>Without any latency, unless the options say otherwise.</summary>
    public static Bench Start(Func<SimulatorOptions, SimulatorOptions>? with = null)
    {
        var options = new SimulatorOptions(["m"]) { Ttft = new LatencySpec(TimeSpan.Zero), Itl = new LatencySpec(TimeSpan.Zero) };
        return new Bench(SimulatedServer.Start(with is null ? options : with(options), TimeProvider.System));
    }

    public static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    /// <summary>A chat of one message.</summary>
    public static string Chat(string text, string more = "") =>
        $"{{\"model\":\"m\",\"messages\":[{{\"role\":\"user\",\"content\":{JsonSerializer.Serialize(text)}}}]{(more.Length > 0 ? "," + more : "")}}}";

    public async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, string body, string? simulate = null)
    {
        using var answer = await SendAsync(path, body, simulate);
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>());
    }

    public Task<HttpResponseMessage> SendAsync(string path, string body, string? simulate = null, CancellationToken cancel = default)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (simulate is not null) request.Headers.Add("X-Simulate", simulate);
        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
    }

    /// <summary>The data of all events of a stream that ended.</summary>
    public async Task<List<string>> EventsAsync(string path, string body, string? simulate = null)
    {
        using var answer = await SendAsync(path, body, simulate);
        var text = await answer.Content.ReadAsStringAsync();
        return [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(one => one[(one.IndexOf("data: ", StringComparison.Ordinal) + 6)..])];
    }

    public async Task<double> MetricAsync(string line)
    {
        var page = await Client.GetStringAsync("/metrics");
        var found = page.Split('\n').First(one => one.StartsWith(line, StringComparison.Ordinal));
        return double.Parse(found[(found.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>The last request that the server saw, once it is over.</summary>
    public async Task<JsonElement> LastRequestAsync()
    {
        JsonElement last = default;
        await UntilAsync(async () =>
        {
            var seen = await Client.GetFromJsonAsync<JsonElement>("/admin/requests");
            last = seen.GetProperty("requests").EnumerateArray().Last();
            return last.GetProperty("outcome").GetString() != "running";
        });
        return last;
    }

    /// <summary>Asks the server again and again; every turn is a round trip, none is a sleep.</summary>
    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await holds()) patience.Token.ThrowIfCancellationRequested();
    }

    /// <summary>A connection on which a test says and hears single bytes.</summary>
    public async Task<RawClient> RawAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(Server.Address);
        return new RawClient(socket);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }
}

/// <summary>HTTP by hand.</summary>
internal sealed class RawClient(Socket socket) : IDisposable
{
    private readonly byte[] _buffer = new byte[256 * 1024];

    public Socket Socket => socket;

    public List<byte[]> Reads { get; } = [];

    public async Task SendAsync(string path, string body, string headers = "")
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var head = Encoding.UTF8.GetBytes($"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {bytes.Length}\r\n{headers}\r\n");
        await socket.SendAsync((byte[])[.. head, .. bytes]);
    }

    /// <summary>One read; empty at the end of the connection.</summary>
    public async Task<byte[]> ReadAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var length = await socket.ReceiveAsync(_buffer, SocketFlags.None, patience.Token);
        Reads.Add(_buffer[..length]);
        return Reads[^1];
    }

    /// <summary>All that comes until this text or the end of the connection, with null for a reset.</summary>
    public async Task<string?> ReadUntilAsync(string? text = null)
    {
        var heard = new List<byte>();
        while (true)
        {
            try
            {
                var read = await ReadAsync();
                heard.AddRange(read);
                var all = Encoding.UTF8.GetString(heard.ToArray());
                if (read.Length == 0 || (text is not null && all.Contains(text, StringComparison.Ordinal))) return all;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                return null;
            }
        }
    }

    public void Dispose() => socket.Dispose();
}
