using Stoker.Streams.Log;
using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Archive;

/// <summary>
/// The archive's position in a topic, which any process of the group may go on from: the end of the last manifest. Nothing else keeps it, so that it is never ahead of what is
/// durable.
/// <code>
/// taken: manifests listed ─► the last one's end ─► objects without a manifest begin there? ─► this run ends where they end, and replaces them
/// put:   objects ─► has anybody put a manifest from here on? ─┬─ no: the manifest
///                                                             └─ yes: the partition is another process's; taken anew
/// </code>
/// An object's name has where it begins and where it ends: what a process still puts that was frozen and does not know that it was replaced stands beside what its successor
/// has put, and takes nothing away from it.
/// </summary>
internal sealed class ManifestPosition(IArchiveStore store, string stream, IEventPartition partition) : IArchivePosition
{
    public Task<PartitionHold> HoldAsync(CancellationToken cancellation) => partition.HoldAsync(ArchiveModule.Consumer, cancellation);

    public async Task<ArchivePoint> TakeAsync(CancellationToken cancellation)
    {
        if (await LastAsync(store, stream, partition.LogName, partition.Number, cancellation) is not { EndHash: { } hash } last)
            return new ArchivePoint(partition.BeginOffset, CountedHash.Start(partition.LogName, partition.Number));
        if (last.LastEvent is { } expected && partition.Contradicts(last.NextOffset, 0) is null && LastEvent(last.NextOffset - 1) is { } found && found != expected)
        {
            throw new ArchiveUnavailableException(
                $"event {last.NextOffset - 1} of the topic is not the one that was archived: the topic was made anew, or its records were lost and written again; give it an archive in another place");
        }

        return new ArchivePoint(last.NextOffset, hash);
    }

    public void Keep(ArchivePoint point)
    {
        // It is the manifest's end.
    }

    public async Task<ulong?> LeftoverAsync(ArchivePlace place, CancellationToken cancellation)
    {
        ulong? end = null;
        foreach (var what in new[] { ArchiveSpec.Raw, ArchiveSpec.Enriched })
        {
            await foreach (var name in store.ListAsync(ArchiveNames.Objects(stream, what, place), cancellation))
            {
                if (ArchiveNames.Read(name) is { Next: { } next } read && read.First == place.First && !(end > next)) end = next;
            }
        }

        return end;
    }

    public async Task<bool> IsOvertakenAsync(ArchivePlace place, CancellationToken cancellation)
    {
        await foreach (var name in store.ListAsync(ArchiveNames.Manifests(stream, place), cancellation))
        {
            if (ArchiveNames.Read(name) is { } read && read.First >= place.First && (read.First, read.Next) != (place.First, place.Next)) return true;
        }

        return false;
    }

    /// <summary>The manifest at which a topic's archive ends; null: it has nothing of this partition.</summary>
    /// <exception cref="ArchiveUnavailableException"/>
    public static async Task<ArchiveManifest?> LastAsync(IArchiveStore store, string stream, string log, int partition, CancellationToken cancellation)
    {
        (string Name, ulong Next)? last = null;
        await foreach (var name in store.ListAsync(ArchiveNames.Manifests(stream, log, partition), cancellation))
        {
            if (ArchiveNames.Read(name) is { Next: { } next } && !(last?.Next >= next)) last = (name, next);
        }

        return last is null ? null : await ManifestReading.ReadAsync(store, last.Value.Name, cancellation);
    }

    /// <summary>Null: the topic does not have it any more.</summary>
    private string? LastEvent(ulong offset)
    {
        if (partition.Find(offset) is not ReadOutcome.Batch { Value: var batch }) return null;
        using (batch)
        {
            foreach (var record in batch) return record.Offset == offset ? CountedHash.Of(partition.LogName, partition.Number, record, batch.AsItCame(record)).ToString() : null;
        }

        return null;
    }
}
