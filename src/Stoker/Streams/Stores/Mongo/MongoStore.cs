using Stoker.Streams.Stores.Queries;
namespace Stoker.Streams.Stores.Mongo;
internal sealed class MongoStore(StoreSpec spec, TimeProvider time) : IDocumentStore
{
    public Task<StoreClaim> TakeAsync(LogPlace place, StorePosition start, CancellationToken cancellation) => throw new NotSupportedException($"{spec} {time}");
    public Task<ApplyOutcome> ApplyAsync(StoreClaim claim, DocumentBatch batch, CancellationToken cancellation) => throw new NotSupportedException();
    public Task<StorePosition?> PositionAsync(LogPlace place, CancellationToken cancellation) => throw new NotSupportedException();
    public IAsyncEnumerable<FoundDocument> QueryAsync(DocumentQuery query, CancellationToken cancellation) => throw new NotSupportedException();
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
