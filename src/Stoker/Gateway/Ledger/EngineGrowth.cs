namespace Stoker.Gateway.Ledger;

/// <summary>What an engine counted between two moments, over its restarts.</summary>
/// <param name="From">The last sample at or before what was asked for, else the first; ticks of UTC.</param>
/// <param name="To">The last sample.</param>
/// <param name="Restarts">Of the engine, meanwhile; what it counted between its last sample and a restart is not known.</param>
internal sealed record EngineGrowth(string Replica, long From, long To, long Prompt, long Generation, long Restarts)
{
    /// <summary>Pure. Null: fewer than two samples, so nothing has grown that is known.</summary>
    /// <param name="samples">Of one replica, in the order of time.</param>
    public static EngineGrowth? Of(IReadOnlyList<EngineSample> samples, long? since)
    {
        var begin = 0;
        for (var i = 0; i < samples.Count && since is { } moment && samples[i].At <= moment; i++) begin = i;
        if (samples.Count - begin < 2) return null;
        long prompt = 0, generation = 0, restarts = 0;
        for (var i = begin + 1; i < samples.Count; i++)
        {
            var (before, now) = (samples[i - 1], samples[i]);
            if (now.Epoch == before.Epoch)
            {
                prompt += now.Prompt - before.Prompt;
                generation += now.Generation - before.Generation;
            }
            else
            {
                // It began at nothing, so all that it says has been counted since.
                prompt += now.Prompt;
                generation += now.Generation;
                restarts += now.Epoch - before.Epoch;
            }
        }

        return new EngineGrowth(samples[begin].Replica, samples[begin].At, samples[^1].At, prompt, generation, restarts);
    }
}

/// <summary>One replica's ledger beside its engine's own counters.</summary>
/// <param name="Ledger">Requests that ended between the first and the last sample.</param>
internal sealed record ReplicaReconciliation(EngineGrowth Engine, UsageSums Ledger)
{
    /// <summary>Tokens that the engine counted and the ledger has not: bypassed, leaked, or under way. Negative: the ledger has more.</summary>
    public long Gap => Engine.Prompt + Engine.Generation - Ledger.Tokens;

    /// <summary>Of what the engine counted; null where it counted nothing.</summary>
    public double? GapPercent => Engine.Prompt + Engine.Generation == 0 ? null : 100.0 * Gap / (Engine.Prompt + Engine.Generation);
}
