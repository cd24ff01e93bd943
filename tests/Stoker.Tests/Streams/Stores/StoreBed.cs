using Stoker.Streams.Stores;

namespace Stoker.Tests.Streams.Stores;

/// <summary>A store of one test's own, empty at first, that can be opened again and again, be away, and refuse what it is told to.</summary>
public abstract class StoreBed : IAsyncDisposable
{
    private int _collections;

    internal StoreSpec Spec(StoreMode mode = StoreMode.Facts, string collection = "gpu-metadata") =>
        new(Address, collection, mode) { Patience = TimeSpan.FromMinutes(1) };

    internal abstract StoreAddress Address { get; }

    /// <summary>Whether nothing at all of a batch is there when its dead letters could not be kept.</summary>
    internal virtual bool IsTransactional => true;

    internal IDocumentStore Open(StoreMode mode = StoreMode.Facts, string collection = "gpu-metadata") => StoresModule.Open(Spec(mode, collection), TimeProvider.System);

    internal string AnotherCollection() => $"another{++_collections}";

    /// <summary>Documents whose id begins with <c>poison</c> are refused from now on. The collection is there.</summary>
    internal abstract Task RefusePoisonAsync();

    internal abstract Task StopAsync();

    internal abstract Task StartAsync();

    public abstract ValueTask DisposeAsync();
}
