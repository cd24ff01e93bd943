using Stoker.Streams.Archive;
using Stoker.Tests.Streams.Log.Shared;

namespace Stoker.Tests.Streams.Archive;

/// <summary>A directory on a disk in memory that does what the test says before each call.</summary>
internal sealed class FakeArchive(SimulatedDisk disk, string root) : IArchiveStore
{
    private readonly DirectoryArchive _inner = new(disk, root);
    private readonly Lock _access = new();
    private readonly List<string> _puts = [];
    private int _calls;

    /// <summary>Instead of the call: its number and the object's name.</summary>
    public Func<int, string, Exception?>? Before { get; set; }

    /// <summary>What a call waits for, by the object's name; null: nothing.</summary>
    public Func<string, Task?>? Hold { get; set; }

    /// <summary>Although it was done.</summary>
    public Func<int, string, Exception?>? After { get; set; }

    /// <summary>The names in the order in which they were put.</summary>
    public IReadOnlyList<string> Puts
    {
        get
        {
            lock (_access) return [.. _puts];
        }
    }

    public async Task PutAsync(string name, Stream content, ReadOnlyMemory<byte> sha256, CancellationToken cancellation)
    {
        var call = Interlocked.Increment(ref _calls);
        if (Before?.Invoke(call, name) is { } refused) throw refused;
        if (Hold?.Invoke(name) is { } held) await held;
        await _inner.PutAsync(name, content, sha256, cancellation);
        lock (_access) _puts.Add(name);
        if (After?.Invoke(call, name) is { } broken) throw broken;
    }

    public Task<Stream?> ReadAsync(string name, CancellationToken cancellation) => _inner.ReadAsync(name, cancellation);

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellation) => _inner.ListAsync(prefix, cancellation);

    public void Dispose() => _inner.Dispose();
}
