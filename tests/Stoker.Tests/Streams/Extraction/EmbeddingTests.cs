using System.Net;
using System.Text;
using System.Text.Json;
using Stoker.Streams.Extraction.Embedding;
using Stoker.Streams.Extraction.Images;
using Stoker.Tests.Models.Simulator;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Extraction;

public sealed class EmbeddingTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public void Built_in_vectors_are_the_same_for_ever()
    {
        // Documents that were stored years ago are compared with these.
        var vector = Text("GPU 3 fell off the bus", 8);
        Assert.Equal(1, Dot(vector, vector), 5);
        Assert.Equal([-0.4546, -0.202, -0.303, 0.6566, -0.4546, 0.1515, 0.0, 0.0], vector.Select(number => Math.Round(number, 4)));
    }

    [Fact]
    public void Lines_with_words_in_common_are_nearer_than_others_and_numbers_do_not_count()
    {
        var (one, again, other) = (Text("GPU 3 fell off the bus"), Text("gpu 7: fell off the bus!"), Text("accepted connection from client"));
        Assert.True(Dot(one, again) > 0.9);
        Assert.True(Dot(one, other) < 0.3);
    }

    [Fact]
    public void One_picture_in_two_formats_is_nearer_than_another_picture()
    {
        var (png, jpeg, grey) = (Image("rgb.png"), Image("baseline-444.jpg"), Image("grey.png"));
        Assert.True(Dot(png, jpeg) > 0.85, $"{Dot(png, jpeg)}");
        Assert.True(Dot(png, grey) < Dot(png, jpeg) - 0.1, $"{Dot(png, grey)}");
    }

    [Fact]
    public void What_has_no_features_has_no_vector_and_says_so()
    {
        var embedder = new BuiltinEmbedder(16);
        Assert.Null(embedder.Embed([new EmbeddingInput(" -- ")], Never)[0].Vector);
        var told = embedder.Embed([new EmbeddingInput(null, ImageReader.Read("GIF89a..........."u8.ToArray()))], Never)[0];
        Assert.Equal((null, "gif is not decoded; PNG and JPEG are"), (told.Vector, told.Problem));
    }

    [Theory]
    [InlineData("http://127.0.0.1:8000#e5", "http://127.0.0.1:8000/v1/embeddings", "e5")]
    [InlineData("https://h/v1#org/model", "https://h/v1/embeddings", "org/model")]
    [InlineData("http://h/x/embeddings/#m", "http://h/x/embeddings", "m")]
    public void An_endpoint_is_an_address_and_a_model(string text, string url, string model) => Assert.Equal((new Uri(url), model), EndpointEmbedder.Parse(text));

    [Theory]
    [InlineData("http://h")]
    [InlineData("http://h#")]
    [InlineData("h#m")]
    public void Anything_else_is_none(string text) => Assert.Null(EndpointEmbedder.Parse(text));

    [Fact]
    public async Task Vectors_of_a_server_of_models_are_those_of_the_texts_in_order()
    {
        await using var bench = Bench.Start();
        var (url, model) = EndpointEmbedder.Parse($"http://{bench.Server.Address}#m")!.Value;
        using var embedder = new EndpointEmbedder(url, model, null, TimeSpan.FromMinutes(1), TimeProvider.System);
        var vectors = await Task.Run(() => embedder.Embed([new EmbeddingInput("a b"), new EmbeddingInput("c"), new EmbeddingInput("a b")], Never));
        Assert.Equal(vectors[0].Vector, vectors[2].Vector);
        Assert.NotEqual(vectors[0].Vector, vectors[1].Vector);
        Assert.Equal(1, Dot(vectors[1].Vector!, vectors[1].Vector!), 3);
    }

    [Fact]
    public async Task An_endpoint_is_asked_again_while_it_is_busy_and_its_vectors_are_put_in_order()
    {
        using var server = new Endpoint(
            (503, "{}"), (200, """{"data": [{"index": 1, "embedding": [0, 2]}, {"index": 0, "embedding": [1, 0]}]}"""));
        using var embedder = new EndpointEmbedder(server.Url, "m", "secret", TimeSpan.FromMinutes(1), TimeProvider.System);
        var vectors = await Task.Run(() => embedder.Embed([new EmbeddingInput("a"), new EmbeddingInput("b")], Never));
        Assert.Equal([[1, 0], [0, 2]], vectors.Select(each => each.Vector));
        var asked = JsonDocument.Parse(server.Asked[1]).RootElement;
        Assert.Equal(("m", "a"), (asked.GetProperty("model").GetString(), asked.GetProperty("input")[0].GetString()));
        Assert.Equal("Bearer secret", server.Key);
    }

    [Fact]
    public async Task An_endpoint_that_takes_no_images_is_told_of_and_one_that_takes_nothing_is_a_failure()
    {
        using var server = new Endpoint((400, """{"error": {"message": "input must be a string"}}"""), (404, "no such model"), (200, """{"data": []}"""));
        using var embedder = new EndpointEmbedder(server.Url, "m", null, TimeSpan.Zero, TimeProvider.System);
        var file = await File.ReadAllBytesAsync(ImageReaderTests.PathOf("rgb.png"), Never);
        var told = await Task.Run(() => embedder.Embed([new EmbeddingInput(null, ImageReader.Read(file), file)], Never)[0]);
        Assert.Equal("the endpoint does not take this image: 400: input must be a string", told.Problem);
        Assert.StartsWith("data:image/png;base64,iVBOR", JsonDocument.Parse(server.Asked[0]).RootElement.GetProperty("input")[0].GetProperty("image").GetString(), StringComparison.Ordinal);
        Assert.Contains("404: no such model", (await Assert.ThrowsAsync<EmbeddingFailedException>(() => Task.Run(() => embedder.Embed([new EmbeddingInput("a")], Never)))).Message, StringComparison.Ordinal);
        Assert.Contains("no list of 1 vectors", (await Assert.ThrowsAsync<EmbeddingFailedException>(() => Task.Run(() => embedder.Embed([new EmbeddingInput("a")], Never)))).Message, StringComparison.Ordinal);
    }

    private static float[] Text(string text, int dimension = 256) => new BuiltinEmbedder(dimension).Embed([new EmbeddingInput(text)], Never)[0].Vector!;

    private static float[] Image(string file) => new BuiltinEmbedder(256).Embed([new EmbeddingInput(null, ImageReaderTests.Read(file))], Never)[0].Vector!;

    private static double Dot(float[] one, float[] other) => one.Zip(other, (a, b) => (double)a * b).Sum();

    /// <summary>Gives declared answers, one after the other, and keeps what it was asked.</summary>
    private sealed class Endpoint : IDisposable
    {
        private readonly HeldPort _port = new();
        private readonly HttpListener _listener = new();

        public Endpoint(params (int Status, string Body)[] answers)
        {
            Url = new Uri($"http://{_port.Address}/v1/embeddings");
            _listener.Prefixes.Add($"http://{Url.Authority}/");
            _listener.Start();
            _ = Task.Run(async () =>
            {
                foreach (var (status, body) in answers)
                {
                    var context = await _listener.GetContextAsync();
                    using (var reader = new StreamReader(context.Request.InputStream)) Asked.Add(await reader.ReadToEndAsync());
                    Key = context.Request.Headers["Authorization"];
                    context.Response.StatusCode = status;
                    context.Response.Close(Encoding.UTF8.GetBytes(body), willBlock: true);
                }
            });
        }

        public Uri Url { get; }

        public List<string> Asked { get; } = [];

        public string? Key { get; private set; }

        public void Dispose()
        {
            _listener.Close();
            _port.Dispose();
        }
    }
}
