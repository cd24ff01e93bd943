using FsCheck;
using FsCheck.Fluent;
using Stoker.Gateway.Routing;
using Xunit;
using static Stoker.Tests.Gateway.Routing.Sample;

namespace Stoker.Tests.Gateway.Routing;

public sealed class AdmissionQueueTests
{
    private readonly List<Ticket> _admitted = [];
    private int _room;

    private AdmissionQueue Queue(QueueOptions? options = null) => new(options ?? QueueOptions.Default, (ticket, _) =>
    {
        if (_room == 0) return null;
        _room--;
        _admitted.Add(ticket);
        return default(Lease);
    });

    [Fact]
    public void Who_comes_while_there_is_room_is_admitted_at_once()
    {
        _room = 1;
        var waiter = Enter(Queue(), "ada").Waiter;
        Assert.Equal(AdmissionOutcome.Admitted, waiter.Outcome);
    }

    [Fact]
    public void Requests_of_a_key_are_admitted_in_their_order()
    {
        var queue = Queue();
        var tickets = Enumerable.Range(0, 9).Select(i => Enter(queue, "ada", cost: 10 - i).Ticket).ToList();
        Free(queue, 9);
        Assert.Equal(tickets, _admitted);
    }

    [Fact]
    public void A_key_that_sends_much_does_not_push_another_back()
    {
        var queue = Queue();
        for (var i = 0; i < 50; i++) Enter(queue, "loud", cost: 100);
        var quiet = Enter(queue, "quiet", cost: 100).Ticket;
        Assert.Equal(2, quiet.Position);
        Free(queue, 2);
        Assert.Same(quiet, _admitted[1]);
    }

    [Fact]
    public void Keys_share_by_weight_counted_in_tokens()
    {
        var queue = Queue(new QueueOptions { MaxWaiting = 10_000 });
        for (var i = 0; i < 1000; i++)
        {
            Enter(queue, "big", cost: 900);
            Enter(queue, "small", cost: 100);
            Enter(queue, "heavy", cost: 300, weight: 3);
        }

        Free(queue, 600);
        var tokens = _admitted.GroupBy(t => t.Key).ToDictionary(g => g.Key, g => g.Sum(t => t.Cost));
        Assert.InRange(tokens["big"] - tokens["small"], -1000, 1000);
        Assert.InRange(tokens["heavy"] / 3 - tokens["small"], -1000, 1000);
    }

    [Fact]
    public void A_key_that_comes_back_neither_has_saved_up_turns_nor_lost_any()
    {
        var queue = Queue(new QueueOptions { MaxWaiting = 10_000 });
        for (var i = 0; i < 200; i++) Enter(queue, "always", cost: 10);
        Enter(queue, "comes", cost: 10);
        Free(queue, 100);
        _admitted.Clear();
        for (var i = 0; i < 20; i++) Enter(queue, "comes", cost: 10);
        Free(queue, 20);
        Assert.InRange(_admitted.Count(t => t.Key == "comes"), 9, 11);
    }

    [Fact]
    public void A_higher_class_goes_first_and_a_lower_one_is_never_forgotten()
    {
        var queue = Queue(new QueueOptions { MaxWaiting = 10_000 });
        for (var i = 0; i < 300; i++)
        {
            Enter(queue, "low", Priority.Low);
            Enter(queue, "normal", Priority.Normal);
            Enter(queue, "high", Priority.High);
        }

        Free(queue, 200);
        var counts = _admitted.CountBy(t => t.Priority).ToDictionary();
        Assert.Equal(200, counts.Values.Sum());
        Assert.InRange(counts[Priority.High], 170, 182);
        Assert.InRange(counts[Priority.Normal], 9, 15);
        foreach (var lower in new[] { Priority.Normal, Priority.Low })
        {
            var turns = _admitted.Select((t, i) => (t.Priority, i)).Where(t => t.Priority == lower).Select(t => t.i).Prepend(-1).ToList();
            Assert.All(turns.Zip(turns.Skip(1)), pair => Assert.True(pair.Second - pair.First <= 20));
        }
    }

