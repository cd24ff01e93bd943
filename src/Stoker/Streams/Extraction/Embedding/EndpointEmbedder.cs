using System.Net.Http.Headers;
using System.Text.Json;

namespace Stoker.Streams.Extraction.Embedding;

/// <summary>
/// Vectors by an endpoint that speaks OpenAI's <c>/v1/embeddings</c>, the gateway's for one. Images go as <c>{"image": "data:…"}</c>, as servers of models for images take them; one that takes
/// none is told of by its own words.
/// </summary>
/// <param name="key">Null: none is sent.</param>
/// <param name="patience">How long to wait for one that is busy or away, each time.</param>
internal sealed class EndpointEmbedder(Uri url, string model, string? key, TimeSpan patience, TimeProvider clock) : IEmbedder, IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = !url.IsLoopback, AllowAutoRedirect = false }) { Timeout = TimeSpan.FromMinutes(2) };

    public string Name => model;

    /// <summary>Of <c>URL#MODEL</c>; null: it is none. A URL without a path is that of a whole API.</summary>
    public static (Uri Url, string Model)? Parse(string text)
    {
        var hash = text.LastIndexOf('#');
        if (hash <= 0 || hash == text.Length - 1 || !Uri.TryCreate(text[..hash], UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")) return null;
        var path = url.AbsolutePath.TrimEnd('/');
        var full = path.EndsWith("/embeddings", StringComparison.Ordinal) ? path : path.Length == 0 ? "/v1/embeddings" : $"{path}/embeddings";
        return (new Uri(url, full), text[(hash + 1)..]);
    }

    public IReadOnlyList<Embedded> Embed(IReadOnlyList<EmbeddingInput> inputs, CancellationToken cancel) => EmbedAsync(inputs, cancel).GetAwaiter().GetResult();

    public void Dispose() => _client.Dispose();

    private async Task<IReadOnlyList<Embedded>> EmbedAsync(IReadOnlyList<EmbeddingInput> inputs, CancellationToken cancel)
    {
        var body = Body(inputs);
        var began = clock.GetTimestamp();
        while (true)
        {
            string why;
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) };
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
                using var answer = await _client.SendAsync(request, cancel);
                var said = await answer.Content.ReadAsByteArrayAsync(cancel);
                if (answer.IsSuccessStatusCode) return Read(said, inputs.Count);
                why = $"{(int)answer.StatusCode}: {Words(said)}";
                if ((int)answer.StatusCode is not (429 or >= 500))
                {
                    // What is wrong with this input is not wrong with every other.
                    if (inputs[0].Image is null || (int)answer.StatusCode is 401 or 403 or 404) throw new EmbeddingFailedException($"{url} makes no vectors with `{model}`: {why}");
                    return [.. inputs.Select(_ => new Embedded(null, $"the endpoint does not take this image: {why}"))];
                }
            }
            catch (HttpRequestException away)
            {
                why = (away.InnerException ?? away).Message;
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                why = "no answer in time";
            }

            if (clock.GetElapsedTime(began) + Pause > patience) throw new EmbeddingFailedException($"{url} makes no vectors with `{model}`: {why}");
            await Task.Delay(Pause, clock, cancel);
        }
    }

    private byte[] Body(IReadOnlyList<EmbeddingInput> inputs)
    {
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory))
        {
            json.WriteStartObject();
            json.WriteString("model", model);
            json.WriteStartArray("input");
            foreach (var input in inputs)
            {
                if (input.Text is { } text)
                {
                    json.WriteStringValue(text);
                    continue;
                }

                json.WriteStartObject();
                json.WriteString("image", $"data:image/{input.Image!.Format};base64,{Convert.ToBase64String(input.File.Span)}");
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("encoding_format", "float");
            json.WriteEndObject();
        }

        return memory.ToArray();
    }

    private Embedded[] Read(byte[] said, int count)
    {
        try
        {
            using var json = JsonDocument.Parse(said);
            var made = new Embedded[count];
            foreach (var each in json.RootElement.GetProperty("data").EnumerateArray())
                made[each.GetProperty("index").GetInt32()] = new Embedded([.. each.GetProperty("embedding").EnumerateArray().Select(number => number.GetSingle())], null);
            if (Array.IndexOf(made, null) < 0) return made;
        }
        catch (Exception broken) when (broken is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            // Said below.
        }

        throw new EmbeddingFailedException($"what {url} answers is no list of {count} vectors");
    }

    private static string Words(byte[] said)
    {
        try
        {
            using var json = JsonDocument.Parse(said);
            if (json.RootElement.TryGetProperty("error", out var error)) return error.ValueKind == JsonValueKind.Object ? error.GetProperty("message").GetString() ?? "" : error.ToString();
        }
        catch (Exception other) when (other is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // As it stands, then.
        }

        var text = System.Text.Encoding.UTF8.GetString(said);
        return text.Length > 200 ? text[..200] : text;
    }
}
