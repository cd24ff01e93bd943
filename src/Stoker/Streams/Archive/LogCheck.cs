using System.Security.Cryptography;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Transform;

namespace Stoker.Streams.Archive;

/// <summary>Holds a manifest to the log, where it still has the events: its running hash, and the raw lines made anew.</summary>
internal static class LogCheck
{
    /// <returns>What is wrong, and how many events were made anew and are the same.</returns>
    /// <exception cref="IOException">The log cannot be read.</exception>
    public static (IReadOnlyList<string> Faults, long Held) Run(LogId log, PartitionFiles partition, ArchiveManifest manifest, CancellationToken stop)
    {
        var faults = new List<string>();
        if (partition.HashBefore(manifest.NextOffset) is { } hash && hash.ToString() != manifest.Hash)
            faults.Add($"the log's running hash before event {manifest.NextOffset} is {hash}, and the archive has {manifest.Hash}: the events are not the same");
        var raw = manifest.Objects.FirstOrDefault(made => made.What == ArchiveSpec.Raw);
        if (raw is null || manifest.FirstOffset < partition.BeginOffset || manifest.NextOffset > partition.NextOffset) return (faults, 0);
        if (SumOf(log, partition, manifest, stop) is not { } sum) return (faults, 0);
        if (sum == raw.ContentSha256) return (faults, manifest.Events);
        faults.Add($"the raw lines of events {manifest.FirstOffset} to {manifest.NextOffset - 1} are not those that the log gives");
        return (faults, 0);
    }

    /// <summary>Of the raw lines; null: the log does not have them as they were then.</summary>
    private static string? SumOf(LogId log, PartitionFiles partition, ArchiveManifest manifest, CancellationToken stop)
    {
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var lines = new EventLines(log, partition.Partition, EventTransform.Of(null));
        var events = 0L;
        foreach (var outcome in partition.Read(manifest.FirstOffset))
        {
            stop.ThrowIfCancellationRequested();
            if (outcome is ReadOutcome.Gap gap && gap.From < manifest.NextOffset) continue;
            if (outcome is not ReadOutcome.Batch { Value: var batch }) return null;
            using (batch)
            {
                foreach (var record in batch)
                {
                    if (record.Offset >= manifest.NextOffset) break;
                    lines.Begin(record);
                    sum.AppendData(lines.Raw());
                    events++;
                }

                if (batch.NextOffset >= manifest.NextOffset) break;
            }
        }

        // Fewer: some were damaged since, and taken out of the log.
        return events == manifest.Events ? Convert.ToHexStringLower(sum.GetHashAndReset()) : null;
    }
}
