using Stoker.Streams.Stores;
using Stoker.Tests.Streams.Stores;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>A server that is killed again and again while a worker writes; its own, since the others would notice.</summary>
public sealed class PostgresRestartDrills
{
    [Fact]
    public async Task A_server_that_is_killed_while_documents_are_written_has_each_of_them_once()
    {
        const int step = 20, restarts = 4, betweenRestarts = 1500;
        await using var server = new PostgresServer();
        await using var bed = await PostgresBed.MakeOwnAsync(server);
        await using var worker = await Worker.StartAsync(bed);
        var restarting = Task.CompletedTask;
        long at = 0, begun = 0, nextRestart = 0, outages = 0;
        // It writes on until the last restart is over, and a while after that: whatever takes longer, the server is away while somebody writes.
        while (begun < restarts || !restarting.IsCompleted || at < nextRestart)
        {
            if (restarting.IsCompleted && begun < restarts && at >= nextRestart)
            {
                await restarting;
                begun++;
                nextRestart = at + betweenRestarts;
                restarting = Task.Run(() =>
                {
                    server.Stop();
                    server.Start();
                }, TestContext.Current.CancellationToken);
            }

            switch (await worker.ApplyAsync(at, [.. Enumerable.Range((int)at, step).Select(n => Documents.Of($"e{n}", n))]))
            {
                case ApplyOutcome.Applied applied:
                    Assert.Equal(new ApplyOutcome.Applied(step, 0, 0), applied);
                    at += step;
                    break;
                case ApplyOutcome.Elsewhere elsewhere:
                    Assert.Equal(at + step, elsewhere.Position.Next);
                    at = elsewhere.Position.Next;
                    break;
                case ApplyOutcome.Outage or ApplyOutcome.Ambiguous:
                    outages++;
                    // One that could not begin again is no outage that passes.
                    if (restarting.IsFaulted) await restarting;
                    break;
                case var other:
                    Assert.Fail($"{other}");
                    break;
            }
        }

        await restarting;
        Assert.InRange(outages, restarts, long.MaxValue);
        await PostgresStoreDrills.UntilAsync(async () =>
        {
            try
            {
                return (await worker.PositionAsync())?.Next == at;
            }
            catch (StoreUnavailableException)
            {
                return false;
            }
        });
        Assert.Equal(Enumerable.Range(0, (int)at).Select(n => (long)n), (await worker.FindAsync()).Select(found => found.Sequence));
    }
}
