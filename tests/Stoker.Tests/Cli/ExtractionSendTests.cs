using System.Text.Json;
using Stoker.Cli;
using Stoker.Tests.Streams.Extraction;
using Xunit;

namespace Stoker.Tests.Cli;

/// <summary><c>stoker stream send</c> of images and log lines, into a real stream.</summary>
public sealed class ExtractionSendTests : IDisposable
{
    private readonly StreamBed _bed = new();

    public void Dispose() => _bed.Dispose();

    [Fact]
    public async Task Images_become_documents_that_are_found_by_likeness()
    {
        await _bed.StartAsync();
        Directory.CreateDirectory(Path.Combine(_bed.World.Directory, "in"));
        foreach (var file in new[] { "rgb.png", "baseline-444.jpg", "grey.png", "arithmetic.jpg" }) File.Copy(ImageReaderTests.PathOf(file), Path.Combine(_bed.World.Directory, "in", file));
        Assert.Equal(ExitCode.Done, _bed.Run("send", "in", "--embed", "builtin", "--dim", "64"));
        Assert.Contains("arithmetic.jpg: no vector: a JPEG that is lossless", _bed.Error, StringComparison.Ordinal);
        await _bed.UntilAsync("stored", "receipt", "0-3");

        var documents = Documents();
        var png = Assert.Single(documents, document => document.GetProperty("document").GetProperty("extra").GetProperty("file").GetString() == "rgb.png");
        var extra = png.GetProperty("document").GetProperty("extra");
        Assert.Equal((93, 61, "png", "builtin-1"), (extra.GetProperty("width").GetInt32(), extra.GetProperty("height").GetInt32(), extra.GetProperty("format").GetString(), extra.GetProperty("embedder").GetString()));
        Assert.Equal(64, png.GetProperty("embedding_dim").GetInt32());
        Assert.StartsWith("file://", png.GetProperty("source").GetString(), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, _bed.Run("query", "--near-id", png.GetProperty("id").GetString()!, "--limit", "2", "--json"));
        Assert.Equal(["rgb.png", "baseline-444.jpg"], Parsed().Select(document => document.GetProperty("document").GetProperty("extra").GetProperty("file").GetString()));

        Assert.Equal(ExitCode.Done, _bed.Run("send", "in", "--embed", "builtin", "--dim", "64"));
        await _bed.UntilAsync("stored", "receipt", "0-7");
        Assert.Equal(4, Documents().Count);
    }

    [Fact]
    public async Task Lines_become_documents_and_a_file_that_has_grown_makes_new_ones_of_what_is_new()
    {
        await _bed.StartAsync();
        _bed.World.Write("stoker.yaml", "name: test\nhosts: {box: {gpus: [{model: NVIDIA GeForce RTX 5090, memory: 32GiB}]}}\nservices: {a: {command: serve, host: box}}\n");
        _bed.World.Write("train.log", "2026-11-21T10:00:00Z epoch 1 loss 0.9\n\nGPU 0 fell off the bus\nepoch 2 loss 0.7\r\n");
        Assert.Equal(ExitCode.Done, _bed.Run("send", "train.log", "--lines", "--embed", "builtin"));
        await _bed.UntilAsync("stored", "receipt", "0-2");
        var first = Assert.Single(Documents(), document => Extra(document, "number").GetInt32() == 1);
        Assert.Equal(new DateTimeOffset(2026, 11, 21, 10, 0, 0, TimeSpan.Zero), first.GetProperty("time").GetDateTimeOffset());
        Assert.Equal(256, first.GetProperty("embedding_dim").GetInt32());
        Assert.Equal("declared", Extra(first, "gpu_facts").GetString());
        Assert.Equal("NVIDIA GeForce RTX 5090", first.GetProperty("document").GetProperty("gpu_hardware").GetProperty("device_name").GetString());
        Assert.Contains(Documents(), document => Extra(document, "line").GetString() == "epoch 2 loss 0.7");

        File.AppendAllText(Path.Combine(_bed.World.Directory, "train.log"), "epoch 3 loss 0.6\n");
        Assert.Equal(ExitCode.Done, _bed.Run("send", "train.log", "--lines", "--embed", "builtin"));
        await _bed.UntilAsync("stored", "receipt", "0-6");
        Assert.Equal([1, 3, 4, 5], Documents().Select(document => Extra(document, "number").GetInt32()).Order());
    }

    [Fact]
    public void An_endpoint_that_is_away_is_said_and_nothing_is_sent()
    {
        _bed.World.Write("a.log", "one\n");
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("send", "a.log", "--lines", "--embed", "http://127.0.0.1:9#e5", "--patience", "0s"));
        Assert.Contains("http://127.0.0.1:9/v1/embeddings makes no vectors with `e5`: Connection refused", _bed.Error, StringComparison.Ordinal);
        Assert.Equal("", _bed.Output);
    }

    [Theory]
    [InlineData("neither `builtin` nor URL#MODEL", "a.log", "--embed", "e5")]
    [InlineData("`--dim` is from 1", "a.log", "--dim", "0")]
    [InlineData("do not go together", "a.log", "--lines", "--type", "json")]
    public void Options_that_make_no_sense_are_said(string said, params string[] words)
    {
        Assert.Equal(ExitCode.Usage, _bed.Run(["send", .. words]));
        Assert.Contains(said, _bed.Error, StringComparison.Ordinal);
    }

    private static JsonElement Extra(JsonElement document, string name) => document.GetProperty("document").GetProperty("extra").GetProperty(name);

    private List<JsonElement> Documents()
    {
        Assert.Equal(ExitCode.Done, _bed.Run("query", "--json"));
        return Parsed();
    }

    private List<JsonElement> Parsed() => [.. JsonDocument.Parse(_bed.Output).RootElement.GetProperty("documents").EnumerateArray()];
}
