using Stoker.Drills.Streams.Shared;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>`stream send` killed, run twice at once and out of room while its stream comes and goes: what it said it had is stored once.</summary>
public sealed class SpoolDrills
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public Task Killed_senders_lose_nothing_that_they_said_they_had() => KillAsync(12);

    [Fact]
    [Trait("Category", "Slow")]
    public Task Senders_killed_two_hundred_times_lose_nothing_that_they_said_they_had() => KillAsync(200);

    [Fact]
    public async Task Two_senders_on_one_spool_take_turns_and_each_keeps_its_order()
    {
        await using var box = new StreamBox(change: plan => plan with { Partitions = 1 });
        var oracle = new Oracle(sources: 1);
        var senders = new List<Sender>();
        foreach (var kind in new[] { "left", "right" }) senders.Add(new Sender(box.State, oracle, Enumerable.Range(0, 1500).Select(_ => oracle.Issue(kind)), "--patience", "0s"));
        foreach (var sender in senders) Assert.Equal(0, await sender.EndAsync());
        Assert.Equal(3000, senders.Sum(sender => sender.Spooled));

        await box.UpAsync();
        var first = new Sender(box.State, oracle, null, "--flush");
        var second = new Sender(box.State, oracle, null, "--flush");
        Assert.Equal(0, await first.EndAsync());
        Assert.Equal(0, await second.EndAsync());
        await box.AssertHoldsAsync(oracle);
        foreach (var kind in new[] { "left", "right" })
        {
            var numbers = first.Accepted.Concat(second.Accepted).Where(id => id.StartsWith(kind, StringComparison.Ordinal)).Select(id => int.Parse(id[(kind.Length + 1)..])).ToList();
            Assert.Equal(1500, numbers.Count);
            Assert.Equal(numbers.Order(), numbers);
        }
    }

    [Fact]
    public async Task A_full_disk_under_the_spool_is_said_and_what_was_kept_is_delivered()
    {
        using var disk = SmallDisk.Mount("24m");
        await using var box = new StreamBox();
        var oracle = new Oracle();
        var sender = new Sender(box.State, oracle, Enumerable.Range(0, 4000).Select(_ => oracle.Issue(noise: 10_000)), "--patience", "0s", "--spool", Path.Combine(disk.Path, "spool"));
        Assert.Equal(1, await sender.EndAsync());
        Assert.Contains("is full", sender.Said, StringComparison.Ordinal);
        Assert.InRange(sender.Spooled, 100, 3900);

        await box.UpAsync();
        var flush = new Sender(box.State, oracle, null, "--flush", "--spool", Path.Combine(disk.Path, "spool"));
        Assert.Equal(0, await flush.EndAsync());
        Assert.Equal(sender.Spooled, flush.Accepted.Count);
        await box.AssertHoldsAsync(oracle);
    }

    private static async Task KillAsync(int rounds)
    {
        await using var box = new StreamBox();
        var oracle = new Oracle();
        var spooled = 0;
        for (var round = 0; round < rounds; round++)
        {
            // The stream is away, there, killed in the middle, or back in the middle.
            if (round % 2 == 1) await box.UpAsync();
            var sender = new Sender(box.State, oracle, Enumerable.Range(0, 3000).Select(_ => oracle.Issue()), "--patience", "0s");
            await Task.Delay(200 + (round * 97 % 500), Cancellation);
            // While the stream is away, at least one comes so far, however long it takes to begin.
            if (round % 4 == 0 && spooled == 0) await box.UntilAsync("something is kept", () => Task.FromResult(sender.Spooled > 0));
            if (round % 4 == 1) box.Kill();
            if (round % 4 == 2) await box.UpAsync();
            await Task.Delay(round * 61 % 300, Cancellation);
            sender.Kill();
            spooled += sender.Spooled;
            if (round % 4 is 2 or 3) box.Kill();
        }

        Assert.True(spooled > 0, "nothing was ever kept");
        await box.UpAsync();
        var flush = new Sender(box.State, oracle, null, "--flush");
        Assert.True(await flush.EndAsync() == 0, flush.Said);
        await box.AssertHoldsAsync(oracle);
    }
}
