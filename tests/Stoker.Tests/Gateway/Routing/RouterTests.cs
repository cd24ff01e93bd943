using System.Text;
using Stoker.Gateway.Routing;
using Xunit;
using static Stoker.Tests.Gateway.Routing.Sample;

namespace Stoker.Tests.Gateway.Routing;

public sealed class RouterTests
{
    [Fact]
    public void A_model_is_found_by_its_names_with_slashes_and_by_case()
    {
        var table = Sample.Router(Route(1, name: "microsoft/Phi-3-mini") with { Aliases = [new("small"), new("größer")] }).Table;
        var route = table.Routes[0];
        foreach (var name in new[] { "microsoft/Phi-3-mini", "small", "größer" })
        {
            Assert.Same(route, table.Find(name));
            Assert.Same(route, table.Find(Encoding.UTF8.GetBytes(name)));
        }

        Assert.Null(table.Find("microsoft/phi-3-mini"u8));
        Assert.Null(table.Find("Small"u8));
        Assert.Null(table.Find(""u8));
        Assert.Null(table.Find([0xff, 0xfe, 0x80]));
        Assert.Null(table.Find(new byte[100_000]));
    }

    [Fact]
    public void A_plan_that_contradicts_itself_leaves_the_old_table()
    {
        var router = Sample.Router(Route(1));
        var table = router.Table;
        RouteSpec[][] wrong =
        [
            [Route(1), Route(1)],
            [Route(1), Route(1, name: "n") with { Aliases = [new("m")] }],
            [Route(1) with { Fallbacks = [new(new("nobody"), FallbackWhen.Unavailable)] }],
            [Route(1, r => r with { Weight = 0 })],
            [Route(2, r => r with { CanaryShare = 0.6 })],
            [new RouteSpec(new("m"), [Route(1).Replicas[0], Route(1).Replicas[0]])],
        ];
        Assert.All(wrong, specs => Assert.Throws<ArgumentException>(() => router.Apply(specs, At(1))));
        Assert.Same(table, router.Table);
    }

    [Fact]
    public void Replicas_that_stay_keep_what_is_known_of_them()
    {
        var router = Sample.Router(Route(2));
        var first = router.Table.Routes[0].Replicas[0];
        var lease = router.Place("m", At(0)).Lease;
        var waiting = router.Table.Routes[0].Life;
        router.Apply([Route(3)], At(1));
        var after = router.Table.Routes[0];
        Assert.Same(first, after.Replicas[0]);
        Assert.Same(waiting, after.Life);
        Assert.Equal(1, after.Replicas[0].Requests + after.Replicas[1].Requests);
        // The new one begins with a small part, as one that has recovered.
        Assert.Equal(0.1, after.Replicas[2].Snapshot(after.Spec.Replicas[2], 1, At(1)).Warmth, 3);
        Assert.Equal(1, after.Replicas[0].Snapshot(after.Spec.Replicas[0], 1, At(1)).Warmth);
        Assert.True(lease.End(ReplicaFact.Answered, At(2)));
    }

    [Fact]
    public void A_replica_that_moved_is_another_one_and_the_old_one_ends_what_it_has()
    {
        var router = Sample.Router(Route(1));
        var old = router.Table.Routes[0].Replicas[0];
        var lease = router.Place("m", At(0)).Lease;
        router.Apply([Route(1, r => r with { Port = 1 })], At(1));
        Assert.NotSame(old, router.Table.Routes[0].Replicas[0]);
        Assert.False(old.TryTake(1, At(1), false, out _));
        Assert.True(lease.End(ReplicaFact.Answered, At(2)));
        Assert.Equal(0, old.Requests);
    }

    [Fact]
    public void Who_waits_is_admitted_to_a_replica_of_the_new_table()
    {
        var router = Sample.Router(Route(1) with { MaxConcurrency = 1 });
        var route = router.Table.Routes[0];
        router.Place("m", At(0));
        var waiter = new FakeWaiter();
        route.Life.Queue.Enter(new Ticket(waiter, "", Priority.Normal), At(0));
        router.Apply([Route(2) with { MaxConcurrency = 1 }], At(1));
        Assert.Equal(new ReplicaId("m", 2), waiter.Admission!.Value.Lease.Replica!.Id);
    }

    [Fact]
    public void Who_waits_for_a_model_that_is_gone_is_refused()
    {
        var router = Sample.Router(Route(1) with { MaxConcurrency = 1 }, Route(1, name: "n"));
        router.Place("m", At(0));
        var waiter = new FakeWaiter();
        router.Table.Find("m")!.Life.Queue.Enter(new Ticket(waiter, "", Priority.Normal), At(0));
        router.Apply([Route(1, name: "n")], At(1));
        Assert.Equal(AdmissionOutcome.Closed, waiter.Outcome);
    }

