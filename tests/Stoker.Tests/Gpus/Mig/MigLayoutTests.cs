using FsCheck;
using FsCheck.Fluent;
using Stoker.Gpus.Mig;
using Stoker.Planning;
using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus.Mig;

public sealed class MigLayoutTests
{
    private static readonly MigTables A100 = MigTables.For("NVIDIA A100-SXM4-40GB", 40L << 30)!;

    public static TheoryData<string, int, string> Cards => new()
    {
        { "NVIDIA A30", 24, "1g.6gb=4 2g.12gb=2 4g.24gb=1" },
        { "NVIDIA A100-SXM4-40GB", 40, "1g.5gb=7 1g.10gb=4 2g.10gb=3 3g.20gb=2 4g.20gb=1 7g.40gb=1" },
        { "NVIDIA A100-SXM4-80GB", 80, "1g.10gb=7 1g.20gb=4 2g.20gb=3 3g.40gb=2 4g.40gb=1 7g.80gb=1" },
        { "NVIDIA H100 80GB HBM3", 80, "1g.10gb=7 1g.20gb=4 2g.20gb=3 3g.40gb=2 4g.40gb=1 7g.80gb=1" },
        { "NVIDIA H200", 141, "1g.18gb=7 1g.35gb=4 2g.35gb=3 3g.71gb=2 4g.71gb=1 7g.141gb=1" },
        { "NVIDIA B200", 180, "1g.23gb=7 1g.45gb=4 2g.45gb=3 3g.90gb=2 4g.90gb=1 7g.180gb=1" },
        { "NVIDIA RTX PRO 6000 Blackwell Server Edition", 96, "1g.24gb=4 2g.48gb=2 4g.96gb=1" },
    };

    [Theory]
    [MemberData(nameof(Cards))]
    public void Profiles_and_their_counts_are_NVIDIAs(string model, int gigabytes, string profiles) =>
        Assert.Equal(profiles, string.Join(' ', MigTables.For(model, (long)gigabytes << 30)!.Profiles.Select(p => $"{p.Name}={p.Most}")));

    [Theory]
    [InlineData("NVIDIA GeForce RTX 4090")]
    [InlineData("NVIDIA GeForce RTX 5090")]
    [InlineData("NVIDIA GeForce RTX 3060")]
    [InlineData("NVIDIA RTX A6000")]
    [InlineData("NVIDIA L40S")]
    [InlineData("Jetson AGX Orin")]
    public void Cards_without_MIG_have_no_table(string model) => Assert.Null(MigTables.For(model, 24L << 30));

    [Fact]
    public void The_layout_that_NVIDIA_ships_as_balanced_is_found()
    {
        var placed = Place((3, 20), (2, 9), (1, 4), (1, 4))!;
        Assert.Equal(["3g.20gb", "2g.10gb", "1g.5gb", "1g.5gb"], placed.Select(p => p.Profile.Name));
        AssertStand(placed);
    }

    [Fact]
    public void An_instance_that_is_there_is_used_and_the_others_go_around_it()
    {
        MigInstance there = new(2, 9, 4, 4, "MIG-1");
        var placed = MigLayout.Place(A100, [new("small", 4L << 30), new("large", 19L << 30)], [there])!;
        Assert.Equal(("3g.20gb", 4, true), (placed[1].Profile.Name, placed[1].Start, placed[1].IsThere));
        AssertStand(placed);
    }

    [Fact]
    public void What_does_not_go_together_is_told_with_the_sum()
    {
        List<MigAsk> asks = [new("a", 19L << 30), new("b", 19L << 30), new("c", 4L << 30)];
        Assert.Null(MigLayout.Place(A100, asks, []));
        Assert.Equal("a 3g.20gb, b 3g.20gb, c 1g.5gb take 9 of 8 slices of memory", MigLayout.Why(A100, asks));
        Assert.Equal("a needs 60 GiB, and the largest partition has 39.3 GiB", MigLayout.Why(A100, [new("a", 60L << 30)]));
    }

