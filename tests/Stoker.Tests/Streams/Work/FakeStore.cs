using System.Text;
using Stoker.Streams.Stores;
using Stoker.Streams.Stores.Queries;

namespace Stoker.Tests.Streams.Work;

/// <summary>A store in memory that does what the test says: before a batch is applied, and after.</summary>
internal sealed class FakeStore : IDocumentStore
{
    private readonly Lock _access = new();
    private readonly List<(string Id, long Sequence)> _documents = [];
    private StorePosition? _position;
    private long _epoch;
    private int _takes;
    private int _applies;

    public int BatchSize => 2000;

    /// <summary>Instead of applying; null: it is applied.</summary>
    public Func<int, ApplyOutcome?>? Before { get; set; }

    /// <summary>Although it was applied.</summary>
    public Func<int, ApplyOutcome?>? After { get; set; }

    public Func<int, Exception?>? OnTake { get; set; }

    public Func<string, bool> IsPoison { get; set; } = _ => false;

    public int Takes => Volatile.Read(ref _takes);

    public int Applies => Volatile.Read(ref _applies);

    public int MostDocuments { get; private set; }

    public StorePosition? Position
    {
        get
        {
            lock (_access) return _position;
        }

        set
        {
            lock (_access) _position = value;
        }
    }

    public IReadOnlyList<string> Ids
    {
        get
        {
            lock (_access) return [.. _documents.Select(document => document.Id)];
        }
    }

    /// <summary>Somebody else takes the partition.</summary>
    public void Fence()
    {
        lock (_access) _epoch++;
    }

    public Task<StoreClaim> TakeAsync(LogPlace place, StorePosition start, CancellationToken cancellation)
    {
        var take = Interlocked.Increment(ref _takes);
        if (OnTake?.Invoke(take) is { } refused) return Task.FromException<StoreClaim>(refused);
        lock (_access)
        {
            _position ??= start;
            return Task.FromResult(new StoreClaim(place, ++_epoch, _position.Value));
        }
    }

    public async Task<ApplyOutcome> ApplyAsync(StoreClaim claim, DocumentBatch batch, CancellationToken cancellation)
    {
        var call = Interlocked.Increment(ref _applies);
        if (Before?.Invoke(call) is { } instead) return instead;
        lock (_access)
        {
            if (claim.Epoch != _epoch) return new ApplyOutcome.Fenced(_epoch);
            if (batch.From is { } from && from != _position!.Value.Next) return new ApplyOutcome.Elsewhere(_position.Value);
            MostDocuments = Math.Max(MostDocuments, batch.Documents.Length);
            batch.Prepare(StoreMode.Facts);
            var known = _documents.Select(document => document.Id).ToHashSet();
            foreach (var item in batch.Distinct)
            {
                var id = Encoding.UTF8.GetString(batch.Documents[item].Id.Span);
                if (IsPoison(id)) batch.MarkPoison(item, "not this one");
                else if (!known.Add(id)) batch.MarkDuplicate(item);
                else _documents.Add((id, batch.Documents[item].Sequence));
            }
        }

        await batch.HandOverPoisonAsync(cancellation);
        lock (_access)
        {
            if (batch.From is not null) _position = batch.Next;
        }

        return After?.Invoke(call) ?? batch.Applied();
    }

    public Task<StorePosition?> PositionAsync(LogPlace place, CancellationToken cancellation) => Task.FromResult(Position);

    public IAsyncEnumerable<FoundDocument> QueryAsync(DocumentQuery query, CancellationToken cancellation) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
