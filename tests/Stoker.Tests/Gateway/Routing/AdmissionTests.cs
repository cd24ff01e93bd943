using FsCheck;
using FsCheck.Fluent;
using Stoker.Gateway.Routing;
using Stoker.Tests.Shared;
using Xunit;
using static Stoker.Tests.Gateway.Routing.Sample;

namespace Stoker.Tests.Gateway.Routing;

/// <summary>Replicas, leases and the queue together: nobody too many, nobody lost, nobody twice.</summary>
public sealed class AdmissionTests
{
    // Trap 4: the place is held until the end of the body, and given back exactly once on every path.
    [Fact]
    public void A_place_is_given_back_exactly_once()
    {
        var router = Sample.Router(Route(1) with { MaxConcurrency = 2 });
        var replica = router.Table.Routes[0].Replicas[0];
        var lease = router.Place("m", At(0)).Lease;
        var copy = lease;
        lease.FirstByte(At(1));
        Assert.Equal(1, replica.Requests);
        Assert.True(lease.End(ReplicaFact.Answered, At(2)));
        Assert.False(copy.End(ReplicaFact.ClientLeft, At(3)));
        Assert.Equal(0, replica.Requests);
        var other = router.Place("m", At(4)).Lease;
        Assert.False(lease.End(ReplicaFact.Answered, At(5)));
        copy.FirstByte(At(5));
        Assert.Equal(1, replica.Requests);
        Assert.True(other.End(ReplicaFact.Answered, At(6)));
        Assert.False(default(Lease).End(ReplicaFact.Answered, At(6)));
    }

    [Fact]
    public void Prompt_tokens_weigh_until_the_first_byte()
    {
        var router = Sample.Router(Route(1));
        var route = router.Table.Routes[0];
        var lease = route.Place(new RouteRequest { PromptTokens = 5000 }, At(0)).Lease;
        Assert.Equal(5000, Snapshot(route, 0).Tokens);
        lease.FirstByte(At(1));
        Assert.Equal((0, 1), (Snapshot(route, 0).Tokens, Snapshot(route, 0).Requests));
        lease.End(ReplicaFact.Answered, At(2));
        Assert.Equal((0, 0), (Snapshot(route, 0).Tokens, Snapshot(route, 0).Requests));
    }

    [Fact]
    public void Room_goes_to_who_waits_and_not_to_who_comes()
    {
        var router = Sample.Router(Route(1) with { MaxConcurrency = 1 });
        var running = router.Place("m", At(0)).Lease;
        Assert.Equal(RouteOutcome.Full, router.Place("m", At(0)).Outcome);
        var waiter = Wait(router, out _);
        Assert.Null(waiter.Outcome);
        running.End(ReplicaFact.Answered, At(1));
        Assert.Equal(AdmissionOutcome.Admitted, waiter.Outcome);
        Assert.Equal(RouteOutcome.Full, router.Place("m", At(1)).Outcome);
        waiter.Admission!.Value.Lease.End(ReplicaFact.Answered, At(2));
        Assert.Equal(RouteOutcome.Placed, router.Place("m", At(2)).Outcome);
    }

    [Fact]
    public void A_replica_that_serves_again_admits_who_waits()
    {
        var router = Sample.Router(Route(1));
        var replica = router.Table.Routes[0].Replicas[0];
        replica.SetMode(ReplicaMode.Loading, At(0));
        var waiter = Wait(router, out _);
        Assert.Null(waiter.Outcome);
        replica.SetMode(ReplicaMode.Serving, At(30));
        Assert.Equal(AdmissionOutcome.Admitted, waiter.Outcome);
    }

    [Fact]
    public void The_time_to_load_is_measured_and_told_the_next_time()
    {
        var router = Sample.Router(Route(1));
        var replica = router.Table.Routes[0].Replicas[0];
        replica.SetMode(ReplicaMode.Loading, At(0));
        Assert.Null(router.Place("m", At(1)).ReadyIn);
        replica.SetMode(ReplicaMode.Serving, At(40));
        replica.SetMode(ReplicaMode.Asleep, At(100));
        Assert.Equal((RouteOutcome.Waking, TimeSpan.FromSeconds(40)), (router.Place("m", At(101)).Outcome, router.Place("m", At(101)).ReadyIn));
        replica.SetMode(ReplicaMode.Loading, At(110));
        Assert.Equal(TimeSpan.FromSeconds(25), router.Place("m", At(125)).ReadyIn);
        Assert.Equal(TimeSpan.Zero, router.Place("m", At(300)).ReadyIn);
    }

