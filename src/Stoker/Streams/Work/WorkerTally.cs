using Stoker.Streams.Stores;

namespace Stoker.Streams.Work;

/// <summary>What a partition's worker has done and what keeps it from going on: counted, and told when it changes. One writer at a time; anybody reads <see cref="Progress"/>.</summary>
/// <param name="oldestOf">When the event at an offset was logged; null: not known.</param>
internal sealed class WorkerTally(int partition, ulong begin, Func<ulong, long?> oldestOf, Action<string> say)
{
    private volatile WorkerProgress _progress = new(begin, 0, 0, 0, null);
    private long _stored;
    private long _duplicates;
    private long _poison;
    private string? _problem;

    public WorkerProgress Progress => _progress;

    /// <param name="poison">Events that never came to the store.</param>
    public void Add(ApplyOutcome.Applied applied, int poison)
    {
        _stored += applied.Stored;
        _duplicates += applied.Duplicates;
        _poison += applied.Poison + poison;
    }

    /// <param name="next">The first event that the store has not had.</param>
    /// <param name="oldest">When it was logged, or somewhat earlier; null: there is none.</param>
    public void Tell(ulong next, long? oldest) => _progress = new WorkerProgress(next, _stored, _duplicates, _poison, oldest)
    {
        Problem = _problem,
    };

    public void Trouble(string problem)
    {
        if (problem != _problem) say($"warning: events of partition {partition} are not stored: {problem}");
        _problem = problem;
        Tell(_progress.Next, _progress.Oldest ?? oldestOf(_progress.Next));
    }

    public void Well()
    {
        if (_problem is not null) say($"events of partition {partition} are stored again");
        _problem = null;
    }
}
