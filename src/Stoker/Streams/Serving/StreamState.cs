using System.Text;
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
    /// <param name="say">Lines for the stream's log.</param>
    public StreamState(StreamPlan plan, IEventLog log, string storeName, DeadLetterStore deadLetters, IReadOnlyList<PartitionWorker> workers, Action<string> say)
    {
        (Plan, Log, StoreName, DeadLetters, Workers, _say) = (plan, log, storeName, deadLetters, workers, say);
        Receipts = new ReceiptBook(log, workers, deadLetters);
        Path = Encoding.ASCII.GetBytes(plan.Path);
        Ingest = IngestOf(plan);
        Types = new EventTypes(Ingest);
    }

    public StreamPlan Plan { get; }

    public IEventLog Log { get; }

    public string StoreName { get; }

    public DeadLetterStore DeadLetters { get; }

    public IReadOnlyList<PartitionWorker> Workers { get; }

    public ReceiptBook Receipts { get; }

    public byte[] Path { get; }

    public IngestSpec Ingest { get; }

    public EventTypes Types { get; }

    public StreamMetrics Metrics { get; } = new();

    /// <summary>Workers first: what they write last belongs to the others.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var worker in Workers) await worker.DisposeAsync();
        Log.Dispose();
        DeadLetters.Dispose();
    }

    /// <summary>What the stream takes.</summary>
    public static IngestSpec IngestOf(StreamPlan plan) => new() { Embedding = new VectorSpec { Dimension = plan.Dimension }, MaxEvent = plan.MaxEvent, MaxBatch = plan.MaxBatch };

    public void Report(Exception bug)
    {
        Metrics.Bug();
        _say($"error: a request ended with a bug of Stoker's: {bug}");
    }
}
