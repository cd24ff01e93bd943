using Stoker.Drills.Streams.Shared;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>The stream's process killed, frozen and ended while producers post: what was answered with 202 is stored once.</summary>
public sealed class KillDrills
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public Task Killed_twenty_times_under_load_every_acknowledged_event_is_stored_once() => KillAsync(20);

    [Fact]
    [Trait("Category", "Slow")]
    public Task Killed_a_thousand_times_under_load_every_acknowledged_event_is_stored_once() => KillAsync(1000);

    [Fact]
    public async Task Ended_under_load_the_next_process_stores_what_the_last_one_acknowledged()
    {
        await using var box = new StreamBox();
        var oracle = new Oracle();
        await box.UpAsync();
        await using (var producers = new Producers(box, oracle))
        {
            for (var round = 0; round < 8; round++)
            {
                await MoreAsync(box, oracle, 20 + (round * 40));
                Assert.Equal(0, await box.EndAsync());
                await box.UpAsync();
            }

            await producers.StopAsync();
            Assert.True(producers.Unanswered > 0, "no producer noticed");
        }

        await box.AssertHoldsAsync(oracle);
    }

    [Fact]
    public async Task A_second_process_does_not_touch_the_log_of_one_that_is_frozen()
    {
        await using var box = new StreamBox();
        var oracle = new Oracle();
        await box.UpAsync();
        await using var producers = new Producers(box, oracle);
        await MoreAsync(box, oracle, 100);
        for (var round = 0; round < 3; round++)
        {
            box.Signal("STOP");
            using var second = box.Start();
            await second.WaitForExitAsync(Cancellation);
            Assert.Equal(1, second.ExitCode);
            Assert.Contains($"process {box.Pid} writes the log already", box.Said, StringComparison.Ordinal);
            box.Signal("CONT");
            await MoreAsync(box, oracle, 100);
        }

        await producers.StopAsync();
        await box.AssertHoldsAsync(oracle);
    }

    private static async Task KillAsync(int rounds)
    {
        await using var box = new StreamBox();
        var oracle = new Oracle();
        await box.UpAsync();
        await using (var producers = new Producers(box, oracle))
        {
            for (var round = 0; round < rounds; round++)
            {
                // Every third dies while it opens the log, or soon after.
                if (round % 3 == 2) await Task.Delay(round * 17 % 250, Cancellation);
                else await MoreAsync(box, oracle, 1 + (round * 37 % 400));
                box.Kill();
                box.Launch();
            }

            await MoreAsync(box, oracle, 100);
            await producers.StopAsync();
            Assert.True(producers.Unanswered > rounds / 4, $"{producers.Unanswered} requests of {rounds} kills were left without an answer");
            Assert.True(producers.SentAgain > 0, "nothing was sent twice");
        }

        await box.AssertHoldsAsync(oracle);
    }

    private static async Task MoreAsync(StreamBox box, Oracle oracle, int events)
    {
        var enough = oracle.Acknowledged + events;
        await box.UntilAsync($"{events} more events are acknowledged", () => Task.FromResult(oracle.Acknowledged >= enough));
    }
}