    [Fact]
    public void Whatever_comes_and_goes_nobody_is_too_many_lost_or_twice()
    {
        var steps = Gen.ListOf(from kind in Gen.Choose(0, 9) from which in Gen.Choose(0, 1000) select (kind, which), 300);
        Prop.ForAll(steps.ToArbitrary(), Gen.Choose(1, 3).ToArbitrary(), (happened, limit) =>
        {
            var router = Sample.Router(Route(3) with { MaxConcurrency = limit });
            var route = router.Table.Routes[0];
            var (leases, waiting, now) = (new List<Lease>(), new List<(Ticket Ticket, FakeWaiter Waiter)>(), 0);
            foreach (var (kind, which) in happened)
            {
                now++;
                if (kind <= 3)
                {
                    var waiter = Wait(router, out var ticket, $"key{which % 4}", (Priority)(which % 3), At(now), At(now + which % 50));
                    waiting.Add((ticket, waiter));
                }
                else if (kind <= 6 && leases.Count > 0) End(leases, which, (ReplicaFact)(which % 11), At(now));
                else if (kind == 7 && waiting.Count > 0) Leave(waiting, which);
                else if (kind == 8) route.Life.Queue.Expire(At(now));
                else if (kind == 9) route.Replicas[which % 3].Probe(which % 2 == 0, At(now));
                Collect(waiting, leases);
                var inFlight = 0;
                foreach (var replica in route.Replicas)
                {
                    Assert.InRange(replica.Requests, 0, limit);
                    inFlight += replica.Requests;
                }

                Assert.Equal(leases.Count, inFlight);
                Assert.Equal(waiting.Count, route.Life.Queue.Waiting);
            }

            // When all have ended and nobody comes any more, nobody waits.
            for (var end = 0; leases.Count > 0 || waiting.Count > 0; end++)
            {
                Assert.True(end < 10_000);
                now += 1000;
                if (leases.Count > 0) End(leases, 0, ReplicaFact.Answered, At(now));
                else route.Life.Queue.Signal(At(now));
                Collect(waiting, leases);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void From_many_threads_never_more_than_the_limit_are_in_flight_and_all_are_decided()
    {
        var router = Sample.Router(Route(2) with { MaxConcurrency = 3 });
        var route = router.Table.Routes[0];
        var most = 0;
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, thread =>
        {
            for (var i = 0; i < 2000; i++)
            {
                var now = At(i * 0.001);
                var placement = router.Place("m", now);
                var lease = placement.Lease;
                if (placement.Outcome != RouteOutcome.Placed)
                {
                    var waiter = Wait(router, out var ticket, $"key{thread}", Priority.Normal, now);
                    if (i % 3 == 0 && ticket.Leave()) continue;
                    SpinWait.SpinUntil(() => waiter.Outcome is not null);
                    Assert.Equal(AdmissionOutcome.Admitted, waiter.Outcome);
                    lease = waiter.Admission!.Value.Lease;
                }

                most = Math.Max(most, route.Replicas[0].Requests);
                Assert.True(lease.End(ReplicaFact.Answered, now));
            }
        });
        Assert.InRange(most, 1, 3);
        Assert.Equal(0, route.Life.Queue.Waiting);
        foreach (var replica in route.Replicas) Assert.Equal(0, replica.Requests);
    }

    [Fact]
    public void Placing_and_ending_allocate_nothing()
    {
        var router = Sample.Router(Route(8));
        var route = router.Table.Routes[0];
        var prefix = new ulong[] { 11, 12, 13 };
        Assert.Equal(0, Allocations.Least(Once));

        void Once()
        {
            var lease = router.Place(route, new RouteRequest { Sequence = route.Begin(At(1)), Prefix = prefix, PromptTokens = 9 }, At(1)).Lease;
            lease.FirstByte(At(1.1));
            lease.End(ReplicaFact.Answered, At(1.2));
        }
    }

    private static ReplicaSnapshot Snapshot(Route route, int i) => route.Replicas[i].Snapshot(route.Spec.Replicas[i], 1, At(1));

    private static FakeWaiter Wait(
        Router router, out Ticket ticket, string key = "", Priority priority = Priority.Normal, long? now = null, long deadline = long.MaxValue)
    {
        var waiter = new FakeWaiter();
        ticket = new Ticket(waiter, key, priority) { Deadline = deadline };
        router.Table.Find("m")!.Life.Queue.Enter(ticket, now ?? At(0));
        return waiter;
    }

    private static void End(List<Lease> leases, int which, ReplicaFact fact, long now)
    {
        var lease = leases[which % leases.Count];
        leases.Remove(lease);
        Assert.True(lease.End(fact, now));
        Assert.False(lease.End(fact, now));
    }

    private static void Leave(List<(Ticket Ticket, FakeWaiter Waiter)> waiting, int which)
    {
        var (ticket, waiter) = waiting[which % waiting.Count];
        Assert.True(ticket.Leave());
        Assert.Null(waiter.Outcome);
        waiting.Remove((ticket, waiter));
    }

    private static void Collect(List<(Ticket Ticket, FakeWaiter Waiter)> waiting, List<Lease> leases)
    {
        leases.AddRange(waiting.Where(w => w.Waiter.Outcome == AdmissionOutcome.Admitted).Select(w => w.Waiter.Admission!.Value.Lease));
        waiting.RemoveAll(w => w.Waiter.Outcome is not null);
    }
}
