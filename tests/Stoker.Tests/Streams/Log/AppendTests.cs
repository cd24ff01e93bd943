using Stoker.Streams.Log;
using Stoker.Streams.Log.Reading;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Log;

public sealed class AppendTests
{
    [Fact]
    public void What_was_answered_is_read_in_its_order()
    {
        using var workshop = LogWorkshop.Make();
        for (var i = 0; i < 300; i++) Assert.Equal((AppendOutcome.Durable, (ulong)i), (workshop.Append($"event {i}") is var result ? result.Outcome : default, result.FirstOffset));

        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"event {i}"), workshop.ReadAll());
        Assert.Equal(Enumerable.Range(250, 50).Select(i => $"event {i}"), workshop.ReadAll(250));
        Assert.True(workshop.Files().Count > 10, "it has gone through several segments");
    }

    [Fact]
    public void Opened_again_it_goes_on_where_it_ended()
    {
        using var workshop = LogWorkshop.Make();
        for (var round = 0; round < 5; round++)
        {
            for (var i = 0; i < 20; i++) workshop.Append($"event {(round * 20) + i}");
            var end = workshop.Partition.End;
            workshop.Close();
            var opened = workshop.OpenWhole();
            Assert.Empty(opened.Torn);
            Assert.Empty(opened.Notes);
            Assert.Equal(end, workshop.Partition.End);
        }

        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"event {i}"), workshop.ReadAll());
    }

    [Fact]
    public void Records_of_one_append_have_consecutive_offsets_and_one_answer()
    {
        using var workshop = LogWorkshop.Make();
        workshop.Append("before");
        var records = new RecordBuffer();
        for (var i = 0; i < 10; i++) records.Add(new byte[] { (byte)('a' + i) }, i, 0);
        using var arrived = new ManualResetEventSlim();
        var inbox = new AppendInbox(arrived.Set);
        var state = new object();

        Assert.Equal(AppendAnswer.Taken, workshop.Partition.Append(records, inbox, state));
        arrived.Wait();

        var result = Assert.Single(inbox.Take([]));
        Assert.Equal(new AppendResult(AppendOutcome.Durable, state, 0, 1, 10), result);
        Assert.Equal("abcdefghij", string.Concat(workshop.ReadAll(1)));
    }

    [Fact]
    public void An_inbox_is_told_once_however_many_answers_there_are()
    {
        var disk = new SimulatedDisk();
        using var workshop = new LogWorkshop(disk);
        disk.CreateDirectory("/data");
        workshop.OpenWhole();
        using var hold = new ManualResetEventSlim();
        using var told = new SemaphoreSlim(0);
        var inbox = new AppendInbox(() => told.Release());
        disk.Fault = (call, path, _) =>
        {
            if (call == DiskCall.Sync) hold.Wait();
            return null;
        };
        workshop.Partition.Append("first"u8, 0, 0, inbox);
        while (workshop.Partition.Status().WaitingBytes > 0) Thread.Yield();
        for (var i = 0; i < 100; i++) workshop.Partition.Append("later"u8, 0, 0, inbox);
        hold.Set();
        told.Wait();
        while (workshop.Partition.End.NextOffset < 101) Thread.Yield();
        workshop.Close();

        Assert.Equal(101, inbox.Take([]).Count);
        Assert.InRange(told.CurrentCount, 0, 1);
    }

    [Fact]
    public void The_number_of_partitions_stays_what_it_was_and_that_is_told()
    {
        using var workshop = LogWorkshop.Make(LogWorkshop.Small with { Partitions = 2 });
        workshop.Close();
        using var other = new LogWorkshop(workshop.Disk);
        Assert.Equal(["the log was made with 2 partitions and keeps them, though 1 are asked for"], other.OpenWhole().Notes);
        Assert.Equal(2, other.Log!.Partitions.Count);
    }

    [Fact]
    public void Too_much_waiting_is_refused_at_once()
    {
        using var workshop = LogWorkshop.Make(LogWorkshop.Small with { MostWaiting = 40_000 });
        using var held = new ManualResetEventSlim();
        using var hold = new ManualResetEventSlim();
        workshop.Disk.Fault = (call, _, _) =>
        {
            if (call != DiskCall.Sync) return null;
            held.Set();
            hold.Wait();
            return null;
        };
        var inbox = new AppendInbox(() => { });
        List<AppendAnswer> answers = [workshop.Partition.Append(new byte[4000], 0, 0, inbox)];
        // From here on nothing is taken away from what waits.
        held.Wait(TestContext.Current.CancellationToken);
        answers.AddRange(Enumerable.Range(0, 30).Select(_ => workshop.Partition.Append(new byte[4000], 0, 0, inbox)));
        hold.Set();
        workshop.Disk.Fault = null;

        Assert.Equal(AppendAnswer.Busy, answers[^1]);
        Assert.InRange(answers.Count(answer => answer == AppendAnswer.Taken), 9, 14);
        workshop.Close();
        var results = inbox.Take([]);
        Assert.Equal(answers.Count(answer => answer == AppendAnswer.Taken), results.Count);
        Assert.All(results, result => Assert.Equal(AppendOutcome.Durable, result.Outcome));
    }

    [Fact]
    public void What_fits_in_no_batch_is_refused_and_the_largest_that_fits_is_taken()
    {
        using var workshop = LogWorkshop.Make();
        var inbox = new AppendInbox(() => { });
        Assert.Equal(AppendAnswer.TooLarge, workshop.Partition.Append(new byte[16 * 1024], 0, 0, inbox));
        var largest = new byte[(16 * 1024) - 80 - 20 - 8];
        Random.Shared.NextBytes(largest);
        Assert.Equal(AppendAnswer.TooLarge, workshop.Partition.Append([.. largest, 0], 0, 0, inbox));
        for (var i = 0; i < 20; i++) Assert.Equal(AppendOutcome.Durable, LogWorkshop.Append(workshop.Partition, largest).Outcome);
        Assert.Equal(20UL, workshop.Partition.End.NextOffset);
        workshop.Close();
        workshop.OpenWhole();
    }

    [Fact]
    public async Task Who_waits_for_more_is_told_when_there_is_more()
    {
        using var workshop = LogWorkshop.Make();
        using var reader = workshop.Partition.Read(0);
        for (var i = 0; i < 50; i++)
        {
            var wait = reader.WaitAsync(TestContext.Current.CancellationToken);
            Assert.False(wait.IsCompleted);
            Assert.IsType<ReadOutcome.End>(reader.Read());
            workshop.Append($"event {i}");
            await wait;
            using var batch = Assert.IsType<ReadOutcome.Batch>(reader.Read()).Value;
            Assert.Equal((ulong)i, batch.FirstOffset);
        }
    }

    [Fact]
    public void Records_are_found_by_time_also_where_it_jumps()
    {
        using var workshop = LogWorkshop.Make();
        var random = new Random(7);
        var times = new List<long>();
        for (var i = 0; i < 400; i++)
        {
            times.Add((i * 10) + random.Next(-200, 200));
            workshop.Append($"event {i}", times[^1]);
        }

        for (var time = -300L; time < 4500; time += 37)
        {
            var first = times.FindIndex(each => each >= time);
            Assert.Equal(first < 0 ? 400UL : (ulong)first, workshop.Partition.OffsetAt(time));
        }
    }

    [Fact]
    public void The_running_hash_is_the_same_for_the_same_records_and_no_others()
    {
        using var one = LogWorkshop.Make();
        for (var i = 0; i < 30; i++) one.Append($"event {i}");
        var hash = one.Log!.Id.Start(0);
        using var reader = one.Partition.Read(0);
        while (reader.Read() is ReadOutcome.Batch { Value: var batch })
        {
            using (batch)
            {
                foreach (var record in batch) hash = hash.Add(record.Payload.Span, record.Time, record.Key);
                Assert.Equal(hash, batch.Hash);
            }
        }

        Assert.Equal(hash, one.Partition.End.Hash);
        one.Append("one more");
        Assert.NotEqual(hash, one.Partition.End.Hash);
    }
}
