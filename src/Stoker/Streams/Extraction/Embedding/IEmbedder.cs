using Stoker.Streams.Extraction.Images;

namespace Stoker.Streams.Extraction.Embedding;

/// <summary>Makes vectors of what was read: the one that is built in, or an endpoint.</summary>
internal interface IEmbedder
{
    /// <summary>As documents name it.</summary>
    string Name { get; }

    /// <summary>One for each, in order.</summary>
    /// <exception cref="EmbeddingFailedException">Nobody makes any.</exception>
    IReadOnlyList<Embedded> Embed(IReadOnlyList<EmbeddingInput> inputs, CancellationToken cancel);
}

/// <summary>A text or an image; exactly one.</summary>
/// <param name="File">The image's file.</param>
internal sealed record EmbeddingInput(string? Text, ImageContent? Image = null, ReadOnlyMemory<byte> File = default);

/// <summary>A vector, or why there is none.</summary>
internal sealed record Embedded(float[]? Vector, string? Problem);

internal sealed class EmbeddingFailedException(string message) : IOException(message);
