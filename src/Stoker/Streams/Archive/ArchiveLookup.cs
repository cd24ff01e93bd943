using Stoker.Streams.Log;

namespace Stoker.Streams.Archive;

/// <summary>When an event was archived, as the archive itself says it: for what an earlier process did. From any thread.</summary>
internal sealed class ArchiveLookup(IArchiveStore store, string stream, string log)
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
        // An object has the events of one day, or of a topic, whose messages have their producers' times, some of the day before.
        for (var day = 0; day < 2; day++)
        {
            ArchiveName? last = null;
            var lastName = "";
            await foreach (var name in store.ListAsync(ArchiveNames.Manifests(stream, new ArchivePlace(log, partition, 0, LogModule.MicrosecondsOf(logged.AddDays(day)))), stop))
            {
                if (ArchiveNames.Read(name) is not { } read || read.First > offset || read.Next <= offset || last?.First >= read.First) continue;
                (last, lastName) = (read, name);
            }

            if (last is null || await ManifestReading.ReadAsync(store, lastName, stop) is not { } manifest) continue;
            if (offset < manifest.NextOffset) return LogModule.MicrosecondsOf(manifest.Archived);
        }

        return null;
    }
}
