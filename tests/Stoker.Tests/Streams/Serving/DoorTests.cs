using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Stoker.Tests.Streams.Serving;

/// <summary>The stream's door, through real sockets.</summary>
public sealed class DoorTests
{
    [Fact]
    public async Task An_event_is_acknowledged_with_a_receipt_that_tells_where_it_is()
    {
        await using var bench = StreamBench.Start();
        var (status, answer) = await bench.PostAsync(StreamBench.Fact("a"));
        Assert.Equal(202, status);
        Assert.Equal("accepted", (string?)answer["status"]);
        Assert.Equal("a", (string?)answer["metadata_id"]);
        Assert.Equal("0-0", (string?)answer["receipt"]!["id"]);
        await bench.StoredAsync();
        var receipt = await bench.GetAsync("/receipts/0-0");
        Assert.Equal("stored", (string?)receipt["state"]);
        Assert.Equal("a", (string?)receipt["metadata_id"]);
        Assert.True((DateTime)receipt["stored"]! >= (DateTime)receipt["logged"]!);
        Assert.Equal(receipt.ToJsonString(), (await bench.GetAsync("/metadata/receipts/0-0")).ToJsonString());
    }

    [Fact]
    public async Task An_event_that_is_not_yet_stored_is_logged_and_one_that_is_not_there_is_no_receipt()
    {
        await using var bench = StreamBench.Start(works: false);
        await bench.PostAsync(StreamBench.Fact("a"));
        var receipt = await bench.GetAsync("/receipts/0-0");
        Assert.Equal("logged", (string?)receipt["state"]);
        Assert.Null(receipt["stored"]);
        foreach (var none in (string[])["0-1", "1-0", "x", "0-", "-0", "0-18446744073709551616", "99999999999-0"])
        {
            var answer = await bench.Client.GetAsync($"/receipts/{none}");
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        }
    }

    [Theory]
    [InlineData("GET", "/", 200, "application/json")]
    [InlineData("GET", "/health", 200, "application/json")]
    [InlineData("GET", "/status", 200, "application/json")]
    [InlineData("GET", "/metrics?x=y", 200, "text/plain")]
    [InlineData("GET", "/metadata", 405, "application/problem+json")]
    [InlineData("PUT", "/metadata", 405, "application/problem+json")]
    [InlineData("POST", "/status", 405, "application/problem+json")]
    [InlineData("GET", "/nothing", 404, "application/problem+json")]
    [InlineData("POST", "/metadata/", 404, "application/problem+json")]
    public async Task Each_path_has_its_methods(string method, string path, int status, string type)
    {
        await using var bench = StreamBench.Start();
        using var answer = await bench.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(type, answer.Content.Headers.ContentType!.MediaType);
        if (status >= 400) Assert.Equal(status, (int)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["status"]!);
    }

    [Theory]
    [InlineData("{\"gpu_hardware\":{}}", "application/json", 422)]
    [InlineData("{", "application/json", 400)]
    [InlineData("a=b", "application/x-www-form-urlencoded", 415)]
    [InlineData("[{}]", "application/json", 422)]
    public async Task What_is_refused_is_a_problem_and_does_not_reach_the_log(string body, string type, int status)
    {
        await using var bench = StreamBench.Start();
        var (told, problem) = await bench.PostAsync(body, type);
        Assert.Equal(status, told);
        Assert.Equal(status, (int)problem["status"]!);
        Assert.Equal(0ul, bench.State.Log.Partitions[0].NextOffset);
        Assert.Equal(1, (await bench.MetricsAsync())["stoker_stream_events_rejected_total"]);
    }

    [Fact]
    public async Task A_batch_has_a_verdict_for_each_and_an_empty_one_is_no_mistake()
    {
        await using var bench = StreamBench.Start(plan => plan with { Partitions = 4 });
        var (status, answer) = await bench.PostAsync($"[{StreamBench.Fact("a")},{{}},{StreamBench.Fact("b")}]");
        Assert.Equal(207, status);
        Assert.Equal(["accepted", "rejected", "accepted"], answer["items"]!.AsArray().Select(item => (string?)item!["status"]));
        Assert.Equal(202, (await bench.PostAsync("[]")).Status);
        await bench.StoredAsync();
        var metrics = await bench.MetricsAsync();
        Assert.Equal(2, metrics["stoker_stream_events_total"]);
        Assert.Equal(1, metrics["stoker_stream_events_rejected_total"]);
        Assert.Equal(2, metrics.Where(m => m.Key.StartsWith("stoker_stream_stored_total", StringComparison.Ordinal)).Sum(m => m.Value));
    }

