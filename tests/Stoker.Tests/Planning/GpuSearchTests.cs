using FsCheck;
using FsCheck.Fluent;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Planning;
using Xunit;

namespace Stoker.Tests.Planning;

/// <summary>What is given to whom, beside every other way that there is.</summary>
public sealed class GpuSearchTests
{
    [Fact]
    public void What_the_first_fit_refuses_is_placed_where_there_is_a_way()
    {
        // Largest first puts 12 beside 10 and has no place for the 4 in the end; 12+8+4 and 10+8+6 have one for all.
        var (answers, _) = Pack([24, 24], [12, 10, 8, 8, 6, 4]);
        Assert.All(answers, a => Assert.IsType<GpuAnswer.Given>(a));
    }

    [Fact]
    public void What_cannot_fit_is_refused_with_the_reason_beside_what_has_its_place()
    {
        var (answers, slots) = Pack([24], [20, 10]);
        var refused = Assert.Single(answers.OfType<GpuAnswer.Refused>());
        Assert.Equal("s1 needs 10 GiB on one GPU, GPU 0 (RTX, 24 GiB) has 4 GiB left after s0 20 GiB", $"{refused.Ask.Owner} {refused.Reason}");
        Assert.Single(slots[0].Holders);
    }

    [Fact]
    public void Never_worse_than_the_best_of_all_ways()
    {
        var cases = Gen.Choose(1, 3).SelectMany(cards => Gen.Elements(8, 12, 24).ListOf(cards).SelectMany(sizes => Gen.Choose(1, 14).ListOf(6).Select(asks => (Cards: sizes.ToArray(), Asks: asks.ToArray()))));
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var (answers, slots) = Pack(c.Cards, c.Asks);
            var given = answers.Count(a => a is GpuAnswer.Given);
            return given == Best([.. c.Cards], c.Asks, 0) && slots.All(s => s.Used <= s.Card.Memory!.Value.Bytes);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));
    }

    [Fact]
    public void A_search_that_could_go_on_without_end_ends_with_no_less_than_the_first_fit()
    {
        var random = new Random(7);
        int[] cards = [.. Enumerable.Repeat(80, 8)];
        // Tight, and some more than there is: the search runs until its last step.
        int[] asks = [.. Enumerable.Range(0, 60).Select(_ => random.Next(4, 19))];
        var (answers, slots) = Pack(cards, asks);
        Assert.All(slots, s => Assert.True(s.Used <= s.Card.Memory!.Value.Bytes));
        Assert.True(answers.Count(a => a is GpuAnswer.Given) >= FirstFit(cards, asks));
    }

    private static int FirstFit(int[] cards, int[] asks)
    {
        var left = cards.ToArray();
        var given = 0;
        foreach (var ask in asks.OrderDescending())
        {
            var card = Array.FindIndex(left, l => l >= ask);
            if (card < 0) continue;
            left[card] -= ask;
            given++;
        }

        return given;
    }

    private static int Best(List<int> left, int[] asks, int at)
    {
        if (at == asks.Length) return 0;
        var best = Best(left, asks, at + 1);
        for (var card = 0; card < left.Count; card++)
        {
            if (left[card] < asks[at]) continue;
            left[card] -= asks[at];
            best = Math.Max(best, 1 + Best(left, asks, at + 1));
            left[card] += asks[at];
        }

        return best;
    }

    private static (IReadOnlyList<GpuAnswer> Answers, IReadOnlyList<GpuSlot> Slots) Pack(int[] cards, int[] asks) => GpuPacking.Pack(
        "this machine",
        cards.Select((gib, i) => new GpuCard(null, i, "RTX", new ByteSize((long)gib << 30), null, null)),
        asks.Select((gib, i) => new GpuAsk($"s{i}", 1, [], new ByteSize((long)gib << 30), "mps", new SourcePosition("stoker.yaml", 1, 1))));
}
