using Stoker.Estates;
using Stoker.Gpus;
using Stoker.Gpus.Mig;
using Stoker.Planning;
using Stoker.Platform.Gpus;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Gpus;

public sealed class GpuLayoutTests
{
    private static readonly EstateSpec Estate = new EstateBuilder().Service("a").Service("b").Build();

    private static readonly IReadOnlyList<MigProfile> Profiles = MigTables.For("NVIDIA A100-SXM4-40GB", 40L << 30)!.Profiles;

    [Fact]
    public void By_MPS_each_gets_threads_as_it_gets_memory_and_nobody_less_than_a_tenth()
    {
        var layout = Of("RTX 4090", 24, "mps", null, ("a", 12), ("b", 1));
        Assert.Equal([("a", 50), ("b", 10)], layout.Entries.Select(e => (e.Owner, e.ThreadPercent!.Value)));
        Assert.Equal(11L << 30, layout.Left);
        Assert.Empty(layout.Steps);
    }

    [Fact]
    public void A_card_without_partitions_gets_them_largest_first_and_whoever_is_on_it_stops()
    {
        var layout = Of("A100", 40, "mig", new MigState(false, Profiles, []), ("a", 19), ("b", 4));
        Assert.Equal(["turn MIG on, which resets the card where it is older than Hopper", "make 3g.20gb at slice 4 for a", "make 1g.5gb at slice 3 for b"], layout.Steps);
        Assert.Equal(["old"], layout.Stops);
        Assert.Equal(17, layout.Seconds);
    }

    [Fact]
    public void Partitions_that_are_there_are_kept_and_only_what_stands_in_the_way_is_ended()
    {
        var kept = Of("A100", 40, "mig", new MigState(true, Profiles, [new MigInstance(2, 9, 4, 4, "MIG-2")]), ("a", 19));
        Assert.Equal((true, 4, 0), (kept.Entries[0].IsThere, kept.Entries[0].Start, kept.Steps.Count));
        Assert.Empty(kept.Stops);

        var grown = Of("A100", 40, "mig", new MigState(true, Profiles, [new MigInstance(1, 19, 0, 1, "MIG-1"), new MigInstance(2, 19, 6, 1, "MIG-2")]), ("a", 19));
        Assert.Equal(["end partition 2 (1g.5gb, slices 6 to 6)", "make 3g.20gb at slice 4 for a"], grown.Steps);
        Assert.Equal(["old"], grown.Stops);
    }

    [Fact]
    public void By_the_note_of_the_daemon_who_holds_a_place_keeps_it_and_who_moves_stops()
    {
        MigInstance[] there = [new(1, 19, 6, 1, "MIG-1"), new(2, 19, 5, 1, "MIG-2")];
        var note = new MigRecord("boot", false, [new("a", "1g.5gb", 19, 6, 1, "MIG-1"), new("b", "1g.5gb", 19, 5, 2, "MIG-2")], new MigShape(true, there), null);
        var layout = GpuLayout.Of(Plan("A100", 40, "mig", true, ("a", 19), ("b", 4)), Estate, new MigState(true, Profiles, there), ["a", "b"], _ => [], note);
        Assert.Equal([("3g.20gb", 0), ("1g.5gb", 5)], layout.Entries.Select(e => (e.Profile!, e.Start!.Value)));
        Assert.Equal(["a"], layout.Stops);
    }

    [Fact]
    public void Who_was_given_what_must_be_ended_stops_though_the_driver_has_not_seen_him_there_yet()
    {
        MigInstance[] there = [new(1, 19, 4, 1, "MIG-1"), new(2, 19, 3, 1, "MIG-2")];
        // The one that must go was given to somebody who does not ask for a partition any more, but runs.
        var note = new MigRecord("boot", false, [new("old", "1g.5gb", 19, 4, 1, "MIG-1"), new("b", "1g.5gb", 19, 3, 2, "MIG-2")], new MigShape(true, there), null);
        var layout = GpuLayout.Of(Plan("A100", 40, "mig", true, ("a", 19), ("b", 4)), Estate, new MigState(true, Profiles, there), ["b", "old"], _ => [], note);
        Assert.Equal(["end partition 1 (1g.5gb, slices 4 to 4)", "make 3g.20gb at slice 4 for a"], layout.Steps);
        Assert.Equal(["old"], layout.Stops);
    }

    [Fact]
    public void A_GeForce_card_is_refused_with_the_alternative()
    {
        Assert.Equal("the card cannot be partitioned; it can be shared by MPS", Of("NVIDIA GeForce RTX 4090", 24, "mig", null, ("a", 4)).Problem);
        Assert.Equal("a 3g.20gb, b 3g.20gb, c 1g.5gb take 9 of 8 slices of memory", Of("A100", 40, "mig", null, ("a", 19), ("b", 19), ("c", 4)).Problem);
    }

    private static GpuLayout Of(string model, int gib, string share, MigState? mig, params (string Owner, int GiB)[] holders) =>
        GpuLayout.Of(Plan(model, gib, share, mig is not null, holders), Estate, mig, mig is null ? [] : ["old"]);

    private static GpuPlan Plan(string model, int gib, string share, bool isPresent, params (string Owner, int GiB)[] holders) =>
        new(null, 0, model, $"GPU 0 ({model})", EstateBuilder.GiB(gib), isPresent, share, [.. holders.Select(h => new GpuHolderPlan(h.Owner, EstateBuilder.GiB(h.GiB)))]);
}
