namespace Stoker.Streams.Events;

/// <summary>What is asked of vectors.</summary>
internal sealed record VectorSpec
{
    /// <summary>How many numbers each has; null: any number of them.</summary>
    public int? Dimension { get; init; }

    /// <summary>The most numbers that any may have.</summary>
    public int MaxDimension { get; init; } = 65_536;
}
