namespace Stoker.Streams.Stores;

/// <summary>What became of a batch.</summary>
internal abstract record ApplyOutcome
{
    private ApplyOutcome()
    {
    }

    /// <summary>It is durable. What each item became is told by the batch.</summary>
    internal sealed record Applied(int Stored, int Duplicates, int Poison) : ApplyOutcome;

    /// <summary>Somebody else has taken the partition; nothing happened.</summary>
    internal sealed record Fenced(long Epoch) : ApplyOutcome;

    /// <summary>The store is not where the batch begins; nothing happened. After an ambiguous outcome: it had happened.</summary>
    internal sealed record Elsewhere(StorePosition Position) : ApplyOutcome;

    /// <summary>The store cannot be had or refuses everything; nothing happened, and the same batch is to be tried again.</summary>
    internal sealed record Outage(string Reason) : ApplyOutcome;

    /// <summary>It broke off where it may or may not have happened.</summary>
    internal sealed record Ambiguous(string Reason) : ApplyOutcome;
}

/// <summary>What became of one document of a batch that was applied.</summary>
internal enum ItemOutcome
{
    Stored,

    /// <summary>It, or a later state of it, was there already, also within the batch.</summary>
    Duplicate,

    /// <summary>The store takes others but not this one.</summary>
    Poison,
}

/// <summary>A document that the store will never take.</summary>
/// <param name="Item">Its place in the batch.</param>
internal sealed record PoisonDocument(int Item, string Reason);

/// <summary>A store that cannot be reached, or refuses to work; the message tells which and why, without secrets.</summary>
internal sealed class StoreUnavailableException(string message, Exception? cause = null) : IOException(message, cause);