    [Fact]
    public async Task Requests_that_come_in_one_piece_are_answered_in_their_order()
    {
        await using var bench = StreamBench.Start();
        var requests = new StringBuilder();
        for (var i = 0; i < 50; i++) requests.Append(Post(StreamBench.Fact($"p{i}"), close: i == 49));
        var answers = (await bench.SayAsync(requests.ToString())).Split("HTTP/1.1 202 Accepted\r\n");
        Assert.Equal(51, answers.Length);
        for (var i = 0; i < 50; i++) Assert.Contains($"\"metadata_id\":\"p{i}\"", answers[i + 1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_that_come_a_byte_at_a_time_are_answered_too()
    {
        await using var bench = StreamBench.Start();
        using var raw = await bench.RawAsync();
        foreach (var unit in Encoding.UTF8.GetBytes(Post(StreamBench.Fact("slow"), close: true))) await raw.Socket.SendAsync((byte[])[unit]);
        Assert.StartsWith("HTTP/1.1 202 ", await raw.ReadUntilAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chunked_body_is_an_event_like_any_other()
    {
        await using var bench = StreamBench.Start();
        var fact = StreamBench.Fact("chunks");
        var chunks = string.Concat(fact.Chunk(7).Select(piece => $"{piece.Length:x}\r\n{new string(piece)}\r\n"));
        var request = $"POST /metadata HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n{chunks}0\r\n\r\n";
        Assert.Contains("\"metadata_id\":\"chunks\"", await bench.SayAsync(request), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400 ", await bench.SayAsync(request.Replace("\r\n\r\n7\r\n", "\r\n\r\nseven\r\n", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_of_HTTP_1_0_is_answered_and_let_go()
    {
        await using var bench = StreamBench.Start();
        var fact = StreamBench.Fact("old");
        var answer = await bench.SayAsync($"POST /metadata HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: {fact.Length}\r\n\r\n{fact}");
        Assert.StartsWith("HTTP/1.1 202 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"metadata_id\":\"old\"", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GARBAGE\r\n\r\n", 400)]
    [InlineData("POST /metadata HTTP/2.0\r\nhost: x\r\n\r\n", 505)]
    [InlineData("POST /metadata HTTP/1.1\r\nhost: x\r\ncontent-length: 999999999999\r\n\r\n", 413)]
    [InlineData("POST /metadata HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n", 400)]
    [InlineData("POST /metadata HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n", 501)]
    public async Task What_cannot_be_read_is_a_problem_and_the_connection_ends(string request, int status)
    {
        await using var bench = StreamBench.Start();
        var answer = await bench.SayAsync(request);
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Contains("application/problem+json", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_larger_than_declared_is_refused_and_the_connection_goes_on()
    {
        await using var bench = StreamBench.Start(plan => plan with { MaxEvent = 64 << 10 });
        var answers = await bench.SayAsync(
            Post(StreamBench.Fact("large", $",\"extra\":{{\"noise\":\"{new string('x', 70_000)}\"}}")) + Post(StreamBench.Fact("small"), close: true));
        Assert.StartsWith("HTTP/1.1 413 ", answers, StringComparison.Ordinal);
        Assert.Contains("\"metadata_id\":\"small\"", answers, StringComparison.Ordinal);
        Assert.Equal(1ul, bench.State.Log.Partitions[0].NextOffset);
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_middle_of_its_body_leaves_nothing_behind()
    {
        await using var bench = StreamBench.Start();
        for (var i = 0; i < 20; i++)
        {
            using var raw = await bench.RawAsync();
            await raw.Socket.SendAsync(Encoding.UTF8.GetBytes(Post(StreamBench.Fact("gone"))[..(40 + (i * 5))]));
        }

        Assert.Equal(202, (await bench.PostAsync(StreamBench.Fact("here"))).Status);
        Assert.Equal(1ul, bench.State.Log.Partitions[0].NextOffset);
    }

    [Fact]
    public async Task At_the_end_running_requests_are_answered_and_idle_connections_closed()
    {
        await using var bench = StreamBench.Start();
        using var idle = await bench.RawAsync();
        using var busy = await bench.RawAsync();
        await idle.SendAsync("/metadata", StreamBench.Fact("before"), "content-type: application/json\r\n");
        Assert.Contains("before", await idle.ReadUntilAsync("offset"), StringComparison.Ordinal);
        var request = Post(StreamBench.Fact("during"));
        await busy.Socket.SendAsync(Encoding.UTF8.GetBytes(request[..^10]));
        // It is known to be there when another on the same loop has been answered after it.
        for (var i = 0; i < 4; i++) Assert.Equal(202, (await bench.PostAsync(StreamBench.Fact($"other{i}"))).Status);
        var drained = bench.DrainAsync();
        Assert.Equal("", await idle.ReadUntilAsync());
        await busy.Socket.SendAsync(Encoding.UTF8.GetBytes(request[^10..]));
        var answer = await busy.ReadUntilAsync();
        Assert.Contains("during", answer, StringComparison.Ordinal);
        Assert.Contains("connection: close", answer, StringComparison.Ordinal);
        await drained;
    }

    private static string Post(string body, bool close = false) =>
        $"POST /metadata HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {body.Length}\r\n{(close ? "connection: close\r\n" : "")}\r\n{body}";
}