    [Fact]
    public void Who_leaves_is_gone_at_once_and_never_called()
    {
        var queue = Queue();
        var (ticket, waiter) = Enter(queue, "ada");
        var next = Enter(queue, "ada").Ticket;
        Assert.True(ticket.Leave());
        Assert.False(ticket.Leave());
        Assert.Equal((1, 0, 1), (queue.Waiting, ticket.Position, next.Position));
        Free(queue, 2);
        Assert.Null(waiter.Outcome);
        Assert.Equal([next], _admitted);
    }

    [Fact]
    public void Who_was_admitted_before_he_left_is_told_and_must_give_back()
    {
        var queue = Queue();
        var (ticket, waiter) = Enter(queue, "ada");
        Free(queue, 1);
        Assert.False(ticket.Leave());
        Assert.Equal(AdmissionOutcome.Admitted, waiter.Outcome);
    }

    [Fact]
    public void A_full_queue_refuses_and_one_key_cannot_fill_it_alone()
    {
        var queue = Queue(new QueueOptions { MaxWaiting = 8, KeyShare = 0.75 });
        var loud = Enumerable.Range(0, 8).Select(_ => Enter(queue, "loud").Waiter).ToList();
        Assert.Equal(6, loud.Count(w => w.Outcome is null));
        Assert.All(loud.Skip(6), w => Assert.Equal(AdmissionOutcome.QueueFull, w.Outcome));
        Assert.Null(Enter(queue, "quiet").Waiter.Outcome);
        Assert.Null(Enter(queue, "quiet").Waiter.Outcome);
        Assert.Equal(AdmissionOutcome.QueueFull, Enter(queue, "third").Waiter.Outcome);
    }

    [Fact]
    public void A_higher_class_takes_the_place_of_the_youngest_of_the_lowest()
    {
        var queue = Queue(new QueueOptions { MaxWaiting = 3, KeyShare = 1 });
        var (old, young) = (Enter(queue, "a", Priority.Low).Waiter, Enter(queue, "b", Priority.Low).Waiter);
        Enter(queue, "c");
        Assert.Null(Enter(queue, "d", Priority.High).Waiter.Outcome);
        Assert.Equal((null, AdmissionOutcome.Displaced), (old.Outcome, young.Outcome));
        Assert.Equal(AdmissionOutcome.QueueFull, Enter(queue, "e", Priority.Low).Waiter.Outcome);
    }

    [Fact]
    public void A_deadline_that_cannot_be_met_is_refused_at_once_with_the_time_to_come_again()
    {
        var queue = Queue();
        for (var i = 0; i < 40; i++) Enter(queue, "ada");
        for (var i = 1; i <= 10; i++) Free(queue, 1, At(i));
        // One place a second; 30 wait.
        var refused = Enter(queue, "ada", deadline: At(10 + 20), now: At(10)).Waiter;
        Assert.Equal(AdmissionOutcome.TooLong, refused.Outcome);
        Assert.Equal(31, refused.Admission!.Value.RetryAfter!.Value.TotalSeconds, 1);
        var (ticket, waiter) = Enter(queue, "ada", deadline: At(10 + 60), now: At(10));
        Assert.Null(waiter.Outcome);
        Assert.Equal(31, ticket.Position);
        Assert.Equal(31, ticket.Eta(At(10))!.Value.TotalSeconds, 1);
    }

    [Fact]
    public void Before_anything_was_measured_nobody_is_turned_away_by_a_guess()
    {
        var queue = Queue();
        for (var i = 0; i < 100; i++) Enter(queue, "ada");
        var (ticket, waiter) = Enter(queue, "bob", deadline: At(0.001));
        Assert.Null(waiter.Outcome);
        Assert.Null(ticket.Eta(At(0)));
    }

    [Fact]
    public void While_nothing_becomes_free_the_time_to_wait_grows()
    {
        var queue = Queue();
        for (var i = 0; i < 20; i++) Enter(queue, "ada");
        for (var i = 1; i <= 10; i++) Free(queue, 1, At(i));
        var ticket = Enter(queue, "bob", now: At(10)).Ticket;
        Assert.True(ticket.Eta(At(40)) > 3 * ticket.Eta(At(10)));
    }

