using Npgsql;
using Stoker.Drills.Streams.Shared;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>A stream whose store is a real PostgreSQL that is killed, away, slow and cut off while events come in: they are acknowledged all the same, and stored once.</summary>
public sealed class PostgresOutageDrills
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_PostgreSQL_does_events_are_taken_the_lag_tells_and_each_is_stored_once()
    {
        await using var server = new PostgresServer();
        var database = await server.MakeDatabaseAsync();
        using var relay = new CuttingRelay(server.Port);
        await using var box = new StreamBox(change: plan => plan with { Store = $"postgres://stoker@127.0.0.1:{relay.Port}/{database}" });
        var oracle = new Oracle();
        await box.UpAsync();
        await using (var producers = new Producers(box, oracle, count: 3, batch: 10))
        {
            for (var round = 0; round < 2; round++)
            {
                await MoreAsync(box, oracle);
                server.Stop();
                await TroubledAsync(box, oracle);
                server.Start();
                await WellAsync(box);

                relay.IsAway = true;
                await TroubledAsync(box, oracle);
                if (round == 1)
                {
                    // Nor does it need the store to begin.
                    box.Kill();
                    await box.UpAsync();
                    await TroubledAsync(box, oracle);
                }

                relay.IsAway = false;
                await WellAsync(box);

                relay.Hold();
                await box.UntilAsync("the lag grows", async () => (double)(await box.StatusAsync())["lag_seconds"]! > 1.5);
                await MoreAsync(box, oracle);
                relay.Release();
                await WellAsync(box);

                relay.CutsAnswer = true;
                await box.UntilAsync("an answer is cut off", () => Task.FromResult(!relay.CutsAnswer));
                await WellAsync(box);
            }

            await producers.StopAsync();
        }

        Assert.Contains("are not stored", box.Said, StringComparison.Ordinal);
        Assert.Contains("are stored again", box.Said, StringComparison.Ordinal);
        await box.AssertHoldsAsync(oracle, read: () => ReadAsync(server, database));
    }

    /// <summary>The store is away, the status says so, and events are taken.</summary>
    private static async Task TroubledAsync(StreamBox box, Oracle oracle)
    {
        await box.UntilAsync("the status tells of the outage", async () => (await box.StatusAsync())["partitions"]!.AsArray().Any(p => p!["problem"] is not null));
        await MoreAsync(box, oracle);
        await box.UntilAsync("the lag grows", async () => (double)(await box.StatusAsync())["lag_seconds"]! > 0.5);
    }

    private static Task WellAsync(StreamBox box) => box.CaughtUpAsync("stored", "problem");

    private static async Task MoreAsync(StreamBox box, Oracle oracle)
    {
        var enough = oracle.Acknowledged + 100;
        await box.UntilAsync("events are acknowledged", () => Task.FromResult(oracle.Acknowledged >= enough));
    }

    private static async Task<IReadOnlyList<StoredEvent>> ReadAsync(PostgresServer server, string database)
    {
        await using var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={server.Port};Username=stoker;Database={database};Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand($"SELECT source, id, document::text, embedding FROM \"{StreamBox.Name}\"", connection);
        await using var rows = await command.ExecuteReaderAsync(Cancellation);
        var found = new List<StoredEvent>();
        while (await rows.ReadAsync(Cancellation)) found.Add(new StoredEvent(rows.GetString(0), rows.GetString(1), rows.GetString(2), rows.GetFieldValue<byte[]>(3)));
        return found;
    }
}
