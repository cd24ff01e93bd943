using Stoker.Streams.Stores;
using Stoker.Streams.Stores.Queries;
using Xunit;

namespace Stoker.Tests.Streams.Stores;

/// <summary>A store in the hands of a worker, as short as a test wants it.</summary>
internal sealed class Worker : IAsyncDisposable
{
    public static readonly LogPlace Place = new("0123456789abcdef0123456789abcdef", 3);

    private static readonly StorePosition Begin = new(0, 11);

    private Worker(IDocumentStore store, StoreClaim claim, LogPlace place)
    {
        (Store, Claim) = (store, claim);
        Batch = new DocumentBatch((poison, cancellation) =>
        {
            DeadLetters.AddRange(poison);
            return OnPoison?.Invoke() ?? Task.CompletedTask;
        });
        At = place;
    }

    public IDocumentStore Store { get; }

    public StoreClaim Claim { get; set; }

    public LogPlace At { get; }

    public DocumentBatch Batch { get; }

    public List<PoisonDocument> DeadLetters { get; } = [];

    public Func<Task>? OnPoison { get; set; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<Worker> StartAsync(StoreBed bed, StoreMode mode = StoreMode.Facts, LogPlace? place = null, string collection = "gpu-metadata")
    {
        var store = bed.Open(mode, collection);
        return new Worker(store, await store.TakeAsync(place ?? Place, Begin, Cancellation), place ?? Place);
    }

    public static ulong HashAt(long next) => (ulong)next * 0x9E3779B97F4A7C15 ^ 11;

    public Task<ApplyOutcome> ApplyAsync(long? from, params StoredDocument[] documents)
    {
        Batch.Begin(from);
        foreach (var document in documents) Batch.Add(document);
        if (from is { } first) Batch.End(new StorePosition(first + documents.Length, HashAt(first + documents.Length)));
        return Store.ApplyAsync(Claim, Batch, Cancellation);
    }

    public async Task<ApplyOutcome.Applied> AppliedAsync(long? from, params StoredDocument[] documents) =>
        Assert.IsType<ApplyOutcome.Applied>(await ApplyAsync(from, documents));

    public Task<StorePosition?> PositionAsync() => Store.PositionAsync(At, Cancellation);

    public async Task<List<FoundDocument>> FindAsync(DocumentQuery? query = null)
    {
        var found = new List<FoundDocument>();
        await foreach (var document in Store.QueryAsync(query ?? new DocumentQuery { Limit = int.MaxValue, Order = QueryOrder.OldestFirst }, Cancellation)) found.Add(document);
        return found;
    }

    public async Task<IEnumerable<string>> IdsAsync(DocumentQuery? query = null) => (await FindAsync(query)).Select(document => document.Id);

    public Task<StateDigest> DigestAsync() => StateDigest.OfAsync(Store, Cancellation);

    public ValueTask DisposeAsync() => Store.DisposeAsync();
}
