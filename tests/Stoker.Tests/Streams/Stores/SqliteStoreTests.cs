using Stoker.Platform.Sqlite;
using Stoker.Streams.Stores;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Stores;

public sealed class SqliteStoreTests : StoreConformance
{
    private protected override Task<StoreBed> MakeBedAsync() => Task.FromResult<StoreBed>(new SqliteBed());

    [Fact]
    public async Task A_full_disk_is_an_outage_and_passes()
    {
        using var disk = SmallDisk.Mount("3m");
        _ = StoreAddress.Parse($"sqlite:{disk.Path}/metadata.db", out var address);
        await using var store = StoresModule.Open(new StoreSpec(address!, "gpu-metadata"), TimeProvider.System);
        var claim = await store.TakeAsync(Worker.Place, new StorePosition(0, 0), TestContext.Current.CancellationToken);
        var batch = new DocumentBatch((_, _) => throw new InvalidOperationException("nothing here is a dead letter"));
        batch.Begin(0);
        for (var i = 0; i < 500; i++) batch.Add(Documents.Of($"d{i}", i, vector: new float[128]));
        batch.End(new StorePosition(500, 1));

        var ballast = disk.Fill(leaving: 64 * 1024);
        Assert.IsType<ApplyOutcome.Outage>(await store.ApplyAsync(claim, batch, TestContext.Current.CancellationToken));
        Assert.Equal(0, (await store.PositionAsync(Worker.Place, TestContext.Current.CancellationToken))?.Next);
        File.Delete(ballast);
        Assert.Equal(new ApplyOutcome.Applied(500, 0, 0), await store.ApplyAsync(claim, batch, TestContext.Current.CancellationToken));
    }
}

public sealed class SqliteStoreFaultTests : StoreFaultConformance
{
    private protected override Task<StoreBed> MakeBedAsync() => Task.FromResult<StoreBed>(new SqliteBed());
}

public sealed class SqliteStoreQueryTests : StoreQueryConformance
{
    private protected override Task<StoreBed> MakeBedAsync() => Task.FromResult<StoreBed>(new SqliteBed());
}

internal sealed class SqliteBed : StoreBed
{
    private readonly string _directory = Directory.CreateTempSubdirectory("stoker-store-").FullName;

    internal override StoreAddress Address => new(StoreKind.Sqlite, "", 0, null, $"{_directory}/data/metadata.db", new Dictionary<string, string>());

    public SqliteBed() => Directory.CreateDirectory($"{_directory}/data");

    internal override Task RefusePoisonAsync()
    {
        using var database = SqliteDatabase.Open(Address.Path, new SqliteSchema("SELECT 1"));
        database.Execute("CREATE TRIGGER refuse BEFORE INSERT ON \"gpu-metadata\" WHEN new.id LIKE 'poison%' BEGIN SELECT raise(ABORT, 'not this one'); END");
        return Task.CompletedTask;
    }

    internal override Task StopAsync()
    {
        Directory.Move($"{_directory}/data", $"{_directory}/away");
        return Task.CompletedTask;
    }

    internal override Task StartAsync()
    {
        Directory.Move($"{_directory}/away", $"{_directory}/data");
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }
}
