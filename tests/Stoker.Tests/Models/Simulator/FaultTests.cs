using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Stoker.Models.Simulator;
using Xunit;

namespace Stoker.Tests.Models.Simulator;

public sealed class FaultTests
{
    private const string Path = "/v1/chat/completions", Done = "data: [DONE]\n\n";

    private static readonly string Stream = Bench.Chat("hello", "\"stream\":true,\"max_tokens\":6");

    [Fact]
    public async Task A_reset_comes_after_so_many_events_and_is_no_end()
    {
        await using var bench = Bench.Start();
        using var raw = await bench.RawAsync();
        await raw.SendAsync(Path, Stream, "x-simulate: reset-after=3\r\n");
        Assert.Null(await raw.ReadUntilAsync());
        var heard = string.Concat(raw.Reads.Select(Encoding.UTF8.GetString));
        Assert.Equal(3, Count(heard, "data: "));
        var seen = await bench.LastRequestAsync();
        Assert.Equal("faulted", seen.GetProperty("outcome").GetString());
        Assert.Equal(3, seen.GetProperty("chunks").GetInt32());
    }

    [Fact]
    public async Task A_reset_before_the_head_says_nothing_at_all()
    {
        await using var bench = Bench.Start();
        using var raw = await bench.RawAsync();
        await raw.SendAsync(Path, Stream, "x-simulate: reset-before-headers\r\n");
        Assert.Null(await raw.ReadUntilAsync());
        Assert.Empty(raw.Reads);
    }

    [Fact]
    public async Task A_clean_end_has_no_reason_and_no_mark()
    {
        await using var bench = Bench.Start();
        var heard = await HeardAsync(bench, "end-after=2", "\r\n0\r\n\r\n");
        Assert.Equal(2, Count(heard, "data: "));
        Assert.DoesNotContain("[DONE]", heard);
        Assert.Equal(2, Count(heard, "\"finish_reason\":null"));
    }

