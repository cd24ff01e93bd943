namespace Stoker.Gateway.Ledger;

/// <summary>What an engine itself has counted, at one moment.</summary>
/// <param name="At">Ticks of UTC.</param>
/// <param name="Epoch">Counts the engine's beginnings: within one, its counters only grow.</param>
/// <param name="Prompt">Tokens of prompts since its beginning.</param>
/// <param name="Generation">Tokens generated since its beginning.</param>
internal readonly record struct EngineSample(string Replica, long At, long Epoch, long Prompt, long Generation);

/// <summary>
/// Which of an engine's counters are worth keeping: one a minute, and the last before a restart, which is told by a counter that went back. Pure but
/// for what it remembers.
/// </summary>
/// <param name="known">The last that are kept, from an earlier run.</param>
internal sealed class EngineCounters(IEnumerable<EngineSample> known)
{
    private static readonly long Apart = TimeSpan.FromMinutes(1).Ticks;

    private readonly Dictionary<string, (EngineSample Last, long KeptAt)> _replicas = known.ToDictionary(sample => sample.Replica, sample => (sample, sample.At));

    /// <summary>Takes what an engine says and adds to the list what is to be kept.</summary>
    public void Take(string replica, long at, long prompt, long generation, List<EngineSample> keep)
    {
        if (!_replicas.TryGetValue(replica, out var before))
        {
            Keep(new EngineSample(replica, at, 1, prompt, generation), keep);
            return;
        }

        var (last, keptAt) = before;
        if (at <= last.At) return;
        if (prompt < last.Prompt || generation < last.Generation)
        {
            if (last.At != keptAt) keep.Add(last);
            Keep(new EngineSample(replica, at, last.Epoch + 1, prompt, generation), keep);
            return;
        }

        var sample = new EngineSample(replica, at, last.Epoch, prompt, generation);
        if (at - keptAt >= Apart) Keep(sample, keep);
        else _replicas[replica] = (sample, keptAt);
    }

    /// <summary>At the end: what is not kept yet.</summary>
    public void Finish(List<EngineSample> keep)
    {
        foreach (var (last, keptAt) in _replicas.Values.ToList())
        {
            if (last.At != keptAt) Keep(last, keep);
        }
    }

    private void Keep(EngineSample sample, List<EngineSample> keep)
    {
        keep.Add(sample);
        _replicas[sample.Replica] = (sample, sample.At);
    }
}
