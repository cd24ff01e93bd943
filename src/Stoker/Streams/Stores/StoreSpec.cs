namespace Stoker.Streams.Stores;

/// <summary>What is kept under one key.</summary>
internal enum StoreMode
{
    /// <summary>The first that came; events do not change.</summary>
    Facts,

    /// <summary>The one with the highest sequence; a replay of older ones changes nothing.</summary>
    Latest,
}

/// <summary>Where and how a stream's documents are kept.</summary>
/// <param name="Collection">The table or collection: lower-case letters, digits, <c>-</c> and <c>_</c>, a letter first, 48 at most.</param>
/// <param name="Password">Asked at every new connection, so that it may change; null: none is needed.</param>
internal sealed record StoreSpec(StoreAddress Address, string Collection, StoreMode Mode = StoreMode.Facts, Func<string?>? Password = null)
{
    /// <summary>Of facts: one that is there and was made of the same event, which its sequence tells, is written over. For a replay with other mappings.</summary>
    public bool Replaces { get; init; }

    /// <summary>How long the store may take to answer, before the connection is given up.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Why a collection cannot be named so; null: it can.</summary>
    public static string? ProblemOf(string collection)
    {
        const string rule = "a store's collection is lower-case letters, digits, `-` and `_`, with a letter first, 48 at most";
        var isOne = collection.Length is > 0 and <= 48 && char.IsAsciiLetterLower(collection[0])
            && collection.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '-' or '_')
            && !collection.StartsWith("stoker_", StringComparison.Ordinal) && !collection.StartsWith("sqlite_", StringComparison.Ordinal);
        return isOne ? null : $"`{collection}`: {rule}, and does not begin with `stoker_` or `sqlite_`";
    }
}
