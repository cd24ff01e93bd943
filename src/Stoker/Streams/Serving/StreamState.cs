using System.Text;
using Stoker.Streams.Archive;
using Stoker.Streams.Events;
using Stoker.Streams.Ingest;
using Stoker.Streams.Log;
using Stoker.Streams.Work;

namespace Stoker.Streams.Serving;

/// <summary>What all loops of a stream share. Nothing here changes but what counts itself.</summary>
internal sealed class StreamState : IAsyncDisposable
{
    private readonly Action<string> _say;

    /// <param name="storeName">As it may be shown.</param>
    /// <param name="workers">One for each partition.</param>
    /// <param name="keys">Null: it asks for none.</param>
    /// <param name="say">Lines for the stream's log.</param>
    /// <param name="archive">Null: none is declared.</param>
    public StreamState(
        StreamPlan plan, IEventLog log, string storeName, DeadLetterStore deadLetters, IReadOnlyList<PartitionWorker> workers, ProducerKeys? keys, Action<string> say,
        StreamArchive? archive = null)
    {
        (Plan, Log, StoreName, DeadLetters, Workers, Keys, Archive, _say) = (plan, log, storeName, deadLetters, workers, keys, archive, say);
        Receipts = new ReceiptBook(log, workers, deadLetters, archive is null ? null : archive.Find);
        Path = Encoding.ASCII.GetBytes(plan.Path);
        Ingest = IngestOf(plan);
        Types = new EventTypes(Ingest);
    }

    public StreamPlan Plan { get; }

    public IEventLog Log { get; }

    public string StoreName { get; }

    public DeadLetterStore DeadLetters { get; }

    public IReadOnlyList<PartitionWorker> Workers { get; }

    /// <summary>Null: it asks for none.</summary>
    public ProducerKeys? Keys { get; }

    /// <summary>Null: none is declared.</summary>
    public StreamArchive? Archive { get; }

    public ReceiptBook Receipts { get; }

    public byte[] Path { get; }

    public IngestSpec Ingest { get; }

    public EventTypes Types { get; }

    public StreamMetrics Metrics { get; } = new();

    /// <summary>Workers first: what they write last belongs to the others.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var worker in Workers) await worker.DisposeAsync();
        Archive?.Dispose();
        Log.Dispose();
        DeadLetters.Dispose();
        Keys?.Dispose();
    }

    /// <summary>What the stream takes.</summary>
    public static IngestSpec IngestOf(StreamPlan plan) => new()
    {
        Embedding = new VectorSpec { Dimension = plan.Dimension },
        Types = [new EventTypeSpec(EventsModule.Check, null), .. plan.Types.Select(type => type.ToSpec())],
        OnlyDeclaredTypes = plan.OnlyDeclaredTypes,
        MaxEvent = plan.MaxEvent,
        MaxBatch = plan.MaxBatch,
    };

    public void Report(Exception bug)
    {
        Metrics.Bug();
        _say($"error: a request ended with a bug of Stoker's: {bug}");
    }
}