    [Fact]
    public void A_layout_is_found_exactly_where_trying_everything_finds_one_and_the_planner_says_the_same()
    {
        var asks = Gen.Elements(1, 2, 4, 8).NonEmptyListOf();
        Prop.ForAll(asks.ToArbitrary(), slices =>
        {
            if (slices.Count > 8) return true;
            List<MigAsk> wanted = [.. slices.Select((s, i) => new MigAsk($"s{i}", (long)(s * 4.8) << 30))];
            var placed = MigLayout.Place(A100, wanted, []);
            if (placed is not null) AssertStand(placed);
            var exists = Exists([.. slices], 0, new bool[8], 0, []);
            return (placed is not null) == exists && MigCards.For("A100")!.Fit([.. slices]) == exists;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
    }

    [Fact]
    public void Who_holds_a_place_keeps_it_where_the_newcomer_fits_beside()
    {
        MigInstance[] there = [new(1, 19, 6, 1, "MIG-1"), new(2, 19, 5, 1, "MIG-2")];
        var held = new Dictionary<(uint, int), string> { [(19, 6)] = "b", [(19, 5)] = "c" };
        var placed = MigLayout.Place(A100, [new("a", 19L << 30), new("b", 4L << 30), new("c", 4L << 30)], there, held)!;
        Assert.Equal([("3g.20gb", 0), ("1g.5gb", 6), ("1g.5gb", 5)], placed.Select(p => (p.Profile.Name, p.Start)));
    }

    [Fact]
    public void No_layout_takes_less_memory_and_none_of_as_little_moves_fewer_owners()
    {
        var asks = Gen.Elements(1, 2, 4, 8).NonEmptyListOf().Where(a => a.Count <= 3);
        var before = Gen.Choose(0, int.MaxValue - 1);
        Prop.ForAll(asks.ToArbitrary(), before.ToArbitrary(), (slices, seed) =>
        {
            List<MigAsk> wanted = [.. slices.Select((s, i) => new MigAsk($"s{i}", (long)(s * 4.8) << 30))];
            var held = new Dictionary<(uint, int), string>();
            var random = new Random(seed);
            foreach (var ask in wanted.Where(_ => random.Next(2) == 0))
            {
                var profile = A100.Profiles[random.Next(A100.Profiles.Count)];
                held[(profile.Id, profile.Starts[random.Next(profile.Starts.Count)])] = ask.Owner;
            }

            var best = Best(wanted, held, 0, []);
            return MigLayout.Place(A100, wanted, [], held) is { } placed ? CostOf(placed, held) == best : best is null;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));
    }

    private static (int Memory, int Moves) CostOf(IReadOnlyList<MigPlacement> placed, Dictionary<(uint, int), string> held) =>
        (placed.Sum(p => p.Profile.Size), placed.Count(p => held.ContainsValue(p.Owner) && held.GetValueOrDefault((p.Profile.Id, p.Start)) != p.Owner));

    /// <summary>By trying everything.</summary>
    private static (int Memory, int Moves)? Best(List<MigAsk> asks, Dictionary<(uint, int), string> held, int at, List<MigPlacement> placed)
    {
        if (at == asks.Count) return CostOf(placed, held);
        (int, int)? best = null;
        foreach (var profile in A100.Profiles.Where(p => p.Memory >= asks[at].Memory))
        {
            if (placed.Sum(p => p.Profile.Slices) + profile.Slices > 7 || placed.Count(p => p.Profile.Id == profile.Id) == profile.Most) continue;
            foreach (var start in profile.Starts.Where(s => !placed.Exists(p => p.Start < s + profile.Size && s < p.Start + p.Profile.Size)))
            {
                var found = Best(asks, held, at + 1, [.. placed, new MigPlacement(asks[at].Owner, profile, start, false)]);
                if (found is { } cost && (best is not { } known || cost.CompareTo(known) < 0)) best = found;
            }
        }

        return best;
    }

    /// <summary>Every profile of a size at every start, one after the other.</summary>
    private static bool Exists(int[] slices, int at, bool[] taken, int compute, List<uint> used)
    {
        if (at == slices.Length) return true;
        foreach (var profile in A100.Profiles.Where(p => p.Size == slices[at]))
        {
            if (compute + profile.Slices > 7 || used.Count(u => u == profile.Id) == profile.Most) continue;
            foreach (var start in profile.Starts)
            {
                if (Enumerable.Range(start, profile.Size).Any(i => taken[i])) continue;
                for (var i = start; i < start + profile.Size; i++) taken[i] = true;
                used.Add(profile.Id);
                if (Exists(slices, at + 1, taken, compute + profile.Slices, used)) return true;
                used.RemoveAt(used.Count - 1);
                for (var i = start; i < start + profile.Size; i++) taken[i] = false;
            }
        }

        return false;
    }

    private static IReadOnlyList<MigPlacement>? Place(params (int Slices, int GiB)[] asks) =>
        MigLayout.Place(A100, [.. asks.Select((a, i) => new MigAsk($"s{i}", (long)((a.GiB - 0.6) * (1L << 30))))], []);

    private static void AssertStand(IReadOnlyList<MigPlacement> placed)
    {
        var taken = new HashSet<int>();
        foreach (var p in placed)
        {
            Assert.Contains(p.Start, p.Profile.Starts);
            for (var i = p.Start; i < p.Start + p.Profile.Size; i++) Assert.True(taken.Add(i), $"slice {i} is taken twice");
        }

        Assert.True(placed.Sum(p => p.Profile.Slices) <= 7);
        Assert.All(placed.GroupBy(p => p.Profile), g => Assert.True(g.Count() <= g.Key.Most));
    }
}
