using FsCheck;
using FsCheck.Fluent;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Planning;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Planning;

/// <summary>What holds for every estate, tried on random ones.</summary>
public sealed class PlannerProperties
{
    /// <param name="Edges">Pairs of services; the first waits for the second.</param>
    /// <param name="GroupOf">Group of each service, or -1.</param>
    /// <param name="GroupEdges">Pairs of groups.</param>
    /// <param name="HostOf">0 or 1 for each service.</param>
    public sealed record Wiring((int From, int To)[] Edges, int[] GroupOf, (int From, int To)[] GroupEdges, int[] HostOf);

    private static Gen<Wiring> Wirings(bool acyclic) =>
        from size in Gen.Choose(1, 14)
        from edges in Pairs(size, acyclic, 2 * size)
        from groupOf in Gen.Choose(-1, 2).ArrayOf(size)
        from groupEdges in acyclic ? Gen.Constant(Array.Empty<(int, int)>()) : Pairs(3, false, 2)
        from hostOf in Gen.Choose(0, 1).ArrayOf(size)
        select new Wiring(edges, groupOf, groupEdges, hostOf);

    /// <summary>Groups that depend on earlier ones, with services that depend only on earlier services of no later group, have no cycles.</summary>
    private static Gen<Wiring> LayeredWirings() =>
        from size in Gen.Choose(1, 16)
        from groupOf in Gen.Choose(0, 2).ArrayOf(size)
        from edges in Pairs(size, true, 2 * size)
        from groupEdges in Pairs(3, true, 3)
        from hostOf in Gen.Choose(0, 1).ArrayOf(size)
        let sorted = groupOf.Order().ToArray()
        select new Wiring(edges, sorted, groupEdges, hostOf);

    private static Gen<(int, int)[]> Pairs(int size, bool downward, int most) =>
        from count in Gen.Choose(0, most)
        from pairs in (from a in Gen.Choose(0, size - 1) from b in Gen.Choose(0, size - 1) select (a, b)).ArrayOf(count)
        select pairs.Where(p => !downward || p.a != p.b).Select(p => downward && p.a < p.b ? (p.b, p.a) : p).Distinct().ToArray();

    private static EstateSpec Estate(Wiring wiring, bool reversed = false)
    {
        var builder = new EstateBuilder().Host("h0", "10.0.0.1").Host("h1", "10.0.0.2");
        for (var g = 0; g < 3; g++)
            builder.Group($"g{g}", dependsOn: [.. wiring.GroupEdges.Where(e => e.From == g).Select(e => $"g{e.To}")]);
        for (var i = 0; i < wiring.GroupOf.Length; i++)
        {
            builder.Service(Name(i), s =>
            {
                s = s.Host($"h{wiring.HostOf[i]}").Port(1000 + i);
                if (wiring.GroupOf[i] >= 0) s = s.Group($"g{wiring.GroupOf[i]}");
                foreach (var (_, to) in wiring.Edges.Where(e => e.From == i)) s = s.DependsOn(Name(to));
                return s;
            });
        }

        var estate = builder.Build();
        return !reversed ? estate : estate with
        {
            Services = estate.Services.Reverse().ToDictionary(p => p.Key, p => p.Value with
            {
                DependsOn = p.Value.DependsOn.Reverse().ToDictionary(d => d.Key, d => d.Value),
            }),
            Groups = estate.Groups.Reverse().ToDictionary(),
            Hosts = estate.Hosts.Reverse().ToDictionary(),
        };
    }

    private static string Name(int i) => $"s{i:00}";

    private static EstatePlan Plan(EstateSpec estate, string? host = "h0") =>
        Planner.Plan(estate, new PlanRequest { Host = host is null ? null : new(host), Rehearse = host is null }, Plans.Machine(estate));

    private static bool Waits(Wiring wiring, int from, int to) =>
        wiring.Edges.Contains((from, to)) || wiring.GroupEdges.Contains((wiring.GroupOf[from], wiring.GroupOf[to]));

