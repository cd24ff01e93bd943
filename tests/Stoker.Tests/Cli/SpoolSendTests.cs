using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Stoker.Cli;
using Stoker.Streams;
using Xunit;

namespace Stoker.Tests.Cli;

/// <summary><c>stoker stream send</c> while the stream comes and goes: its real process, log, store and spool.</summary>
public sealed class SpoolSendTests : IDisposable
{
    private readonly StreamBed _bed = new();

    private string SpoolDirectory => Path.Combine(StreamPlan.DirectoryOf(_bed.World.State.Path, _bed.Plan.Name), "spool");

    public void Dispose() => _bed.Dispose();

    [Fact]
    public async Task What_is_kept_while_the_stream_is_away_is_delivered_in_order_with_its_times_by_the_next_send()
    {
        _bed.World.Write("one.ndjson", $"{Fact("a")}\n{{\"source_uri\": \"gs://ca4\", \"gpu_hardware\": {{\"device_name\": \"T4\"}}}}\n");
        var before = DateTimeOffset.UtcNow;
        Assert.Equal(ExitCode.Done, _bed.Run("send", "one.ndjson", "--patience", "0s"));
        var after = DateTimeOffset.UtcNow;
        Assert.Equal("spooled  one.ndjson:1\nspooled  one.ndjson:2\n", _bed.Output);
        Assert.Contains("0 taken, 2 in the spool", _bed.Error, StringComparison.Ordinal);

        await _bed.StartAsync();
        _bed.World.Write("two.json", Fact("b"));
        Assert.Equal(ExitCode.Done, _bed.Run("send", "two.json"));
        Assert.Equal(["0-0", "0-1", "0-2"], _bed.Output.TrimEnd('\n').Split('\n').Select(line => line.Split("  ")[0]));
        await _bed.UntilAsync("stored", "receipt", "0-2");
        Assert.Equal(ExitCode.Done, _bed.Run("query", "--id", "a", "--json"));
        var time = JsonDocument.Parse(_bed.Output).RootElement.GetProperty("documents")[0].GetProperty("time").GetDateTimeOffset();
        Assert.InRange(time, before.AddMilliseconds(-1), after);

        // The same file, sent directly now: the document without an id has the one that was made of its bytes.
        Assert.Equal(ExitCode.Done, _bed.Run("send", "one.ndjson"));
        await _bed.UntilAsync("stored", "receipt", "0-4");
        Assert.Equal(3, Documents());
    }

    [Fact]
    public async Task Flush_delivers_once_and_says_what_still_waits()
    {
        _bed.World.Write("one.ndjson", string.Concat(Enumerable.Range(0, 1200).Select(i => Fact($"e{i}") + "\n")));
        Assert.Equal(ExitCode.Done, _bed.Run("send", "one.ndjson", "--patience", "0s", "--quiet"));
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("send", "--flush", "--patience", "0s"));
        Assert.Contains("does not take what waits: Connection refused", _bed.Error, StringComparison.Ordinal);

