using System.Globalization;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace Stoker.Models.Speed;

/// <param name="Url">Where the replica's OpenAI paths begin, without a slash at the end.</param>
/// <param name="Model">As the replica calls it.</param>
/// <param name="Key">What it wants to see; null: nothing.</param>
/// <param name="Tokens">How many tokens to ask for.</param>
internal sealed record SpeedQuestion(string Url, string Model, string? Key, int Tokens);

/// <summary>
/// How fast a replica answers one client, measured where its words arrive.
/// <code>
/// question ─GET models→ a connection, and a client that is warm
///          ─POST chat/completions, streamed→ events with their times ─SpeedCourse→ measured | unclear | failed, and why
/// </code>
/// One small request at a time, straight to the replica: neither gateway, queue nor proxy is in the figure, while whatever else the replica is
/// working on is. It never throws for what a replica does.
/// </summary>
internal sealed class SpeedProbe : IDisposable
{
    private const int LongestError = 64 * 1024;

    /// <summary>Something that every model goes on with for longer than it is asked to.</summary>
    private const string Prompt = "Count from one to two hundred in words, one number after the other, and say nothing else.";

    private readonly TimeProvider _clock;
    private readonly TimeSpan _patience;
    private readonly HttpClient _client;

    /// <param name="patience">For each answer as a whole.</param>
    public SpeedProbe(TimeProvider clock, TimeSpan patience)
    {
        (_clock, _patience) = (clock, patience);
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <exception cref="OperationCanceledException">By <paramref name="cancel"/> only.</exception>
    public async Task<SpeedOutcome> AskAsync(SpeedQuestion question, CancellationToken cancel)
    {
        using var patience = new CancellationTokenSource(_patience, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancel);
        var course = new SpeedCourse();
        try
        {
            await WarmAsync(question, either.Token);
            using var request = Request(question);
            var began = _clock.GetTimestamp();
            using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (await RefusalAsync(answer, either.Token) is { } refusal) return new SpeedOutcome.Failed(refusal);
            await using var stream = await answer.Content.ReadAsStreamAsync(either.Token);
            await foreach (var item in SseParser.Create(stream, static (_, data) => ChatEvent.Read(data)).EnumerateAsync(either.Token))
            {
                course.Take(item.Data, _clock.GetElapsedTime(began));
                if (course.IsOver) break;
            }

            return course.Outcome();
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new SpeedOutcome.Failed(string.Create(CultureInfo.InvariantCulture, $"no end within {_patience.TotalSeconds:0.###} s; {course.Pieces} pieces of the answer until then"));
        }
        catch (HttpRequestException failed) when (course.Pieces == 0)
        {
            return new SpeedOutcome.Failed($"cannot be asked: {(failed.InnerException ?? failed).Message}");
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            return course.Outcome($"the connection broke ({broken.Message})");
        }
    }

    public void Dispose() => _client.Dispose();

    /// <summary>The first request of a process costs it some 200 ms of its own, and each connection a round trip: neither is the replica's.</summary>
    private async Task WarmAsync(SpeedQuestion question, CancellationToken cancel)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{question.Url}/models");
            using var answer = await _client.SendAsync(Authorized(request, question), HttpCompletionOption.ResponseContentRead, cancel);
        }
        catch (HttpRequestException)
        {
            // What it says to the question itself is what counts.
        }
    }

    private static HttpRequestMessage Request(SpeedQuestion question)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"{question.Url}/chat/completions") { Content = new ByteArrayContent(Body(question)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        return Authorized(request, question);
    }

    private static HttpRequestMessage Authorized(HttpRequestMessage request, SpeedQuestion question)
    {
        if (question.Key is { } key) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
        return request;
    }

    private static byte[] Body(SpeedQuestion question)
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("model", question.Model);
            json.WriteStartArray("messages");
            json.WriteStartObject();
            json.WriteString("role", "user");
            json.WriteString("content", Prompt);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteNumber("max_tokens", question.Tokens);
            json.WriteBoolean("stream", true);
            json.WriteStartObject("stream_options");
            json.WriteBoolean("include_usage", true);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return body.ToArray();
    }

    /// <returns>Null: what follows is a stream.</returns>
    private static async Task<string?> RefusalAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        if (!answer.IsSuccessStatusCode) return $"answered {(int)answer.StatusCode}{await WordsAsync(answer, cancel)}";
        var type = answer.Content.Headers.ContentType?.MediaType;
        return type is null or "text/event-stream" ? null : $"was asked for a stream and answered `{type}`";
    }

    private static async Task<string> WordsAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        var buffer = new byte[LongestError];
        await using var stream = await answer.Content.ReadAsStreamAsync(cancel);
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancel);
        var said = SpeedError.Message(buffer.AsMemory(0, length)) ?? Encoding.UTF8.GetString(buffer.AsSpan(0, Math.Min(length, 200))).Trim();
        return said.Length > 0 ? $": {said}" : "";
    }
}
