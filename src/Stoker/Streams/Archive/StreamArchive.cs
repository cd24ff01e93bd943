using Stoker.Platform.Disks;
using Stoker.Streams.Log;
using Stoker.Streams.Transform;

namespace Stoker.Streams.Archive;

/// <summary>The archive of a running stream: its place, and a worker for each partition.</summary>
internal sealed class StreamArchive : IDisposable
{
    /// <summary>Where in a stream's directory objects are while they are made.</summary>
    public const string SpoolDirectory = "archive";

    private readonly IArchiveStore _store;

    private readonly ArchiveLookup _lookup;

    private StreamArchive(string address, IArchiveStore store, ArchiveLookup lookup, IReadOnlyList<ArchiveWorker> workers) => (Address, _store, _lookup, Workers) = (address, store, lookup, workers);

    /// <summary>As it may be shown.</summary>
    public string Address { get; }

    /// <summary>One for each partition.</summary>
    public IReadOnlyList<ArchiveWorker> Workers { get; }

    /// <param name="directory">The stream's.</param>
    /// <param name="variable">Of the environment, by its name.</param>
    /// <exception cref="ArchiveUnavailableException">The spec names a place that is none.</exception>
    public static StreamArchive Open(
        string stream, IEventLog log, ArchiveSpec spec, string directory, EventTransform transform, IDisk disk, Func<string, string?> variable, TimeProvider clock, Action<string> say)
    {
        var store = ArchiveModule.Open(spec, disk, variable);
        var spool = Path.Combine(directory, SpoolDirectory);
        var workers = log.Partitions.Select(partition => new ArchiveWorker(stream, partition, spec, store, disk, spool, transform, clock, say));
        return new StreamArchive(spec.To, store, new ArchiveLookup(store, stream, log.Name), [.. workers]);
    }

    /// <summary>A stream that has no archive (any more): retention waits for none.</summary>
    /// <exception cref="IOException"/>
    public static void Release(StreamLog log)
    {
        foreach (var partition in log.Partitions) partition.Release(ArchiveModule.Consumer);
    }

    /// <summary>Whether an event is archived, and when, microseconds of UTC; null: not known. May ask the archive: not on an event loop.</summary>
    /// <param name="logged">When the log took the event; null: not known.</param>
    public (bool IsArchived, long? At) Find(int partition, ulong offset, DateTimeOffset? logged)
    {
        var worker = Workers[partition];
        // By another process, which only the archive tells.
        if (worker.Progress.IsElsewhere) return logged is { } taken && _lookup.Find(partition, offset, taken) is { } at ? (true, at) : (false, null);
        if (offset >= worker.Progress.Next) return (false, null);
        return (true, worker.Times.Of(offset) ?? (logged is { } time ? _lookup.Find(partition, offset, time) : null));
    }

    public void Dispose()
    {
        foreach (var worker in Workers) worker.Dispose();
        _store.Dispose();
    }
}