    [Fact]
    public async Task A_body_that_is_cut_has_promised_more()
    {
        await using var bench = Bench.Start();
        using var answer = await bench.SendAsync(Path, Bench.Chat("x"), "end-after=1");
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_stall_lasts_until_the_client_leaves()
    {
        await using var bench = Bench.Start();
        using (var raw = await bench.RawAsync())
        {
            await raw.SendAsync(Path, Stream, "x-simulate: stall-after=1\r\n");
            await raw.ReadUntilAsync("\"assistant\"");
            Assert.Equal(1, await bench.MetricAsync("vllm:num_requests_running"));
        }

        var seen = await bench.LastRequestAsync();
        Assert.Equal("cancelled", seen.GetProperty("outcome").GetString());
        Assert.Equal(0, await bench.MetricAsync("vllm:num_requests_running"));
    }

    [Fact]
    public async Task A_stall_before_the_head_lasts_until_the_client_leaves()
    {
        await using var bench = Bench.Start();
        using (var raw = await bench.RawAsync())
        {
            await raw.SendAsync(Path, Stream, "x-simulate: stall-before-headers\r\n");
            await Bench.UntilAsync(async () => (await bench.Client.GetStringAsync("/admin/requests")).Contains("\"running\"", StringComparison.Ordinal));
        }

        Assert.Equal(0, (await bench.LastRequestAsync()).GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task A_malformed_event_is_one_more_and_the_rest_is_whole()
    {
        await using var bench = Bench.Start();
        var events = await bench.EventsAsync(Path, Stream, "malformed-after=2");
        Assert.Single(events, one => one != "[DONE]" && !IsJson(one));
        Assert.Equal("[DONE]", events[^1]);
    }

    [Fact]
    public async Task A_character_of_several_bytes_comes_in_two_reads()
    {
        await using var bench = Bench.Start(o => o with { Mode = AnswerMode.Echo });
        // The server waits two milliseconds between them; a client that stands still for longer has both in one read.
        for (var attempt = 1; ; attempt++)
        {
            using var raw = await bench.RawAsync();
            await raw.SendAsync(Path, Bench.Chat("é", "\"stream\":true"), "x-simulate: split-characters\r\n");
            await raw.ReadUntilAsync(Done);
            var isSplit = raw.Reads.Any(read => read.Contains((byte)0xC3) && !read.Contains((byte)0xA9)) && raw.Reads.Any(read => read.Contains((byte)0xA9) && !read.Contains((byte)0xC3));
            if (isSplit) return;
            Assert.True(attempt < 200, "it always comes in one");
        }
    }

    [Theory]
    [InlineData("line-ends=crlf", "}\r\n\r\n")]
    [InlineData("line-ends=cr", "}\r\r")]
    [InlineData("no-space", "data:{\"id\"")]
    [InlineData("comments", ": ping\ndata: {")]
    [InlineData("several-data-lines", "data: {\ndata: \"id\"")]
    public async Task What_is_right_and_rare_is_written_so(string fault, string expected)
    {
        await using var bench = Bench.Start();
        using var answer = await bench.SendAsync(Path, Stream, fault);
        Assert.Contains(expected, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task One_event_is_as_large_as_asked()
    {
        await using var bench = Bench.Start();
        var events = await bench.EventsAsync(Path, Stream, "huge-event=200000");
        Assert.InRange(events.Max(one => one.Length), 200_000, 201_000);
    }

    [Fact]
    public async Task The_first_event_of_a_200_is_an_error()
    {
        await using var bench = Bench.Start();
        using var answer = await bench.SendAsync(Path, Stream, "error-first");
        Assert.Equal(200, (int)answer.StatusCode);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.StartsWith("data: {\"error\":{", body);
        Assert.Equal(1, Count(body, "data: "));
    }

    [Fact]
    public async Task Usage_is_missing_in_both_forms()
    {
        await using var bench = Bench.Start();
        var events = await bench.EventsAsync(Path, Bench.Chat("x", "\"stream\":true,\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}"), "no-usage");
        Assert.DoesNotContain(events, one => one.Contains("usage", StringComparison.Ordinal));
        Assert.False((await bench.PostAsync(Path, Bench.Chat("x"), "no-usage")).Body.TryGetProperty("usage", out _));
    }

    [Fact]
    public async Task The_mark_is_missing_where_the_reason_is_there()
    {
        await using var bench = Bench.Start();
        var events = await bench.EventsAsync(Path, Stream, "no-done");
        Assert.Contains("\"finish_reason\":\"length\"", events[^1]);
    }

    [Fact]
    public async Task After_the_mark_the_body_stays_open_and_a_close_is_no_fault()
    {
        await using var bench = Bench.Start();
        using (var raw = await bench.RawAsync())
        {
            await raw.SendAsync(Path, Stream, "x-simulate: hold-open\r\n");
            Assert.DoesNotContain("\r\n0\r\n\r\n", await raw.ReadUntilAsync(Done));
        }

        Assert.Equal(200, (await bench.LastRequestAsync()).GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task A_slow_head_comes_in_pieces()
    {
        await using var bench = Bench.Start();
        // A client that stands still for longer than the server waits between them has several in one read: then it waits longer.
        for (var time = 80; ; time *= 4)
        {
            using var raw = await bench.RawAsync();
            await raw.SendAsync(Path, Bench.Chat("x"), $"x-simulate: slow-headers={time}ms\r\n");
            await raw.ReadUntilAsync("\"usage\"");
            var first = Encoding.UTF8.GetString(raw.Reads[0]);
            if ((raw.Reads.Count <= 2 || first.Contains("\r\n\r\n", StringComparison.Ordinal)) && time < 5_000) continue;
            Assert.True(raw.Reads.Count > 2);
            Assert.DoesNotContain("\r\n\r\n", first);
            return;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_is_packed(bool stream)
    {
        await using var bench = Bench.Start();
        using var answer = await bench.SendAsync(Path, stream ? Stream : Bench.Chat("x"), "gzip");
        Assert.Equal("gzip", Assert.Single(answer.Content.Headers.ContentEncoding));
        using var reader = new StreamReader(new GZipStream(await answer.Content.ReadAsStreamAsync(), CompressionMode.Decompress));
        Assert.EndsWith(stream ? Done : "}", await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task A_body_ends_with_the_connection()
    {
        await using var bench = Bench.Start();
        using var raw = await bench.RawAsync();
        await raw.SendAsync(Path, Stream, "x-simulate: close-delimited\r\n");
        var heard = await raw.ReadUntilAsync();
        Assert.DoesNotContain("chunked", heard);
        Assert.DoesNotContain("content-length", heard);
        Assert.EndsWith(Done, heard);
    }

    [Theory]
    [InlineData("close-after", true)]
    [InlineData("close-silently", false)]
    public async Task The_connection_is_closed_after_the_answer(string fault, bool isSaid)
    {
        await using var bench = Bench.Start();
        using var raw = await bench.RawAsync();
        await raw.SendAsync(Path, Bench.Chat("x"), $"x-simulate: {fault}\r\n");
        var heard = await raw.ReadUntilAsync();
        Assert.Equal(isSaid, heard!.Contains("connection: close", StringComparison.Ordinal));
        Assert.Equal([], raw.Reads[^1]);
    }

    [Fact]
    public async Task A_status_is_answered_with_the_time_to_try_again()
    {
        await using var bench = Bench.Start();
        using var answer = await bench.SendAsync(Path, Stream, "status=429; retry-after=7");
        Assert.Equal(429, (int)answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(7), answer.Headers.RetryAfter!.Delta);
        Assert.Contains("\"code\":429", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task What_is_set_by_the_admin_is_for_so_many_requests_of_its_path()
    {
        await using var bench = Bench.Start();
        await bench.PostAsync("/admin/faults", """[{"status":503,"times":2},{"path":"/health","status":500}]""");
        int[] found = [await StatusAsync(bench), await StatusAsync(bench), await StatusAsync(bench)];
        Assert.Equal([503, 503, 200], found);
        Assert.Equal(500, (int)(await bench.Client.GetAsync("/health")).StatusCode);
        await bench.Client.DeleteAsync("/admin/faults");
        Assert.Equal(200, (int)(await bench.Client.GetAsync("/health")).StatusCode);
    }

    [Fact]
    public async Task A_rate_is_a_share_of_the_requests()
    {
        await using var bench = Bench.Start();
        await bench.PostAsync("/admin/faults", """{"status":500,"rate":0.3}""");
        var failed = 0;
        for (var i = 0; i < 300; i++) failed += await StatusAsync(bench) == 500 ? 1 : 0;
        Assert.InRange(failed, 60, 120);
    }

    [Theory]
    [InlineData("stall-after")]
    [InlineData("nonsense")]
    [InlineData("status=99")]
    public async Task A_fault_that_is_not_understood_is_refused(string fault)
    {
        await using var bench = Bench.Start();
        var (status, answer) = await bench.PostAsync(Path, Stream, fault);
        Assert.Equal(400, (int)status);
        Assert.Contains("is not understood", answer.GetProperty("error").GetProperty("message").GetString());
    }

    [Fact]
    public async Task The_server_tells_what_it_saw()
    {
        await using var bench = Bench.Start();
        await bench.PostAsync(Path, Bench.Chat("x"));
        var seen = await bench.LastRequestAsync();
        Assert.Equal("completed", seen.GetProperty("outcome").GetString());
        Assert.Equal("POST", seen.GetProperty("method").GetString());
        Assert.Equal("application/json; charset=utf-8", seen.GetProperty("headers").GetProperty("content-type").GetString());
        Assert.Equal(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(Bench.Chat("x")))),
            seen.GetProperty("body_sha256").GetString());
    }

    [Fact]
    public async Task Requests_may_come_in_chunks_in_a_row_and_byte_by_byte()
    {
        await using var bench = Bench.Start();
        using var raw = await bench.RawAsync();
        var body = Bench.Chat("x");
        var half = body.Length / 2;
        var chunked = $"POST {Path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{half:x}\r\n{body[..half]}\r\n{body.Length - half:x};a=b\r\n{body[half..]}\r\n0\r\nt: 1\r\n\r\n";
        foreach (var one in Encoding.UTF8.GetBytes(chunked)) await raw.Socket.SendAsync(new[] { one });
        await raw.ReadUntilAsync("\"usage\"");
        var twice = $"POST {Path} HTTP/1.1\r\nhost: x\r\ncontent-length: {body.Length}\r\n\r\n{body}";
        await raw.Socket.SendAsync(Encoding.UTF8.GetBytes(twice + twice));
        var heard = "";
        while (Count(heard, "\"usage\"") < 2) heard += await raw.ReadUntilAsync("\"usage\"");
        Assert.Equal(2, Count(heard, "HTTP/1.1 200 OK"));
    }

    private static async Task<int> StatusAsync(Bench bench)
    {
        using var answer = await bench.SendAsync(Path, Bench.Chat("x"));
        return (int)answer.StatusCode;
    }

    private static async Task<string> HeardAsync(Bench bench, string fault, string until)
    {
        using var raw = await bench.RawAsync();
        await raw.SendAsync(Path, Stream, $"x-simulate: {fault}\r\n");
        return (await raw.ReadUntilAsync(until))!;
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    private static bool IsJson(string text)
    {
        try
        {
            JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