    [Fact]
    public void Waves_respect_every_dependency_and_hold_every_local_service_once() =>
        Prop.ForAll(Gen.OneOf(Wirings(acyclic: true), LayeredWirings()).ToArbitrary(), wiring =>
        {
            var plan = Plan(Estate(wiring), null);
            var wave = plan.Waves.SelectMany((w, i) => w.Select(s => (s, i))).ToDictionary(p => p.s, p => p.i);
            Assert.Equal(plan.Services.Count, wave.Count);
            var gates = plan.Services.Values.Sum(s => s.Dependencies.Count);
            var pairs = 0;
            for (var a = 0; a < wiring.GroupOf.Length; a++)
            {
                for (var b = 0; b < wiring.GroupOf.Length; b++)
                {
                    if (!Waits(wiring, a, b)) continue;
                    pairs++;
                    Assert.True(wave[new(Name(a))] > wave[new(Name(b))]);
                }
            }

            Assert.Equal(pairs, gates);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_waited_for_through_another_host_still_comes_in_an_earlier_wave() =>
        Prop.ForAll(LayeredWirings().ToArbitrary(), wiring =>
        {
            var plan = Plan(Estate(wiring));
            var wave = plan.Waves.SelectMany((w, i) => w.Select(s => (s, i))).ToDictionary(p => p.s, p => p.i);
            foreach (var service in plan.Local)
            {
                foreach (var behind in Behind(plan, service.Name).Where(wave.ContainsKey)) Assert.True(wave[behind] < wave[service.Name]);
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_reported_cycle_is_a_real_one_and_one_is_reported_when_there_is_one() =>
        Prop.ForAll(Wirings(acyclic: false).ToArbitrary(), wiring =>
        {
            var plan = Plan(Estate(wiring), null);
            var cycles = plan.Diagnostics.Where(d => d.Code == PlanDiagnostics.Cycle).ToList();
            foreach (var cycle in cycles)
            {
                if (cycle.Message.Contains("itself", StringComparison.Ordinal)) continue;
                var names = cycle.Message["services wait for each other: ".Length..].Split(" → ").Select(n => int.Parse(n[1..])).ToList();
                Assert.Equal(names[0], names[^1]);
                Assert.Equal(names.Count - 1, names.Distinct().Count());
                for (var i = 0; i + 1 < names.Count; i++) Assert.True(Waits(wiring, names[i], names[i + 1]));
            }

            Assert.Equal(cycles.Count, cycles.Select(c => c.Message).Distinct().Count());
            var cyclic = plan.Services.Keys.Any(s => Behind(plan, s).Contains(s));
            Assert.Equal(cyclic, cycles.Count > 0);
            Assert.Equal(cyclic, plan.Waves.Sum(w => w.Count) < plan.Services.Count);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_plan_is_the_same_however_the_file_is_ordered_and_however_often_it_is_made() =>
        Prop.ForAll(Gen.OneOf(Wirings(acyclic: false), LayeredWirings()).ToArbitrary(), wiring =>
        {
            foreach (var host in new[] { "h0", null })
            {
                var plan = PlanDocument.From(Plan(Estate(wiring), host)).ToJson();
                Assert.Equal(plan, PlanDocument.From(Plan(Estate(wiring), host)).ToJson());
                Assert.Equal(plan, PlanDocument.From(Plan(Estate(wiring, reversed: true), host)).ToJson());
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Packing_never_gives_more_than_a_gpu_has()
    {
        var shares = Gen.Elements("whole", "mps", "time", "mig");
        var asks =
            from count in Gen.Choose(1, 12)
            from all in (
                from share in shares
                from memory in Gen.Choose(0, 30)
                from cards in Gen.Choose(1, 2)
                select (share, memory, cards)).ArrayOf(count)
            select all;
        var cards = Gen.Elements(("NVIDIA GeForce RTX 3060", 12), ("NVIDIA L4", 24), ("NVIDIA A30", 24), ("NVIDIA A100 40GB", 40));
        var hosts = from count in Gen.Choose(0, 4) from all in cards.ArrayOf(count) select all;
        Prop.ForAll((from a in asks from h in hosts select (a, h)).ToArbitrary(), input =>
        {
            var (asked, gpus) = input;
            var (answers, slots) = GpuPacking.Pack(
                "box",
                gpus.Select((g, i) => new GpuCard(null, i, g.Item1, EstateBuilder.GiB(g.Item2), null, null)),
                asked.Select((a, i) => new GpuAsk(
                    $"s{i}", a.cards, [], a.memory == 0 ? null : EstateBuilder.GiB(a.memory), a.share, SourcePosition.Whole("f"))));
            Assert.Equal(asked.Length, answers.Count);
            foreach (var slot in slots)
            {
                Assert.True(slot.Used <= slot.Card.Memory!.Value.Bytes || slot.Share == "whole");
                Assert.True(slot.Share != "whole" || slot.Holders.Count == 1);
                Assert.Single(slot.Holders.Select(h => h.Share).DefaultIfEmpty("none").Distinct());
                Assert.True(slot.Share != "mig" || (slot.HasMig && slot.Holders.Count <= MigCards.For(slot.Card.Model)!.Partitions));
            }

            foreach (var given in answers.OfType<GpuAnswer.Given>())
            {
                Assert.Equal(given.Ask.Count, given.Cards.Count);
                Assert.All(given.Cards, c => Assert.True(given.Ask.Memory is not { } m || m.CompareTo(c.Memory!.Value) <= 0));
            }
        }).QuickCheckThrowOnFailure();
    }

    /// <summary>Everything that a service waits for, directly or through others.</summary>
    private static HashSet<ServiceName> Behind(EstatePlan plan, ServiceName service)
    {
        var seen = new HashSet<ServiceName>();
        var open = new Stack<ServiceName>([service]);
        while (open.TryPop(out var next))
        {
            foreach (var dependency in plan.Services[next].Dependencies)
            {
                if (seen.Add(dependency.Service)) open.Push(dependency.Service);
            }
        }

        return seen;
    }
}
