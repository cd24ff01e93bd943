using Stoker.Streams.Log;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Archive;

/// <summary>When an event was archived, as the archive itself says it: for what an earlier process did. From any thread.</summary>
internal sealed class ArchiveLookup(IArchiveStore store, string stream, LogId log)
{
    /// <summary>Somebody waits for the answer, and it may be left out.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <param name="logged">When the log took the event.</param>
    /// <returns>Microseconds of UTC; null: it is not found where it should be, or the archive does not answer.</returns>
    public long? Find(int partition, ulong offset, DateTimeOffset logged)
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            return FindAsync(partition, offset, logged, patience.Token).GetAwaiter().GetResult();
        }
        catch (Exception failed) when (failed is IOException or OperationCanceledException)
        {
            return null;
        }
    }

    private async Task<long?> FindAsync(int partition, ulong offset, DateTimeOffset logged, CancellationToken stop)
    {
        (string Name, ulong First)? last = null;
        // An object has the events of one day.
        var day = ArchiveNames.Manifests(stream, new ArchivePlace(log.ToString(), partition, 0, LogModule.MicrosecondsOf(logged)));
        await foreach (var name in store.ListAsync(day, stop))
        {
            if (ArchiveNames.Read(name) is { } read && read.First <= offset && !(last?.First >= read.First)) last = (name, read.First);
        }

        if (last is null || await ManifestReading.ReadAsync(store, last.Value.Name, stop) is not { } manifest) return null;
        return offset < manifest.NextOffset ? LogModule.MicrosecondsOf(manifest.Archived) : null;
    }
}
