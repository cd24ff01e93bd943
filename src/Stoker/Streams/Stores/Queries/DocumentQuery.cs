namespace Stoker.Streams.Stores.Queries;

internal enum QueryOrder
{
    NewestFirst,
    OldestFirst,
}

/// <summary>What is asked; everything that is said has to hold.</summary>
internal sealed record DocumentQuery
{
    public Guid? Key { get; init; }

    /// <summary>The event's own id, whatever its source.</summary>
    public string? Id { get; init; }

    public string? Source { get; init; }

    public string? Type { get; init; }

    public string? Host { get; init; }

    public string? Gpu { get; init; }

    /// <summary>Happened then or later.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Happened before.</summary>
    public DateTimeOffset? Until { get; init; }

    public QueryOrder Order { get; init; } = QueryOrder.NewestFirst;

    public int Limit { get; init; } = 100;

    /// <summary>Those whose vectors are nearest to this one, the nearest first; vectors of another dimension are passed over.</summary>
    public NearestTo? Nearest { get; init; }
}

/// <summary>A vector, and what near means.</summary>
internal sealed record NearestTo(float[] Vector, VectorDistance Distance = VectorDistance.Cosine);

/// <summary>A document as it was written.</summary>
/// <param name="Distance">From the vector that was asked for; null where none was.</param>
internal sealed record FoundDocument(
    Guid Key,
    string Id,
    string Source,
    string Type,
    string? Host,
    string? Gpu,
    DateTimeOffset Time,
    DateTimeOffset Received,
    long Sequence,
    ReadOnlyMemory<byte> Json,
    ReadOnlyMemory<byte> Embedding,
    double? Distance = null)
{
    public int Dimension => Embedding.Length / sizeof(float);
}
