using Stoker.Streams.Stores.Queries;

namespace Stoker.Streams.Stores;

/// <summary>
/// A place for documents. One caller at a time. Tables are made at the first need; a lost connection is made anew by the next call, which waits out
/// the back-off. Everything but <see cref="ApplyAsync"/> throws <see cref="StoreUnavailableException"/> where the store cannot be had.
/// </summary>
internal interface IDocumentStore : IAsyncDisposable
{
    /// <summary>How many documents are best written together where so many wait.</summary>
    int BatchSize { get; }

    /// <summary>Becomes the one that writes from a partition: whoever did so before is refused from now on.</summary>
    /// <param name="start">Where to begin when the store does not know the partition yet.</param>
    Task<StoreClaim> TakeAsync(LogPlace place, StorePosition start, CancellationToken cancellation);

    /// <summary>Documents and position, all or nothing; each item's outcome is in the batch afterwards.</summary>
    Task<ApplyOutcome> ApplyAsync(StoreClaim claim, DocumentBatch batch, CancellationToken cancellation);

    /// <summary>Null: the store does not know the partition.</summary>
    Task<StorePosition?> PositionAsync(LogPlace place, CancellationToken cancellation);

    IAsyncEnumerable<FoundDocument> QueryAsync(DocumentQuery query, CancellationToken cancellation);
}
