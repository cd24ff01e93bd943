using Stoker.Streams.Stores;
using Stoker.Streams.Stores.Queries;
using Stoker.Tests.Streams.Stores;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>The suites of the seam against a real PostgreSQL.</summary>
public sealed class PostgresStoreTests(PostgresServer server) : StoreConformance
{
    private protected override Task<StoreBed> MakeBedAsync() => PostgresBed.MakeAsync(server);
}

public sealed class PostgresStoreFaultTests(PostgresServer server) : StoreFaultConformance
{
    private protected override Task<StoreBed> MakeBedAsync() => PostgresBed.MakeAsync(server);
}

public sealed class PostgresStoreQueryTests(PostgresServer server) : StoreQueryConformance
{
    private protected override Task<StoreBed> MakeBedAsync() => PostgresBed.MakeAsync(server);
}

/// <summary>What a server and the way to it do to a worker.</summary>
public sealed class PostgresStoreDrills(PostgresServer server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_cut_after_the_write_leaves_it_open_and_the_position_decides(bool withPoison)
    {
        await using var bed = await PostgresBed.MakeOwnAsync(server);
        await using var worker = await Worker.StartAsync(bed);
        await worker.AppliedAsync(0, Documents.Of("a", 0));
        if (withPoison) await bed.RefusePoisonAsync();
        // With a bad document the answer to the commit is lost; without, the answer to the one statement.
        if (withPoison) worker.OnPoison = () => Task.FromResult(bed.Relay.CutsAnswer = true);
        else bed.Relay.CutsAnswer = true;
        StoredDocument[] batch = [Documents.Of("b", 1), Documents.Of(withPoison ? "poison" : "c", 2)];

        Assert.IsType<ApplyOutcome.Ambiguous>(await worker.ApplyAsync(1, batch));
        worker.OnPoison = null;
        await UntilAsync(async () => (await worker.PositionAsync())?.Next == 3);
        Assert.Equal(new ApplyOutcome.Elsewhere(new StorePosition(3, Worker.HashAt(3))), await worker.ApplyAsync(1, batch));
        await worker.AppliedAsync(3, Documents.Of("d", 3));
        Assert.Equal(withPoison ? ["a", "b", "d"] : ["a", "b", "c", "d"], await worker.IdsAsync());
    }

    [Fact]
    public async Task A_server_that_does_not_answer_in_time_is_given_up_and_what_it_did_late_is_found()
    {
        await using var bed = await PostgresBed.MakeOwnAsync(server);
        await using var worker = await Worker.StartAsync(bed);
        await using var store = StoresModule.Open(bed.Spec() with { Patience = TimeSpan.FromSeconds(2) }, TimeProvider.System);
        // Its connection is open when the server falls silent; a busy machine may take longer for that than its patience.
        await UntilAsync(() => AnswersAsync(store));
        var batch = new DocumentBatch((_, _) => Task.CompletedTask);
        batch.Begin(0);
        batch.Add(Documents.Of("late", 0));
        batch.End(new StorePosition(1, 1));
        bed.Relay.Hold();
        Assert.IsType<ApplyOutcome.Ambiguous>(await store.ApplyAsync(worker.Claim, batch, Cancellation));
        bed.Relay.Release();
        var again = await worker.Store.ApplyAsync(worker.Claim, batch, Cancellation);
        Assert.True(again is ApplyOutcome.Elsewhere { Position.Next: 1 } or ApplyOutcome.Applied { Stored: 1 }, $"{again}");
        Assert.Equal(["late"], await worker.IdsAsync());
    }

    [Fact]
    public async Task A_statement_that_a_lock_keeps_waiting_is_given_up_and_happens_once()
    {
        await using var bed = await PostgresBed.MakeOwnAsync(server);
        await using var worker = await Worker.StartAsync(bed);
        await worker.AppliedAsync(0, Documents.Of("a", 0));
        await using var store = StoresModule.Open(bed.Spec() with { Patience = TimeSpan.FromSeconds(1) }, TimeProvider.System);
        await using var owner = new Npgsql.NpgsqlConnection($"Host=127.0.0.1;Port={server.Port};Username=stoker;Database={bed.Address.Path};Pooling=false");
        await owner.OpenAsync(Cancellation);
        await using var transaction = await owner.BeginTransactionAsync(Cancellation);
        await using (var command = new Npgsql.NpgsqlCommand("LOCK TABLE \"gpu-metadata\" IN ACCESS EXCLUSIVE MODE", owner)) await command.ExecuteNonQueryAsync(Cancellation);

        var batch = new DocumentBatch((_, _) => Task.CompletedTask);
        batch.Begin(1);
        batch.Add(Documents.Of("b", 1));
        batch.End(new StorePosition(2, 2));
        Assert.True(await store.ApplyAsync(worker.Claim, batch, Cancellation) is ApplyOutcome.Ambiguous or ApplyOutcome.Outage);
        await transaction.RollbackAsync(Cancellation);
        var again = await worker.Store.ApplyAsync(worker.Claim, batch, Cancellation);
        Assert.True(again is ApplyOutcome.Elsewhere { Position.Next: 2 } or ApplyOutcome.Applied { Stored: 1 }, $"{again}");
        Assert.Equal(["a", "b"], await worker.IdsAsync());
    }

    [Fact]
    public async Task What_the_owner_has_to_repair_is_an_outage_with_the_reason()
    {
        await using var bed = await PostgresBed.MakeOwnAsync(server);
        await using var worker = await Worker.StartAsync(bed);
        await bed.RunAsync("ALTER TABLE \"gpu-metadata\" RENAME TO elsewhere");
        var outage = Assert.IsType<ApplyOutcome.Outage>(await worker.ApplyAsync(0, Documents.Of("a", 0)));
        Assert.Contains("gpu-metadata", outage.Reason, StringComparison.Ordinal);
        await bed.RunAsync("ALTER TABLE elsewhere RENAME TO \"gpu-metadata\"");
        await worker.AppliedAsync(0, Documents.Of("a", 0));
    }

    [Fact]
    public async Task A_number_that_the_server_cannot_hold_is_a_bad_document()
    {
        await using var bed = await PostgresBed.MakeOwnAsync(server);
        await using var worker = await Worker.StartAsync(bed);
        Assert.Equal(new ApplyOutcome.Applied(1, 0, 1), await worker.ApplyAsync(0, Documents.Of("huge", 0, """{"n":1e200000}"""), Documents.Of("a", 1)));
        Assert.Contains("22003", Assert.Single(worker.DeadLetters).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_trigger_that_refuses_one_document_does_not_keep_the_others_out()
    {
        await using var bed = await PostgresBed.MakeOwnAsync(server);
        await using var worker = await Worker.StartAsync(bed);
        await bed.RunAsync("""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.sequence % 10 = 3 THEN RAISE 'not %', new.id; END IF; RETURN new; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON "gpu-metadata" FOR EACH ROW EXECUTE FUNCTION refuse();
            """);
        Assert.Equal(new ApplyOutcome.Applied(90, 0, 10), await worker.ApplyAsync(0, [.. Enumerable.Range(0, 100).Select(n => Documents.Of($"d{n}", n))]));
        Assert.Equal(Enumerable.Range(0, 10).Select(n => (n * 10) + 3), worker.DeadLetters.Select(dead => dead.Item).Order());
        Assert.Contains("not d13", worker.DeadLetters.Single(dead => dead.Item == 13).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_is_in_no_message()
    {
        await using var bed = await PostgresBed.MakeOwnAsync(server);
        var spec = bed.Spec() with { Address = bed.Address with { Path = "nowhere" }, Password = () => "hunter2" };
        await using var store = StoresModule.Open(spec, TimeProvider.System);
        var failed = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.TakeAsync(Worker.Place, default, Cancellation));
        Assert.Contains("nowhere", failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failed.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_reached_through_a_socket_too()
    {
        await using var bed = await PostgresBed.MakeOwnAsync(server);
        Assert.Null(StoreAddress.Parse($"postgres://stoker@localhost:{server.Port}/{bed.Address.Path}?host={server.SocketDirectory}", out var address));
        await using var store = StoresModule.Open(new StoreSpec(address!, "gpu-metadata"), TimeProvider.System);
        Assert.Equal(0, (await store.TakeAsync(Worker.Place, default, Cancellation)).Position.Next);
    }

    [Fact]
    public async Task It_holds_what_SQLite_holds()
    {
        await using var bed = await PostgresBed.MakeOwnAsync(server);
        await using var worker = await Worker.StartAsync(bed);
        var path = Directory.CreateTempSubdirectory("stoker-store-");
        StoredDocument[] batch = [.. Enumerable.Range(0, 100).Select(n => Documents.Of($"e{n}", n, n == 50 ? """{"a":"\u0000","n":1.50e3}""" : null, n % 2 == 0 ? [n, 0.1f] : []))];
        await worker.AppliedAsync(0, batch);
        await using (var other = StoresModule.Open(new StoreSpec(new StoreAddress(StoreKind.Sqlite, "", 0, null, $"{path}/s.db", new Dictionary<string, string>()), "e"), TimeProvider.System))
        {
            var claim = await other.TakeAsync(Worker.Place, default, Cancellation);
            worker.Batch.Begin(0);
            foreach (var document in batch) worker.Batch.Add(document);
            worker.Batch.End(new StorePosition(100, 0));
            await other.ApplyAsync(claim, worker.Batch, Cancellation);
            Assert.Equal(await worker.DigestAsync(), await StateDigest.OfAsync(other, Cancellation));
        }

        path.Delete(recursive: true);
    }

    private static async Task<bool> AnswersAsync(IDocumentStore store)
    {
        try
        {
            return await store.PositionAsync(Worker.Place, Cancellation) is not null;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    internal static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await holds()) await Task.Delay(20, patience.Token);
    }
}
