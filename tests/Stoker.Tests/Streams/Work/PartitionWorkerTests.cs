using System.Text;
using Stoker.Streams.Log.Opening;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Stores;
using Stoker.Streams.Work;
using Stoker.Tests.Streams.Archive;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Work;

/// <summary>What a worker does with what the store answers and the log has.</summary>
public sealed class PartitionWorkerTests
{
    [Fact]
    public async Task Events_become_documents_in_their_order_and_the_log_may_forget_them()
    {
        await using var bench = new WorkerBench();
        bench.Append("a", "b", "c");
        bench.Run();
        await bench.StoredAsync();
        bench.Append("d");
        await bench.StoredAsync();
        Assert.Equal(["a", "b", "c", "d"], bench.Store.Ids);
        Assert.Equal(bench.Workshop.Partition.End.Hash.Value, bench.Store.Position!.Value.Hash);
        Assert.Equal(4, bench.Worker.Progress.Stored);
        await bench.UntilAsync(() => bench.Workshop.Partition.Position("store").Current is { Required: true, Next: 4 });
    }

    [Fact]
    public async Task In_an_outage_the_lag_grows_and_the_same_is_tried_again_until_it_is_stored()
    {
        await using var bench = new WorkerBench();
        var isAway = true;
        bench.Store.Before = _ => Volatile.Read(ref isAway) ? new ApplyOutcome.Outage("nobody there") : null;
        bench.Append("a", "b");
        bench.Run();
        await bench.UntilAsync(() => bench.Worker.Progress.Problem == "nobody there");
        await bench.UntilAsync(() => bench.Store.Applies >= 5, timePasses: true);
        Assert.True(bench.Worker.LagSeconds >= 2, $"{bench.Worker.LagSeconds}");
        Assert.Equal(0ul, bench.Worker.Progress.Next);
        bench.Append("c");
        Volatile.Write(ref isAway, false);
        await bench.UntilAsync(() => bench.Worker.Progress.Next == 3, timePasses: true);
        Assert.Equal(["a", "b", "c"], bench.Store.Ids);
        Assert.Null(bench.Worker.Progress.Problem);
        Assert.Equal(0, bench.Worker.LagSeconds);
        Assert.Single(bench.Said, line => line.Contains("nobody there", StringComparison.Ordinal));
        Assert.Single(bench.Said, line => line.Contains("stored again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_lag_is_the_age_of_the_oldest_event_also_while_others_are_stored()
    {
        await using var bench = new WorkerBench();
        using var let = Holding(bench.Store, 2);
        bench.Append("a");
        bench.Run();
        await bench.StoredAsync();
        Assert.Equal(0, bench.Worker.LagSeconds);
        bench.Time.Advance(TimeSpan.FromHours(1));
        bench.Append("b");
        await bench.UntilAsync(() => bench.Store.Applies == 2);
        Assert.InRange(bench.Worker.LagSeconds, 0, 1);
        bench.Time.Advance(TimeSpan.FromSeconds(7));
        Assert.InRange(bench.Worker.LagSeconds, 7, 8);
        let.Set();
        await bench.StoredAsync();
        Assert.Equal(0, bench.Worker.LagSeconds);
    }

    [Fact]
    public async Task What_may_have_happened_is_asked_for_and_neither_lost_nor_doubled()
    {
        await using var bench = new WorkerBench();
        // The first time it had not happened, the third time it had.
        bench.Store.Before = call => call == 1 ? new ApplyOutcome.Ambiguous("cut off before") : null;
        bench.Store.After = call => call == 2 ? new ApplyOutcome.Ambiguous("cut off after") : null;
        bench.Append("a", "b");
        bench.Run();
        await bench.UntilAsync(() => bench.Worker.Progress.Next == 2, timePasses: true);
        bench.Append("c");
        await bench.UntilAsync(() => bench.Worker.Progress.Next == 3, timePasses: true);
        Assert.Equal(["a", "b", "c"], bench.Store.Ids);
        Assert.Equal(0, bench.Worker.Progress.Duplicates);
        Assert.Equal(3, bench.Store.Takes);
        // Known since it was asked for.
        Assert.NotNull(bench.Worker.Times.Of(0));
    }

    [Fact]
    public async Task A_worker_that_was_fenced_takes_the_partition_anew_and_goes_on_where_the_other_is()
    {
        await using var bench = new WorkerBench();
        bench.Append("a");
        bench.Run();
        await bench.StoredAsync();
        bench.Store.Fence();
        bench.Store.Position = new StorePosition(3, 0);
        bench.Append("b", "c", "d");
        await bench.UntilAsync(() => bench.Store.Ids.Contains("d"), timePasses: true);
        Assert.Equal(["a", "d"], bench.Store.Ids);
        Assert.Contains(bench.Said, line => line.Contains("somebody else", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_store_that_is_elsewhere_is_gone_on_from_there()
    {
        await using var bench = new WorkerBench();
        bench.Append("a");
        bench.Run();
        await bench.StoredAsync();
        bench.Store.Position = new StorePosition(0, 0);
        bench.Append("b");
        await bench.UntilAsync(() => bench.Store.Ids.Contains("b"), timePasses: true);
        Assert.Equal(["a", "b"], bench.Store.Ids);
        Assert.Equal(1, bench.Worker.Progress.Duplicates);
    }

    [Fact]
    public async Task A_store_that_is_ahead_of_the_log_is_told_and_nothing_is_written()
    {
        await using var bench = new WorkerBench();
        bench.Store.Position = new StorePosition(10, 0);
        bench.Append("a");
        bench.Run();
        await bench.UntilAsync(() => bench.Worker.Progress.Problem is not null);
        Assert.Contains("is not the log that it was", bench.Worker.Progress.Problem, StringComparison.Ordinal);
        Assert.Equal(0, bench.Store.Applies);
    }

    [Fact]
    public async Task A_store_that_cannot_be_had_is_asked_again_and_a_known_position_is_shown_meanwhile()
    {
        await using var bench = new WorkerBench();
        bench.Append("a", "b", "c");
        var kept = bench.Workshop.Partition.Position("store");
        Assert.Equal(0, kept.Set(kept.Current with { Next = 2, Required = true }));
        bench.Store.Position = new StorePosition(2, 0);
        bench.Store.OnTake = take => take < 4 ? new StoreUnavailableException("no route") : null;
        bench.Run();
        await bench.UntilAsync(() => bench.Worker.Progress is { Problem: "no route", Next: 2 });
        await bench.UntilAsync(() => bench.Worker.Progress.Next == 3, timePasses: true);
        Assert.Equal(["c"], bench.Store.Ids);
    }

    [Fact]
    public async Task An_outage_is_over_when_the_store_is_there_although_nothing_waits_to_be_stored()
    {
        await using var bench = new WorkerBench();
        bench.Store.OnTake = take => take < 3 ? new StoreUnavailableException("no route") : null;
        bench.Run();
        await bench.UntilAsync(() => bench.Worker.Progress.Problem == "no route");
        await bench.UntilAsync(() => bench.Worker.Progress.Problem is null, timePasses: true);
        Assert.Contains("events of partition 0 are stored again", bench.Said);
    }

    [Fact]
    public async Task An_outage_is_over_although_a_topic_has_not_given_yet_what_is_known_to_be_there()
    {
        using var topic = new FakeTopic();
        await using var bench = new WorkerBench(topic: topic);
        bench.Store.OnTake = take => take < 3 ? new StoreUnavailableException("no route") : null;
        topic.Add("a", bench.Time.GetUtcNow());
        topic.IsSlow = true;
        bench.Run();
        await bench.UntilAsync(() => bench.Worker.Progress.Problem == "no route");
        await bench.UntilAsync(() => bench.Worker.Progress.Problem is null, timePasses: true);
        Assert.Equal(3, bench.Store.Takes);
        topic.Give();
        await bench.UntilAsync(() => bench.Worker.Progress.Next == 1);
        Assert.Equal((3, "a"), (bench.Store.Takes, Assert.Single(bench.Store.Ids)));
    }

    [Fact]
    public async Task Poison_is_put_aside_and_what_stands_beside_it_is_stored()
    {
        await using var bench = new WorkerBench();
        bench.Store.IsPoison = id => id.StartsWith('p');
        LogWorkshop.Append(bench.Workshop.Partition, Encoding.UTF8.GetBytes("no envelope"));
        bench.Append("p1", "a", "p2", "b", "p3");
        bench.AppendData("broken", "{");
        bench.Run();
        await bench.StoredAsync();
        Assert.Equal(["a", "b"], bench.Store.Ids);
        Assert.Equal(5, bench.Worker.Progress.Poison);
        var letters = bench.Letters.List(DeadLetterState.Waiting, 100).OrderBy(letter => letter.Offset).ToList();
        Assert.Equal(["", "p1", "p2", "p3", "broken"], letters.Select(letter => letter.EventId));
        Assert.Equal(["other_version", "store_refused", "store_refused", "store_refused", "not_json"], letters.Select(letter => letter.Cause));
    }

    [Fact]
    public async Task A_dead_letter_that_is_asked_for_again_is_stored_and_the_position_stays()
    {
        await using var bench = new WorkerBench();
        bench.Store.IsPoison = id => id.StartsWith('p');
        bench.Append("a", "p", "b");
        bench.Run();
        await bench.StoredAsync();
        bench.Store.IsPoison = _ => false;
        Assert.True(bench.Letters.Set(0, 1, DeadLetterState.Retrying));
        bench.Append("c");
        await bench.UntilAsync(() => bench.Letters.Count() == 0, timePasses: true);
        await bench.StoredAsync();
        Assert.Equal(["a", "b", "c", "p"], bench.Store.Ids.Order());
        Assert.Equal(4, bench.Store.Position!.Value.Next);
    }

    [Fact]
    public async Task While_a_batch_is_stored_the_next_is_gathered_and_stored_in_one_when_the_store_is_free()
    {
        using var topic = new FakeTopic();
        await using var bench = new WorkerBench(topic: topic);
        using var let = Holding(bench.Store, 1);
        await BeginAsync(bench, topic);
        foreach (var id in (string[])["b", "c", "d", "e", "f"])
        {
            topic.Add(id, bench.Time.GetUtcNow());
            await bench.UntilAsync(() => topic.ReadTo == topic.NextOffset);
        }

        Assert.Equal((1, 0ul), (bench.Store.Applies, bench.Worker.Progress.Next));
        let.Set();
        await bench.UntilAsync(() => bench.Worker.Progress.Next == 6);
        Assert.Equal(["a", "b", "c", "d", "e", "f"], bench.Store.Ids);
        Assert.Equal(2, bench.Store.Applies);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_gathered_behind_a_batch_that_may_have_happened_is_neither_lost_nor_doubled(bool hasHappened)
    {
        using var topic = new FakeTopic();
        await using var bench = new WorkerBench(topic: topic);
        using var let = Holding(bench.Store, 1, hasHappened ? null : new ApplyOutcome.Ambiguous("cut off before"));
        bench.Store.After = call => call == 1 ? new ApplyOutcome.Ambiguous("cut off after") : null;
        await BeginAsync(bench, topic);
        topic.Add("b", bench.Time.GetUtcNow());
        await bench.UntilAsync(() => topic.ReadTo == 2);
        let.Set();
        await bench.UntilAsync(() => bench.Worker.Progress.Next == 2, timePasses: true);
        Assert.Equal(["a", "b"], bench.Store.Ids);
        Assert.Equal((2, 0L), (bench.Store.Takes, bench.Worker.Progress.Duplicates));
    }

    [Fact]
    public async Task A_partition_that_is_wanted_elsewhere_is_given_up_when_what_is_being_stored_is_and_not_before()
    {
        using var topic = new FakeTopic();
        await using var bench = new WorkerBench(topic: topic);
        using var let = Holding(bench.Store, 1);
        await BeginAsync(bench, topic);
        topic.Add("b", bench.Time.GetUtcNow());
        await bench.UntilAsync(() => topic.ReadTo == 2);
        await topic.TakeAwayAsync();
        var next = topic.HoldAsync("another", default);
        Assert.False(next.IsCompleted);
        let.Set();
        using var hold = await next;
        // What was gathered behind it is the other's to store.
        Assert.Equal("a", Assert.Single(bench.Store.Ids));
        Assert.Equal(1, bench.Store.Applies);
    }

    [Fact]
    public async Task Dead_letters_behind_a_batch_that_fails_are_put_aside_when_their_own_batch_is_stored()
    {
        using var topic = new FakeTopic();
        await using var bench = new WorkerBench(topic: topic);
        using var let = Holding(bench.Store, 1, new ApplyOutcome.Ambiguous("cut off before"));
        await BeginAsync(bench, topic);
        topic.Add("p", bench.Time.GetUtcNow(), new RecordFault("no_event", "", "not one"));
        await bench.UntilAsync(() => topic.ReadTo == 2);
        Assert.Equal(0, bench.Letters.Count());
        let.Set();
        await bench.UntilAsync(() => bench.Worker.Progress.Next == 2, timePasses: true);
        Assert.Equal(1, Assert.Single(bench.Letters.List(DeadLetterState.Waiting, 10)).Attempts);
        Assert.Equal(1, bench.Worker.Progress.Poison);
    }

    [Fact]
    public async Task A_gap_is_told_and_passed()
    {
        await using var bench = new WorkerBench(WithAGap());
        bench.Run();
        await bench.UntilAsync(() => bench.Store.Ids.Contains("c"));
        Assert.Equal(["a", "c"], bench.Store.Ids);
        Assert.Contains(bench.Said, line => line.Contains("events 1 to 1 of partition 0 were damaged", StringComparison.Ordinal));
        Assert.Equal(3, bench.Store.Position!.Value.Next);
    }

    [Fact]
    public async Task Damage_that_comes_while_the_stream_runs_is_told_and_passed_by_nobody()
    {
        await using var bench = new WorkerBench();
        bench.Append("a", "b", "c");
        Flip(bench.Workshop);
        bench.Run();
        await bench.UntilAsync(() => bench.Worker.Progress.Problem is not null);
        Assert.Contains("damaged", bench.Worker.Progress.Problem, StringComparison.Ordinal);
        await bench.UntilAsync(() => bench.Store.Takes >= 3, timePasses: true);
        Assert.Equal(["a"], bench.Store.Ids);
    }

    [Fact]
    public async Task Large_events_are_stored_a_few_at_a_time_so_that_memory_is_bounded()
    {
        using var large = LogWorkshop.Make(LogWorkshop.Small with { SegmentBytes = 16 << 20, BatchBytes = 2 << 20 });
        await using var bench = new WorkerBench(large);
        var data = $"{{\"noise\":\"{new string('x', 1 << 20)}\"}}";
        for (var i = 0; i < 40; i++) bench.AppendData($"e{i}", data);
        bench.Run();
        await bench.StoredAsync();
        Assert.Equal(40, bench.Store.Ids.Count);
        Assert.InRange(bench.Store.MostDocuments, 1, 17);
    }

    /// <summary>The first event is at the store.</summary>
    private static Task BeginAsync(WorkerBench bench, FakeTopic topic)
    {
        topic.Add("a", bench.Time.GetUtcNow());
        bench.Run();
        return bench.UntilAsync(() => bench.Store.Applies == 1);
    }

    /// <summary>A call of the store waits until it is let go.</summary>
    private static ManualResetEventSlim Holding(FakeStore store, int which, ApplyOutcome? answer = null)
    {
        var let = new ManualResetEventSlim();
        store.Before = call =>
        {
            if (call != which) return null;
            Assert.True(let.Wait(TimeSpan.FromSeconds(30)));
            return answer;
        };
        return let;
    }

    /// <summary>Three events, of which the one in the middle was damaged and set aside.</summary>
    private static LogWorkshop WithAGap()
    {
        var workshop = LogWorkshop.Make();
        foreach (var id in (string[])["a", "b", "c"]) WorkerBench.Append(workshop.Partition, id, "{}", DateTimeOffset.UnixEpoch);
        workshop.Close();
        Flip(workshop);
        LogQuarantine.Run(workshop.Disk, LogWorkshop.Root, LogWorkshop.Small);
        workshop.OpenWhole();
        return workshop;
    }

    /// <summary>In the second event's batch: each stands in blocks of its own.</summary>
    private static void Flip(LogWorkshop workshop)
    {
        var file = workshop.Files()[0];
        var content = workshop.Disk.Content(file);
        content[(2 * 4096) + 100] ^= 1;
        workshop.Disk.SetContent(file, content);
    }
}