    [Fact]
    public void A_quiet_time_is_not_taken_for_slowness()
    {
        var queue = Queue();
        for (var i = 0; i < 10; i++) Enter(queue, "ada");
        for (var i = 1; i <= 10; i++) Free(queue, 1, At(i));
        // An hour in which places become free because nobody comes.
        for (var i = 0; i < 60; i++) queue.Freed(At(100 + 60 * i));
        var ticket = Enter(queue, "ada", now: At(4000)).Ticket;
        Assert.Equal(1, ticket.Eta(At(4000))!.Value.TotalSeconds, 1);
    }

    [Fact]
    public void Those_whose_deadline_passes_are_refused_and_the_next_deadline_is_told()
    {
        var queue = Queue();
        var first = Enter(queue, "ada", deadline: At(5)).Waiter;
        var second = Enter(queue, "ada", deadline: At(9)).Waiter;
        Assert.Equal(At(5), queue.Expire(At(4)));
        Assert.Equal(At(9), queue.Expire(At(5)));
        Assert.Equal((AdmissionOutcome.DeadlinePassed, null), (first.Outcome, second.Outcome));
        Assert.Null(queue.Expire(At(9)));
        Assert.Equal(AdmissionOutcome.DeadlinePassed, second.Outcome);
    }

    [Fact]
    public void A_closed_queue_refuses_all_and_later_ones()
    {
        var queue = Queue();
        var before = Enter(queue, "ada").Waiter;
        queue.Close(At(1));
        Assert.Equal((AdmissionOutcome.Closed, AdmissionOutcome.Closed), (before.Outcome, Enter(queue, "ada").Waiter.Outcome));
    }

    /// <summary>Fairness between keys that always wait: by weight, never further apart than one request of each.</summary>
    [Fact]
    public void Whatever_the_costs_and_weights_the_shares_stay_within_the_bound()
    {
        var keys = Gen.ArrayOf(from weight in Gen.Choose(1, 5) from most in Gen.Choose(1, 100_000) select (weight, most), 4);
        Prop.ForAll(keys.ToArbitrary(), Gen.Choose(1, 1000).ToArbitrary(), (shares, seed) =>
        {
            _admitted.Clear();
            var queue = Queue(new QueueOptions { MaxWaiting = 100_000 });
            for (var i = 0; i < 1000; i++)
            {
                var k = i % 4;
                var cost = 1 + (long)(Mixing.Fraction((ulong)seed, i) * shares[k].most);
                Enter(queue, k.ToString(), cost: cost, weight: shares[k].weight);
            }

            var served = new double[4];
            for (var i = 0; i < 200; i++)
            {
                Free(queue, 1);
                var last = _admitted[^1];
                served[int.Parse(last.Key)] += last.Cost / last.Weight;
                for (var a = 0; a < 4; a++)
                {
                    for (var b = 0; b < a; b++)
                        Assert.True(Math.Abs(served[a] - served[b]) <= (double)shares[a].most / shares[a].weight + (double)shares[b].most / shares[b].weight + 1e-6);
                }
            }
        }).QuickCheckThrowOnFailure();
    }

    private static (Ticket Ticket, FakeWaiter Waiter) Enter(
        AdmissionQueue queue, string key, Priority priority = Priority.Normal, long cost = 1, double weight = 1, long deadline = long.MaxValue, long? now = null)
    {
        var waiter = new FakeWaiter();
        var ticket = new Ticket(waiter, key, priority) { Cost = cost, Weight = weight, Deadline = deadline };
        queue.Enter(ticket, now ?? At(0));
        return (ticket, waiter);
    }

    private void Free(AdmissionQueue queue, int places, long? now = null)
    {
        for (var i = 0; i < places; i++)
        {
            _room++;
            queue.Freed(now ?? At(0));
        }
    }
}
