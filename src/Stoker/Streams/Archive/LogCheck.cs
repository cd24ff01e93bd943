using System.Security.Cryptography;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Transform;

namespace Stoker.Streams.Archive;

/// <summary>Holds a partition's manifests, in their order, to the log where it still has the events: its running hash, and the raw lines made anew.</summary>
internal sealed class LogCheck(LogView log, IPartitionView partition) : IDisposable
{
    private readonly EventLines _lines = new(log.Name, partition.Partition, EventTransform.Of(null));
    private IEnumerator<Found>? _found;
    private ulong _at;

    /// <returns>What is wrong, and how many events were made anew and are the same.</returns>
    /// <exception cref="IOException">The log cannot be read.</exception>
    public (IReadOnlyList<string> Faults, long Held) Run(ArchiveManifest manifest, CancellationToken stop)
    {
        var faults = new List<string>();
        if (!log.IsRemote && partition.HashBefore(manifest.NextOffset) is { } known && known.ToString() != manifest.Hash)
            faults.Add($"the log's running hash before event {manifest.NextOffset} is {known}, and the archive has {manifest.Hash}: the events are not the same");
        var raw = manifest.Objects.FirstOrDefault(made => made.What == ArchiveSpec.Raw);
        if (manifest.FirstOffset < partition.BeginOffset || manifest.NextOffset > partition.NextOffset || (raw is null && !log.IsRemote)) return (faults, 0);
        if (SumOf(manifest, stop) is not { } made) return (faults, 0);
        var isSame = true;
        if (log.IsRemote && made.Hash is { } hash && hash.ToString() != manifest.Hash)
        {
            isSame = false;
            faults.Add($"the hash of events {manifest.FirstOffset} to {manifest.NextOffset - 1}, counted anew, is {hash}, and the archive has {manifest.Hash}: the events are not the same");
        }

        if (raw is not null && made.Sum != raw.ContentSha256)
        {
            isSame = false;
            faults.Add($"the raw lines of events {manifest.FirstOffset} to {manifest.NextOffset - 1} are not those that the log gives");
        }

        return (faults, isSame ? manifest.Events : 0);
    }

    public void Dispose()
    {
        _found?.Dispose();
        _lines.Dispose();
    }

    /// <summary>Of the raw lines, and the hash counted on over the events; null: the log does not have them as they were then.</summary>
    private (string Sum, RunningHash? Hash)? SumOf(ArchiveManifest manifest, CancellationToken stop)
    {
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var hash = log.IsRemote ? manifest.StartHash : null;
        var events = 0L;
        Begin(manifest.FirstOffset);
        while (_at < manifest.NextOffset && _found!.MoveNext())
        {
            stop.ThrowIfCancellationRequested();
            var each = _found.Current;
            if (each.Record is null && each.Gap is { } end)
            {
                _at = end;
                continue;
            }

            if (each.Record is not { } record) return null;
            _at = record.Offset + 1;
            _lines.Begin(record, each.Came);
            sum.AppendData(_lines.Raw());
            hash = hash is { } before ? CountedHash.Add(before, record, each.Came) : null;
            events++;
        }

        // Fewer: some were damaged since, and taken out of the log.
        return events == manifest.Events ? (Convert.ToHexStringLower(sum.GetHashAndReset()), hash) : null;
    }

    /// <summary>What was read last goes on where this begins, or is read anew.</summary>
    private void Begin(ulong from)
    {
        if (_found is not null && _at == from) return;
        _found?.Dispose();
        (_found, _at) = (Records(from).GetEnumerator(), from);
    }

    private IEnumerable<Found> Records(ulong from)
    {
        foreach (var outcome in partition.Read(from))
        {
            if (outcome is ReadOutcome.Gap gap)
            {
                yield return new Found(null, default, gap.To);
            }
            else if (outcome is ReadOutcome.Batch { Value: var batch })
            {
                using (batch)
                {
                    foreach (var record in batch) yield return new Found(record, batch.AsItCame(record), null);
                }
            }
            else
            {
                yield return default;
            }
        }
    }

    /// <param name="Record">Null: there is none to be had, or a gap.</param>
    /// <param name="Gap">The first offset behind it.</param>
    private readonly record struct Found(LogRecord? Record, ReadOnlyMemory<byte> Came, ulong? Gap);
}
