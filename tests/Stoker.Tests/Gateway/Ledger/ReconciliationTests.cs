using FsCheck;
using FsCheck.Fluent;
using Stoker.Gateway.Ledger;
using Stoker.Tests.Logs;
using Xunit;

namespace Stoker.Tests.Gateway.Ledger;

public sealed class ReconciliationTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private readonly Scratch _scratch = new();
    private readonly ManualTime _time = new(Noon);

    public void Dispose() => _scratch.Dispose();

    private LedgerWriter Writer() => new(_scratch.At("ledger.db"), TimeSpan.FromDays(30), _time, line => Assert.Fail(line));

    private IReadOnlyList<ReplicaReconciliation> Reconcile(DateTimeOffset? since = null)
    {
        using var reader = LedgerReader.OpenIfPresent(_scratch.At("ledger.db"))!;
        return reader.Reconcile(since);
    }

    [Fact]
    public void A_ledger_that_has_all_that_the_engine_counted_has_no_gap()
    {
        using (var writer = Writer())
        {
            writer.RecordEngineCounters("phi.1", 1000, 500, Noon.UtcTicks);
            writer.Add(Rows.Row(Noon.AddSeconds(10), prompt: 40, completion: 20));
            writer.Add(Rows.Row(Noon.AddSeconds(20), prompt: 60, completion: 30, wasted: 30, outcome: RequestOutcome.Abandoned));
            // Before the first sample, after the last, and another's.
            writer.Add(Rows.Row(Noon.AddSeconds(-10), prompt: 1, completion: 1));
            writer.Add(Rows.Row(Noon.AddSeconds(110), prompt: 1, completion: 1, duration: 20_000));
            writer.Add(Rows.Row(Noon.AddSeconds(10), replica: "phi.2", prompt: 1, completion: 1));
            writer.RecordEngineCounters("phi.1", 1100, 550, Noon.AddSeconds(120).UtcTicks);
        }

        var replica = Assert.Single(Reconcile());
        Assert.Equal((100L, 50L, 100L, 50L, 0L, 0.0), (replica.Engine.Prompt, replica.Engine.Generation, replica.Ledger.Prompt, replica.Ledger.Completion, replica.Gap, replica.GapPercent));
    }

    [Fact]
    public void Tokens_that_passed_by_the_gateway_are_the_gap()
    {
        using (var writer = Writer())
        {
            writer.RecordEngineCounters("phi.1", 0, 0, Noon.UtcTicks);
            writer.Add(Rows.Row(Noon.AddSeconds(10), prompt: 60, completion: 30));
            writer.RecordEngineCounters("phi.1", 80, 40, Noon.AddMinutes(1).UtcTicks);
        }

        var replica = Assert.Single(Reconcile());
        Assert.Equal((30L, 25.0), (replica.Gap, replica.GapPercent));
    }

    [Fact]
    public void An_engine_that_began_anew_is_counted_from_nothing_and_its_last_words_are_kept()
    {
        using (var writer = Writer())
        {
            writer.RecordEngineCounters("phi.1", 100, 100, Noon.UtcTicks);
            writer.RecordEngineCounters("phi.1", 150, 130, Noon.AddSeconds(20).UtcTicks);
            writer.RecordEngineCounters("phi.1", 5, 3, Noon.AddSeconds(40).UtcTicks);
            writer.Flush();
        }

        using (var writer = Writer()) writer.RecordEngineCounters("phi.1", 2, 1, Noon.AddSeconds(200).UtcTicks);

        var engine = Assert.Single(Reconcile()).Engine;
        Assert.Equal((57L, 34L, 2L), (engine.Prompt, engine.Generation, engine.Restarts));
        Assert.Equal(7, Assert.Single(Reconcile(Noon.AddSeconds(30))).Engine.Prompt);
        Assert.Empty(Reconcile(Noon.AddSeconds(300)));
    }

    [Fact]
    public void Whatever_is_thinned_out_the_growth_is_what_all_samples_say() =>
        Prop.ForAll(
            (from count in Gen.Choose(2, 60)
             from steps in (from after in Gen.Choose(1, 90) from prompt in Gen.Choose(0, 50) from generation in Gen.Choose(1, 50) from restart in Gen.Choose(0, 9) select (after, prompt, generation, restart == 0)).ArrayOf(count)
             select steps).ToArbitrary(),
            steps =>
            {
                var counters = new EngineCounters([]);
                var (kept, all) = (new List<EngineSample>(), new List<EngineSample>());
                var at = Noon.UtcTicks;
                var (prompt, generation, epoch) = (0L, 0L, 1L);
                foreach (var (after, morePrompt, moreGeneration, restarts) in steps)
                {
                    at += after * TimeSpan.TicksPerSecond;
                    // A restart that nobody can see, because it has already counted more than before, is none.
                    if (restarts && moreGeneration < generation)
                    {
                        (prompt, generation, epoch) = (0, 0, epoch + 1);
                    }

                    (prompt, generation) = (prompt + morePrompt, generation + moreGeneration);
                    counters.Take("r", at, prompt, generation, kept);
                    all.Add(new EngineSample("r", at, epoch, prompt, generation));
                }

                counters.Finish(kept);
                Assert.Equal(EngineGrowth.Of(all, null), EngineGrowth.Of(kept, null));
                Assert.True(kept.Count <= all.Count);
            }).QuickCheckThrowOnFailure();
}