        await _bed.StartAsync();
        Assert.Equal(ExitCode.Done, _bed.Run("send", "--flush"));
        Assert.Equal(Enumerable.Range(0, 1200).Select(i => $"0-{i}  e{i}"), _bed.Output.TrimEnd('\n').Split('\n'));
        Assert.Equal(ExitCode.Done, _bed.Run("send", "--flush", "gpu-metadata"));
        Assert.Equal("", _bed.Output);
    }

    [Fact]
    public async Task What_the_stream_refuses_later_is_kept_beside_the_spool_with_its_reasons()
    {
        _bed.World.Write("bad.ndjson", $"{Fact("a")}\n{{\"metadata_id\": \"b\", \"source_uri\": \"s\"}}\n{Fact("c")}\n");
        Assert.Equal(ExitCode.Done, _bed.Run("send", "bad.ndjson", "--patience", "0s"));
        await _bed.StartAsync();
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("send", "--flush"));
        Assert.Contains("bad.ndjson:2: $.gpu_hardware: this field is missing", _bed.Error, StringComparison.Ordinal);
        Assert.Equal("0-0  a\n0-1  c\n", _bed.Output);
        var refused = JsonDocument.Parse(Assert.Single(await File.ReadAllLinesAsync(Path.Combine(SpoolDirectory, "refused.ndjson"), TestContext.Current.CancellationToken))).RootElement;
        Assert.Equal("$.gpu_hardware", refused.GetProperty("mistakes")[0].GetProperty("path").GetString());
        Assert.Equal("b", JsonDocument.Parse(refused.GetProperty("document").GetString()!).RootElement.GetProperty("metadata_id").GetString());
        Assert.Equal(ExitCode.Done, _bed.Run("send", "--flush"));
    }

    [Theory]
    [InlineData("500 Internal Server Error", "{}")]
    [InlineData("502 Bad Gateway", "<html>no</html>")]
    [InlineData("429 Too Many Requests", "")]
    [InlineData("507 Insufficient Storage", """{"title": "The disk is full"}""")]
    [InlineData("404 Not Found", "tunnel not found")]
    [InlineData("200 OK", "<html>welcome</html>")]
    [InlineData("202 Accepted", """{"status": "ok"}""")]
    public async Task An_answer_that_is_no_verdict_of_a_stream_is_as_good_as_none(string status, string body)
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var answering = AnswerAsync(server, status, body);
        _bed.World.Write("one.json", Fact("a"));
        Assert.Equal(ExitCode.Done, _bed.Run("send", "one.json", "--to", $"http://{server.LocalEndpoint}", "--patience", "0s"));
        Assert.Equal("spooled  one.json\n", _bed.Output);
        await answering;

        await _bed.StartAsync();
        // Its own spool: what waits for another address is not sent here.
        Assert.Equal(ExitCode.Done, _bed.Run("send", "--flush"));
        Assert.Equal("", _bed.Output);
    }

    [Fact]
    public async Task Another_address_and_another_place_for_the_spool()
    {
        _bed.World.Write("one.json", Fact("a"));
        var to = $"http://{_bed.Plan.Listen}/metadata";
        Assert.Equal(ExitCode.Done, _bed.Run("send", "one.json", "--to", to, "--spool", "kept", "--patience", "0s"));
        Assert.True(Directory.Exists(Path.Combine(_bed.World.Directory, "kept")));
        await _bed.StartAsync();
        Assert.Equal(ExitCode.Done, _bed.Run("send", "--flush", "--to", to, "--spool", "kept", "--json"));
        Assert.Equal("0-0", JsonDocument.Parse(_bed.Output).RootElement.GetProperty("receipt").GetString());
    }

    [Theory]
    [InlineData("what is to be sent")]
    [InlineData("sends what waits, and no files", "gpu-metadata", "one.json", "--flush")]
    [InlineData("either the name of a stream or `--to`", "gpu-metadata", "one.json", "--to", "http://127.0.0.1:1")]
    [InlineData("is no address of a stream", "one.json", "--to", "127.0.0.1:8010")]
    [InlineData("`--follow` is for `--flush`", "one.json", "--follow")]
    [InlineData("`--no-spool` and a spool", "--flush", "--no-spool")]
    public void Words_that_do_not_fit_together_are_said(string said, params string[] words)
    {
        Assert.Equal(ExitCode.Usage, _bed.Run(["send", .. words]));
        Assert.Contains(said, _bed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Flush_that_follows_delivers_what_others_keep_until_it_is_interrupted()
    {
        await _bed.StartAsync();
        using var second = new FakeWorld();
        var following = Task.Run(() => second.Run("stream", "send", "--flush", "--follow", "--state", _bed.World.State.Path), TestContext.Current.CancellationToken);
        await _bed.StopAsync();
        for (var i = 0; i < 3; i++)
        {
            _bed.World.Write("one.json", Fact($"e{i}"));
            Assert.Equal(ExitCode.Done, _bed.Run("send", "one.json", "--patience", "0s"));
            Assert.Equal("spooled  one.json\n", _bed.Output);
        }

        await _bed.StartAsync();
        await _bed.UntilAsync("stored", "receipt", "0-2");
        second.Interrupts.Press();
        Assert.Equal(ExitCode.Interrupted, await following);
        Assert.Contains("0-0  e0\n0-1  e1\n0-2  e2\n", second.Output.ToString(), StringComparison.Ordinal);
    }

    private static string Fact(string id) => $"{{\"metadata_id\": \"{id}\", \"source_uri\": \"gs://ca4\", \"gpu_hardware\": {{\"device_name\": \"Tesla T4\"}}}}";

    private static async Task AnswerAsync(TcpListener server, string status, string body)
    {
        using var client = await server.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        var buffer = new byte[1 << 16];
        var read = new StringBuilder();
        while (!read.ToString().Contains("gpu_hardware", StringComparison.Ordinal)) read.Append(Encoding.UTF8.GetString(buffer, 0, await stream.ReadAsync(buffer, TestContext.Current.CancellationToken)));
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 {status}\r\ncontent-length: {body.Length}\r\nconnection: close\r\n\r\n{body}"), TestContext.Current.CancellationToken);
    }

    private int Documents()
    {
        Assert.Equal(ExitCode.Done, _bed.Run("query", "--json"));
        return JsonDocument.Parse(_bed.Output).RootElement.GetProperty("documents").GetArrayLength();
    }
}
