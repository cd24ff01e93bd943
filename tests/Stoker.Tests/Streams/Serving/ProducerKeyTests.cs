using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Stoker.Keys;
using Stoker.Limits;
using Stoker.Platform;
using Stoker.Tests.Models.Simulator;
using Xunit;

namespace Stoker.Tests.Streams.Serving;

/// <summary>A stream that asks for keys, through real sockets and a real database of keys.</summary>
public sealed class ProducerKeyTests
{
    private static readonly KeyTerms Ingest = new() { Scopes = KeyScopes.Ingest };

    [Fact]
    public async Task A_key_that_was_made_a_moment_ago_may_send_and_its_name_goes_with_the_event()
    {
        await using var bench = Start();
        using var keys = bench.Keys();
        var secret = Make(keys, "colab", Ingest);
        using var answer = await SendAsync(bench, secret, """{"metadata_id":"a","gpu_hardware":{"device_name":"Tesla T4"}}""");
        Assert.Equal(202, (int)answer.StatusCode);
        Assert.Equal("colab", (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["source"]);
        await bench.StoredAsync();
        using var asked = await AskAsync(bench, secret, "/receipts/0-0");
        Assert.Equal("stored", (string?)JsonNode.Parse(await asked.Content.ReadAsStringAsync())!["state"]);
    }

    [Theory]
    [InlineData(null, "Bearer realm=\"stoker\"")]
    [InlineData("nobodys-secret-of-some-length", "Bearer realm=\"stoker\", error=\"invalid_token\"")]
    [InlineData("sk-stoker-short", "Bearer realm=\"stoker\", error=\"invalid_token\"")]
    public async Task Whoever_shows_no_key_or_none_that_is_known_is_told_so_and_nothing_is_logged(string? secret, string challenge)
    {
        await using var bench = Start();
        using var answer = await SendAsync(bench, secret, StreamBench.Fact("a"));
        Assert.Equal(401, (int)answer.StatusCode);
        Assert.Equal(challenge, Assert.Single(answer.Headers.GetValues("www-authenticate")));
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        var problem = await answer.Content.ReadAsStringAsync();
        Assert.Contains("urn:stoker:problem:unauthorized", problem, StringComparison.Ordinal);
        if (secret is not null) Assert.DoesNotContain(secret, problem, StringComparison.Ordinal);
        Assert.Equal(0ul, bench.State.Log.Partitions[0].NextOffset);
    }

    [Fact]
    public async Task A_key_of_another_scope_or_stream_may_not_send()
    {
        await using var bench = Start();
        using var keys = bench.Keys();
        using var asks = await SendAsync(bench, Make(keys, "asks", new KeyTerms()), StreamBench.Fact("a"));
        Assert.Equal(403, (int)asks.StatusCode);
        Assert.Contains("scope=\"ingest\"", Assert.Single(asks.Headers.GetValues("www-authenticate")), StringComparison.Ordinal);
        using var elsewhere = await SendAsync(bench, Make(keys, "elsewhere", Ingest with { Streams = ["frames"] }), StreamBench.Fact("a"));
        Assert.Equal(403, (int)elsewhere.StatusCode);
        using var here = await SendAsync(bench, Make(keys, "here", Ingest with { Streams = ["frames", "facts"] }), StreamBench.Fact("a"));
        Assert.Equal(202, (int)here.StatusCode);
    }

    [Fact]
    public async Task A_revoked_key_stops_within_a_second_on_a_connection_that_used_it()
    {
        await using var bench = Start();
        using var keys = bench.Keys();
        var secret = Make(keys, "colab", Ingest);
        Assert.Equal(202, (int)(await SendAsync(bench, secret, StreamBench.Fact("a"))).StatusCode);
        keys.Revoke(keys.Find("colab")!.Id, DateTimeOffset.UtcNow);
        var clock = new SteadyClock();
        var revoked = clock.GetTimestamp();
        HttpStatusCode status;
        do
        {
            using var answer = await SendAsync(bench, secret, StreamBench.Fact("a"));
            status = answer.StatusCode;
            Assert.True(clock.GetElapsedTime(revoked) < TimeSpan.FromSeconds(20), "a revoked key is still taken");
        }
        while (status == HttpStatusCode.Accepted);
        Assert.Equal(401, (int)status);
        using var again = await SendAsync(bench, secret, StreamBench.Fact("b"));
        Assert.Contains("revoked", await again.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_has_expired_is_refused()
    {
        await using var bench = Start();
        using var keys = bench.Keys();
        var made = Assert.IsType<KeyCreation.Created>(keys.Create("old", Ingest, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddHours(-1), SecureRandomness.Fill));
        using var answer = await SendAsync(bench, made.Secret, StreamBench.Fact("a"));
        Assert.Equal(401, (int)answer.StatusCode);
        Assert.Contains("expired", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limits_count_events_and_not_only_requests()
    {
        await using var bench = Start();
        using var keys = bench.Keys();
        var secret = Make(keys, "busy", Ingest with { Limits = KeyLimits.None with { Overall = LimitSpec.None with { EventsPerMinute = 5 } } });
        using var three = await SendAsync(bench, secret, $"[{StreamBench.Fact("a")},{StreamBench.Fact("b")},{{}},{StreamBench.Fact("c")}]");
        Assert.Equal(207, (int)three.StatusCode);
        Assert.Equal(("5", "2"), (Header(three, "x-ratelimit-limit-events"), Header(three, "x-ratelimit-remaining-events")));
        using var more = await SendAsync(bench, secret, $"[{StreamBench.Fact("d")},{StreamBench.Fact("e")},{StreamBench.Fact("f")}]");
        Assert.Equal(429, (int)more.StatusCode);
        Assert.InRange(more.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 55, 61);
        Assert.Equal("2", Header(more, "x-ratelimit-remaining-events"));
        Assert.Contains("urn:stoker:problem:rate-limit", await more.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var two = await SendAsync(bench, secret, $"[{StreamBench.Fact("d")},{StreamBench.Fact("e")}]");
        Assert.Equal(202, (int)two.StatusCode);
        using var never = await SendAsync(bench, secret, StreamBench.Fact("f"));
        Assert.Equal(429, (int)never.StatusCode);
        Assert.Equal(5ul, bench.State.Log.Partitions[0].NextOffset);
    }

    [Fact]
    public async Task More_events_in_one_request_than_the_limit_as_a_whole_are_no_matter_of_waiting()
    {
        await using var bench = Start();
        using var keys = bench.Keys();
        var secret = Make(keys, "small", Ingest with { Limits = KeyLimits.None with { Overall = LimitSpec.None with { EventsPerMinute = 1 } } });
        using var answer = await SendAsync(bench, secret, $"[{StreamBench.Fact("a")},{StreamBench.Fact("b")}]");
        Assert.Equal(413, (int)answer.StatusCode);
        Assert.Null(answer.Headers.RetryAfter);
    }

    [Fact]
    public async Task A_request_too_many_at_once_is_refused_until_another_ends()
    {
        await using var bench = Start();
        using var keys = bench.Keys();
        var secret = Make(keys, "one", Ingest with { Limits = KeyLimits.None with { Overall = new LimitSpec(null, null, 1) } });
        var fact = StreamBench.Fact("slow");
        var slow = await BeginAsync();
        await bench.UntilAsync(async () =>
        {
            using var answer = await SendAsync(bench, secret, StreamBench.Fact("other"));
            if (slow.Socket.Available == 0) return (int)answer.StatusCode == 429;
            // The other came first, and this one was the one too many.
            slow.Dispose();
            slow = await BeginAsync();
            return false;
        });
        await slow.Socket.SendAsync(Encoding.UTF8.GetBytes(fact));
        Assert.Contains("\"metadata_id\":\"slow\"", await slow.ReadUntilAsync("offset"), StringComparison.Ordinal);
        slow.Dispose();
        await bench.UntilAsync(async () =>
        {
            // The answer is sent a moment before the request has ended.
            using var after = await SendAsync(bench, secret, StreamBench.Fact("after"));
            return (int)after.StatusCode == 202;
        });

        async Task<RawClient> BeginAsync()
        {
            var raw = await bench.RawAsync();
            await raw.Socket.SendAsync(Encoding.UTF8.GetBytes($"POST /metadata HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\ncontent-type: application/json\r\ncontent-length: {fact.Length}\r\n\r\n"));
            return raw;
        }
    }

    [Fact]
    public async Task Health_is_open_to_all_status_and_metrics_to_this_machine_and_receipts_to_those_who_send()
    {
        await using var bench = Start();
        foreach (var (path, status) in (IEnumerable<(string, int)>)[("/health", 200), ("/status", 200), ("/metrics", 200), ("/receipts/0-0", 401), ("/nothing", 404)])
        {
            using var answer = await AskAsync(bench, null, path);
            Assert.Equal((path, status), (path, (int)answer.StatusCode));
        }

        using var owner = await AskAsync(bench, StreamBench.OwnerSecret, "/receipts/0-0");
        Assert.Equal(404, (int)owner.StatusCode);
        using var sent = await SendAsync(bench, StreamBench.OwnerSecret, """{"metadata_id":"a","gpu_hardware":{"device_name":"T4"}}""");
        Assert.Equal("stoker:owner", (string?)JsonNode.Parse(await sent.Content.ReadAsStringAsync())!["source"]);
    }

    private static StreamBench Start() => StreamBench.Start(plan => plan with { RequiresKeys = true });

    private static string Make(KeyStore keys, string name, KeyTerms terms) =>
        Assert.IsType<KeyCreation.Created>(keys.Create(name, terms, null, DateTimeOffset.UtcNow, SecureRandomness.Fill)).Secret;

    private static Task<HttpResponseMessage> SendAsync(StreamBench bench, string? secret, string body) =>
        AskAsync(bench, secret, new HttpRequestMessage(HttpMethod.Post, "/metadata") { Content = new StringContent(body, Encoding.UTF8, "application/json") });

    private static Task<HttpResponseMessage> AskAsync(StreamBench bench, string? secret, string path) => AskAsync(bench, secret, new HttpRequestMessage(HttpMethod.Get, path));

    private static async Task<HttpResponseMessage> AskAsync(StreamBench bench, string? secret, HttpRequestMessage request)
    {
        using (request)
        {
            if (secret is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secret);
            return await bench.Client.SendAsync(request);
        }
    }

    private static string? Header(HttpResponseMessage answer, string name) => answer.Headers.TryGetValues(name, out var values) ? values.Single() : null;
}
