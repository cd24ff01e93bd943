using Stoker.Streams.Stores;

namespace Stoker.Tests.Streams.Stores.Wire;

internal sealed class MongoBed(MongoServer server) : StoreBed
{
    public MongoBed()
        : this(new MongoServer())
    {
    }

    public MongoServer Server => server;

    internal override StoreAddress Address => new(StoreKind.Mongo, "127.0.0.1", server.Port, null, "metadata", new Dictionary<string, string>());

    internal override bool IsTransactional => false;

    internal override Task RefusePoisonAsync()
    {
        server.RefusesPoison = true;
        return Task.CompletedTask;
    }

    internal override Task StopAsync()
    {
        server.IsAway = true;
        return Task.CompletedTask;
    }

    internal override Task StartAsync()
    {
        server.IsAway = false;
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        server.Dispose();
        return ValueTask.CompletedTask;
    }
}