    [Fact]
    public void A_full_or_dead_model_falls_back_in_the_order_of_its_list_and_for_the_case_only()
    {
        var router = Sample.Router(
            Route(1) with { MaxConcurrency = 1, Fallbacks = [new(new("a"), FallbackWhen.Unavailable), new(new("b"), FallbackWhen.Overloaded | FallbackWhen.Unavailable)] },
            Route(1, name: "a"), Route(1, name: "b"));
        Assert.Equal("m", router.Place("m", At(0)).Route.Spec.Name.Value);
        Assert.Equal("b", router.Place("m", At(0)).Route.Spec.Name.Value);
        router.Table.Find("m")!.Replicas[0].SetMode(ReplicaMode.Draining, At(1));
        Assert.Equal("a", router.Place("m", At(1)).Route.Spec.Name.Value);
        router.Table.Find("a")!.Replicas[0].SetMode(ReplicaMode.Draining, At(1));
        Assert.Equal("b", router.Place("m", At(1)).Route.Spec.Name.Value);
        router.Table.Find("b")!.Replicas[0].SetMode(ReplicaMode.Draining, At(1));
        Assert.Equal(("m", RouteOutcome.Unavailable), (router.Place("m", At(1)).Route.Spec.Name.Value, router.Place("m", At(1)).Outcome));
    }

    [Fact]
    public void The_next_model_for_a_prompt_that_is_too_long_is_found_one_after_the_other()
    {
        var router = Sample.Router(
            Route(1) with { Fallbacks = [new(new("a"), FallbackWhen.ContextLength), new(new("b"), FallbackWhen.Overloaded), new(new("c"), FallbackWhen.ContextLength)] },
            Route(1, name: "a"), Route(1, name: "b"), Route(1, name: "c"));
        var (asked, course) = (router.Table.Find("m")!, new FallbackCourse(FallbackWhen.ContextLength, 0));
        Assert.Equal("a", router.Table.NextFallback(asked, ref course)!.Spec.Name.Value);
        Assert.Equal("c", router.Table.NextFallback(asked, ref course)!.Spec.Name.Value);
        Assert.Null(router.Table.NextFallback(asked, ref course));
    }

    [Fact]
    public void A_prompt_goes_back_to_where_its_beginning_was_computed_until_that_replica_is_restarted()
    {
        var router = Sample.Router(Route(4));
        var route = router.Table.Routes[0];
        var prefix = Prefix("a long conversation");
        var home = Send(router, prefix, 0);
        for (var i = 1; i < 20; i++) Assert.Same(home, Send(router, prefix, i));
        home.SetMode(ReplicaMode.Loading, At(30));
        Assert.NotSame(home, Send(router, prefix, 31));
        home.SetMode(ReplicaMode.Serving, At(60));
        // Another one has it now.
        var second = Send(router, prefix, 61);
        Assert.NotSame(home, second);
    }

    [Fact]
    public void Prompts_have_hashes_in_common_as_far_as_they_have_blocks_in_common()
    {
        var prompt = new byte[PrefixHashes.BlockBytes * 10 + 100];
        for (var i = 0; i < prompt.Length; i++) prompt[i] = (byte)(i * 7 + i / 256);
        var (a, b) = (new ulong[PrefixHashes.MaxBlocks], new ulong[PrefixHashes.MaxBlocks]);
        Assert.Equal(10, PrefixHashes.Compute(prompt, 1, a));
        prompt[PrefixHashes.BlockBytes * 6 + 3] ^= 1;
        PrefixHashes.Compute(prompt, 1, b);
        Assert.Equal(6, a.Zip(b).TakeWhile(pair => pair.First == pair.Second).Count());
        Assert.DoesNotContain(a[6..10], b.Contains);
        PrefixHashes.Compute(prompt, 2, a);
        Assert.DoesNotContain(a[..10], b.Contains);
        Assert.Equal(0, PrefixHashes.Compute(prompt.AsSpan(0, 511), 1, a));
        Assert.Equal(PrefixHashes.MaxBlocks, PrefixHashes.Compute(new byte[1 << 20], 1, a));
    }

    [Fact]
    public void The_memory_of_prefixes_is_bounded_and_forgets_what_is_old()
    {
        var memory = new PrefixMemory(64);
        Span<int> matched = stackalloc int[2];
        for (ulong i = 1; i < 1000; i++) memory.Remember([Mixing.Mix(i)], 0, At(i));
        memory.Match([Mixing.Mix(999)], At(999), matched);
        Assert.Equal(1, matched[0]);
        memory.Match([Mixing.Mix(1)], At(999), matched);
        Assert.Equal(0, matched[0]);
        memory.Match([Mixing.Mix(999)], At(999 + 601), matched);
        Assert.Equal(0, matched[0]);
        memory.Remember([5, 6, 7], 1, At(2000));
        memory.Remember([5, 6], 0, At(2000));
        memory.Match([5, 6, 7, 8], At(2000), matched);
        Assert.Equal([2, 3], matched.ToArray());
        memory.Forget(1);
        memory.Match([5, 6, 7, 8], At(2000), matched);
        Assert.Equal([2, 0], matched.ToArray());
    }

    internal static ulong[] Prefix(string text, int blocks = 8)
    {
        var hashes = new ulong[blocks];
        var prompt = new byte[blocks * PrefixHashes.BlockBytes];
        for (var i = 0; i < prompt.Length; i++) prompt[i] = (byte)text[i % text.Length];
        PrefixHashes.Compute(prompt, 0, hashes);
        return hashes;
    }

    private static ReplicaState Send(Router router, ulong[] prefix, double at)
    {
        var route = router.Table.Find("m")!;
        var lease = router.Place(route, new RouteRequest { Sequence = route.Begin(At(at)), Prefix = prefix }, At(at)).Lease;
        lease.End(ReplicaFact.Answered, At(at + 0.5));
        return lease.Replica!;
    }
}
