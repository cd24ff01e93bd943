using System.Text;
using System.Text.Json;
using Stoker.Tests.Gateway.Shared;
using Stoker.Tests.Models.Simulator;
using Xunit;

namespace Stoker.Tests.Gateway.Forwarding;

/// <summary>What clients do that is wrong, rare or malicious.</summary>
public sealed class ClientFaultTests
{
    private const string Get = "GET /health HTTP/1.1\r\n";

    [Theory]
    [InlineData("GET /health HTTP/1.1\nhost: x\n\n", 400)]
    [InlineData("GET /he\ralth HTTP/1.1\r\nhost: x\r\n\r\n", 400)]
    [InlineData("GET /he alth HTTP/1.1\r\nhost: x\r\n\r\n", 400)]
    [InlineData("GET  /health HTTP/1.1\r\nhost: x\r\n\r\n", 400)]
    [InlineData("G@T /health HTTP/1.1\r\nhost: x\r\n\r\n", 400)]
    [InlineData("nonsense\r\n\r\n", 400)]
    [InlineData(Get + "\r\n", 400)]
    [InlineData(Get + "host: x\r\nhost: y\r\n\r\n", 400)]
    [InlineData(Get + "host: x\r\na: b\rc\r\n\r\n", 400)]
    [InlineData(Get + "host: x\r\na: b\nc: d\r\n\r\n", 400)]
    [InlineData(Get + "host: x\r\na: b\r\n c\r\n\r\n", 400)]
    [InlineData(Get + "host: x\r\na : b\r\n\r\n", 400)]
    [InlineData(Get + "host: x\r\n: b\r\n\r\n", 400)]
    [InlineData(Get + "host: x\r\na: \0\r\n\r\n", 400)]
    [InlineData(Get + "host: x\r\nä: b\r\n\r\n", 400)]
    [InlineData(Get + "host: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400)]
    [InlineData(Get + "host: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc", 400)]
    [InlineData(Get + "host: x\r\ncontent-length: 2, 2\r\n\r\nab", 400)]
    [InlineData(Get + "host: x\r\ncontent-length: +2\r\n\r\nab", 400)]
    [InlineData(Get + "host: x\r\ncontent-length: -2\r\n\r\nab", 400)]
    [InlineData(Get + "host: x\r\ncontent-length: 99999999999999999999\r\n\r\n", 400)]
    [InlineData(Get + "host: x\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400)]
    [InlineData(Get + "host: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501)]
    [InlineData("POST /v1/completions HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400)]
    [InlineData("GET /health HTTP/2.0\r\nhost: x\r\n\r\n", 505)]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)]
    public async Task What_could_be_read_in_two_ways_is_refused_and_the_connection_ends(string head, int status)
    {
        await using var bench = GatewayBench.Start(GatewayBench.Plan());
        using var raw = await bench.RawAsync();
        await raw.Socket.SendAsync(Encoding.UTF8.GetBytes(head));
        var heard = (await raw.ReadUntilAsync())!;
        Assert.StartsWith($"HTTP/1.1 {status} ", heard);
        Assert.Contains("connection: close\r\n", heard);
        Assert.Equal(JsonValueKind.String, ErrorIn(heard).GetProperty("message").ValueKind);
    }

    [Theory]
    [InlineData(1, 40_000)]
    [InlineData(200, 10)]
    public async Task A_head_that_is_too_large_is_refused(int fields, int length)
    {
        await using var bench = GatewayBench.Start(GatewayBench.Plan());
        using var raw = await bench.RawAsync();
        await raw.Socket.SendAsync(Encoding.UTF8.GetBytes(Get + "host: x\r\n" + string.Concat(Enumerable.Repeat($"a: {new string('x', length)}\r\n", fields)) + "\r\n"));
        Assert.StartsWith("HTTP/1.1 431 ", await raw.ReadUntilAsync());
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("x{\"model\":\"m\"}", "invalid_json")]
    [InlineData("{\"model\":\"m\"", "invalid_json")]
    [InlineData("{\"model\":\"m\"}x", "invalid_json")]
    [InlineData("[\"model\"]", "invalid_json")]
    [InlineData("{\"model\":\"m\",\"model\":\"other\"}", "duplicate_parameter")]
    [InlineData("{\"model\":\"m\",\"mod\\u0065l\":\"other\"}", "duplicate_parameter")]
    [InlineData("{\"model\":\"m\",\"messages\":[],\"prompt\":\"\"}", "duplicate_parameter")]
    [InlineData("{\"model\":\"m\",\"\\ud800\":1}", "invalid_json")]
    [InlineData("{\"model\":\"\\ud800\"}", "invalid_json")]
    [InlineData("{\"messages\":[]}", "missing_required_parameter")]
    [InlineData("{\"model\":7}", "invalid_type")]
    [InlineData("{\"model\":\"\"}", "invalid_type")]
    [InlineData("{\"model\":\"m\",\"stream\":\"yes\"}", "invalid_type")]
    [InlineData("{\"model\":\"m\",\"n\":0}", "invalid_type")]
    [InlineData("{\"model\":\"m\",\"max_tokens\":-1}", "invalid_type")]
    [InlineData("{\"model\":\"m\",\"stream_options\":{\"include_usage\":true,\"include_usage\":false}}", "invalid_type")]
    public async Task A_body_that_is_not_understood_is_refused_and_the_connection_goes_on(string body, string? code)
    {
        await using var bench = GatewayBench.Start(GatewayBench.Plan());
        using var raw = await bench.RawAsync();
        for (var i = 0; i < 2; i++)
        {
            await raw.SendAsync(Sse.Path, body);
            var heard = (await raw.ReadUntilAsync("}}"))!;
            Assert.StartsWith("HTTP/1.1 400 ", heard);
            Assert.Equal(code, ErrorIn(heard).GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task Bytes_that_are_no_text_and_nesting_without_end_are_refused()
    {
        await using var bench = GatewayBench.Start(GatewayBench.Plan());
        using var raw = await bench.RawAsync();
        await raw.Socket.SendAsync((byte[])[.. "POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 13\r\n\r\n{\"model\":\""u8, 0xff, .. "\"}"u8]);
        Assert.Contains("not valid UTF-8", await raw.ReadUntilAsync("}}"));
        await raw.SendAsync(Sse.Path, $"{{\"model\":\"m\",\"messages\":{new string('[', 100_000)}");
        Assert.Contains("nested deeper than 128 levels", await raw.ReadUntilAsync("}}"));
    }

    [Theory]
    [InlineData("content-length: 40000000\r\n")]
    [InlineData("content-length: 40000000\r\nexpect: 100-continue\r\n")]
    [InlineData("transfer-encoding: chunked\r\n")]
    public async Task A_body_that_is_too_large_is_refused_before_it_is_read(string length)
    {
        await using var bench = GatewayBench.Start(GatewayBench.Plan() with { MaxBody = 1_000_000 });
        using var raw = await bench.RawAsync();
        await raw.Socket.SendAsync(Encoding.UTF8.GetBytes($"POST {Sse.Path} HTTP/1.1\r\nhost: x\r\n{length}\r\n"));
        if (length.Contains("chunked", StringComparison.Ordinal)) await raw.Socket.SendAsync(Encoding.UTF8.GetBytes($"{1_100_000:x}\r\n{new string(' ', 1_100_000)}"));
        var heard = (await raw.ReadUntilAsync())!;
        Assert.StartsWith("HTTP/1.1 413 ", heard);
        Assert.Equal("request_too_large", ErrorIn(heard).GetProperty("code").GetString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_asks_first_is_told_to_send_the_body(bool chunked)
    {
        await using var model = RawServer.Saying(Sse.Json(Sse.Answer("x")));
        await using var bench = GatewayBench.Start(model.Address);
        using var raw = await bench.RawAsync();
        var body = Sse.Chat("x");
        await raw.Socket.SendAsync(Encoding.UTF8.GetBytes(
            $"POST {Sse.Path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n{(chunked ? "transfer-encoding: chunked" : $"content-length: {body.Length}")}\r\n\r\n"));
        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", await raw.ReadUntilAsync("\r\n\r\n"));
        foreach (var one in chunked ? Sse.Chunk(body[..5]) + Sse.Chunk(body[5..]) + Sse.LastChunk : body) await raw.Socket.SendAsync(new[] { (byte)one });
        Assert.StartsWith("HTTP/1.1 200 OK", await raw.ReadUntilAsync("\"usage\""));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("connection: keep-alive\r\n", true)]
    public async Task A_client_of_old_is_answered_in_its_way(string field, bool stays)
    {
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(model.Server.Address);
        using var raw = await bench.RawAsync();
        await raw.Socket.SendAsync(Encoding.UTF8.GetBytes(Sse.Post(Sse.Chat("x"), field, version: "1.0")));
        var heard = (await raw.ReadUntilAsync(stays ? "\"usage\"" : null))!;
        Assert.Contains(stays ? "connection: keep-alive" : "connection: close", heard);
        if (!stays) return;
        await raw.Socket.SendAsync(Encoding.UTF8.GetBytes(Sse.Post(Sse.Stream("x"), field, version: "1.0")));
        heard = (await raw.ReadUntilAsync())!;
        Assert.DoesNotContain("transfer-encoding", heard);
        Assert.EndsWith(Sse.Done, heard);
    }

    [Fact]
    public async Task A_hundred_requests_in_one_breath_are_answered_in_their_order()
    {
        await using var model = TrapTests.Serving(request => Sse.Json(Sse.Answer($"({request.Split('(')[1].Split(')')[0]})")));
        await using var bench = GatewayBench.Start(model.Address);
        using var raw = await bench.RawAsync();
        await raw.Socket.SendAsync(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 100).Select(i => Sse.Post(Sse.Chat($"({i})"))))));
        var heard = "";
        while (Sse.Count(heard, "\"usage\"") < 100) heard += await raw.ReadUntilAsync("\"usage\"");
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}"), heard.Split('(').Skip(1).Select(part => part.Split(')')[0]));
        Assert.Equal(1, model.Connections);
        await bench.LedgerAsync(100);
    }

    [Fact]
    public async Task A_head_alone_is_answered_without_a_body()
    {
        await using var bench = GatewayBench.Start(GatewayBench.Plan());
        using var raw = await bench.RawAsync();
        await raw.Socket.SendAsync("HEAD /health HTTP/1.1\r\nhost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"u8.ToArray());
        var heard = (await raw.ReadUntilAsync())!;
        Assert.Contains("content-length: 15\r\n", heard);
        Assert.DoesNotContain("\"ok\"", heard);
        Assert.Contains("HTTP/1.1 404 ", heard);
    }

    [Fact]
    public async Task Pages_of_other_origins_may_call_where_the_owner_says_so()
    {
        await using var closed = GatewayBench.Start(GatewayBench.Plan());
        await using var open = GatewayBench.Start(GatewayBench.Plan() with { CorsOrigins = ["https://a.example"] });
        Assert.Equal((403, null), await PreflightAsync(closed, "https://a.example"));
        Assert.Equal((204, "https://a.example"), await PreflightAsync(open, "https://a.example"));
        Assert.Equal((204, null), await PreflightAsync(open, "https://b.example"));
    }

    [Fact]
    public async Task A_body_that_nobody_wants_ends_the_connection_and_that_is_said()
    {
        await using var bench = GatewayBench.Start(GatewayBench.Plan());
        using var raw = await bench.RawAsync();
        await raw.Socket.SendAsync("POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n{"u8.ToArray());
        Assert.Contains("connection: close\r\n", await raw.ReadUntilAsync());
    }

    private static async Task<(int Status, string? Origin)> PreflightAsync(GatewayBench bench, string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, Sse.Path);
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Headers", "authorization");
        using var answer = await bench.Client.SendAsync(request);
        return ((int)answer.StatusCode, answer.Headers.TryGetValues("access-control-allow-origin", out var allowed) ? allowed.Single() : null);
    }

    private static JsonElement ErrorIn(string answer) =>
        JsonDocument.Parse(answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]).RootElement.GetProperty("error");
}
