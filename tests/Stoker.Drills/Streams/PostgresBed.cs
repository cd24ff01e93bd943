using Stoker.Streams.Stores;
using Stoker.Tests.Streams.Stores;

namespace Stoker.Drills.Streams;

/// <summary>A database of the shared server, reached through a relay that can be away.</summary>
internal sealed class PostgresBed(PostgresServer server, string database, CuttingRelay relay) : StoreBed
{
    internal static async Task<StoreBed> MakeAsync(PostgresServer server) => await MakeOwnAsync(server);

    internal static async Task<PostgresBed> MakeOwnAsync(PostgresServer server)
    {
        var database = await server.MakeDatabaseAsync();
        return new PostgresBed(server, database, new CuttingRelay(server.Port));
    }

    internal CuttingRelay Relay => relay;

    internal override StoreAddress Address => new(StoreKind.Postgres, "127.0.0.1", relay.Port, "stoker", database, new Dictionary<string, string>());

    internal Task RunAsync(string sql) => server.RunAsync(database, sql);

    internal override Task RefusePoisonAsync() => RunAsync("ALTER TABLE \"gpu-metadata\" ADD CHECK (id NOT LIKE 'poison%')");

    internal override Task StopAsync()
    {
        relay.IsAway = true;
        return Task.CompletedTask;
    }

    internal override Task StartAsync()
    {
        relay.IsAway = false;
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        relay.Dispose();
        return ValueTask.CompletedTask;
    }
}
