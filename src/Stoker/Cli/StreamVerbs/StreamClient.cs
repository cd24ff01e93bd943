using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Stoker.Platform;
using Stoker.Streams;
using Stoker.Streams.Serving;
using Stoker.Streams.Work;

namespace Stoker.Cli.StreamVerbs;

/// <summary>Speaks to a stream's process as any producer would.</summary>
internal sealed class StreamClient : IDisposable
{
    private readonly HttpClient _client;
    private readonly Uri _posts;

    /// <param name="patience">For each answer.</param>
    /// <param name="key">Shown with each request; null: none.</param>
    public StreamClient(StreamPlan plan, TimeSpan patience, string? key) : this(new Uri(AddressOf(plan), plan.Path), patience, key)
    {
    }

    /// <param name="posts">Where it takes documents. Reached by the proxy that the environment names, unless it is on this machine.</param>
    public StreamClient(Uri posts, TimeSpan patience, string? key)
    {
        _posts = posts;
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = !posts.IsLoopback, AllowAutoRedirect = false }) { BaseAddress = posts, Timeout = patience };
        if (key is not null) _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>Where it is reached from this machine.</summary>
    public static Uri AddressOf(StreamPlan plan)
    {
        var listen = IPEndPoint.Parse(plan.Listen);
        var address = listen.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : listen.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : listen.Address;
        return new Uri($"http://{new IPEndPoint(address, listen.Port)}");
    }

    public void Dispose() => _client.Dispose();

    /// <exception cref="StreamSilentException"/>
    public async Task<StreamStatus> StatusAsync(CancellationToken cancel)
    {
        var answer = await AskAsync(new HttpRequestMessage(HttpMethod.Get, "/status"), cancel);
        return Read(answer, StreamJson.Default.StreamStatus);
    }

    /// <summary>Null: there is no such receipt.</summary>
    /// <exception cref="StreamSilentException"/>
    public async Task<ReceiptReport?> ReceiptAsync(string id, CancellationToken cancel)
    {
        var answer = await AskAsync(new HttpRequestMessage(HttpMethod.Get, $"/receipts/{Uri.EscapeDataString(id)}"), cancel);
        return answer.Status == 404 ? null : Read(answer, StreamJson.Default.ReceiptReport);
    }

    /// <exception cref="StreamSilentException"/>
    public async Task<StreamAnswer> PostAsync(ReadOnlyMemory<byte> body, string contentType, CancellationToken cancel)
    {
        var content = new ReadOnlyMemoryContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        return await AskAsync(new HttpRequestMessage(HttpMethod.Post, _posts) { Content = content }, cancel);
    }

    private async Task<StreamAnswer> AskAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        using (request)
        {
            try
            {
                using var answer = await _client.SendAsync(request, cancel);
                return new StreamAnswer((int)answer.StatusCode, await answer.Content.ReadAsByteArrayAsync(cancel)) { RetryAfter = answer.Headers.RetryAfter?.Delta };
            }
            catch (HttpRequestException failed)
            {
                throw new StreamSilentException((failed.InnerException ?? failed).Message);
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                throw new StreamSilentException($"no answer within {Durations.Short(_client.Timeout)}");
            }
        }
    }

    /// <summary>What its door said of the key.</summary>
    public static StreamSilentException Denied(StreamAnswer answer) =>
        new(Posts.Read(answer) is { Detail: { } detail } said ? $"{said.Title}: {detail}" : $"the key is refused, with status {answer.Status}");

    private static T Read<T>(StreamAnswer answer, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            if (answer.Status == 200 && JsonSerializer.Deserialize(answer.Body, type) is { } read) return read;
        }
        catch (JsonException)
        {
            // Said below.
        }

        if (answer.Status is 401 or 403) throw Denied(answer);
        throw new StreamSilentException($"what answers there is not this stream: {answer.Status}");
    }
}

internal sealed record StreamAnswer(int Status, byte[] Body)
{
    /// <summary>When it is worth coming again; null: nothing was said.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

/// <summary>The stream's process does not answer; the message tells why.</summary>
internal sealed class StreamSilentException(string message) : IOException(message);
