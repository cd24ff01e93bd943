namespace Stoker.Streams.Extraction.Embedding;

/// <summary>
/// Vectors without a model: hashed features, the same on every machine. Near vectors are texts with many words and letters in common, and images with like colours and edges at like places;
/// of meaning they know nothing.
/// </summary>
internal sealed class BuiltinEmbedder(int dimension) : IEmbedder
{
    public string Name => "builtin-1";

    public IReadOnlyList<Embedded> Embed(IReadOnlyList<EmbeddingInput> inputs, CancellationToken cancel) => [.. inputs.Select(Embed)];

    private Embedded Embed(EmbeddingInput input)
    {
        var vector = new HashedVector(dimension);
        if (input.Text is { } text) TextFeatures.Add(text, vector);
        else if (input.Image is { Pixels: { } pixels }) ImageFeatures.Add(pixels, vector);
        else return new Embedded(null, input.Image?.Why ?? "it is no text and no image");
        return vector.Normalised() is { } made ? new Embedded(made, null) : new Embedded(null, "it has nothing that could be told apart");
    }
}
