using Stoker.Platform.Disks;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Positions;

namespace Stoker.Streams.Archive;

/// <summary>The archive's position as the embedded log keeps it, which deletes nothing from there on. One that is new begins where the archive itself says that it ends.</summary>
internal sealed class KeptPosition(IArchiveStore store, string stream, Partition partition) : IArchivePosition
{
    private PositionFile? _kept;

    public Task<PartitionHold> HoldAsync(CancellationToken cancellation) => partition.HoldAsync(ArchiveModule.Consumer, cancellation);

    public async Task<ArchivePoint> TakeAsync(CancellationToken cancellation)
    {
        var kept = _kept = partition.Position(ArchiveModule.Consumer);
        if (!kept.Current.Required) Set(kept.Current with { Required = true });
        if (kept.Current.Epoch == 0)
        {
            var last = await LastAsync(cancellation);
            Set(last is { } there && there.Next > kept.Current.Next ? kept.Current with { Epoch = 1, Next = there.Next, Hash = there.Hash } : kept.Current with { Epoch = 1 });
        }

        return new ArchivePoint(kept.Current.Next, kept.Current.Hash);
    }

    public void Keep(ArchivePoint point) => Set(_kept!.Current with { Next = point.Next, Hash = point.Hash });

    /// <summary>A name says where an object begins, and the next one of its name replaces it.</summary>
    public Task<ulong?> LeftoverAsync(ArchivePlace place, CancellationToken cancellation) => Task.FromResult<ulong?>(null);

    /// <summary>Whoever has the log open is the only one.</summary>
    public Task<bool> IsOvertakenAsync(ArchivePlace place, CancellationToken cancellation) => Task.FromResult(false);

    /// <summary>Where the archive ends; null: it has nothing of this partition.</summary>
    private async Task<ArchivePoint?> LastAsync(CancellationToken cancellation)
    {
        (string Name, ulong First)? last = null;
        await foreach (var name in store.ListAsync(ArchiveNames.Manifests(stream, partition.Log.ToString(), partition.Number), cancellation))
        {
            if (ArchiveNames.Read(name) is { } read && !(last?.First >= read.First)) last = (name, read.First);
        }

        if (last is null || await ManifestReading.ReadAsync(store, last.Value.Name, cancellation) is not { EndHash: { } hash } manifest) return null;
        // It must not become a position in the log.
        return manifest.NextOffset <= partition.NextOffset ? new ArchivePoint(manifest.NextOffset, hash) : throw new ArchiveUnavailableException(ArchiveWorker.Ahead(manifest.NextOffset, partition));
    }

    private void Set(Position position)
    {
        if (_kept!.Current == position) return;
        DiskCalls.Check(_kept.Set(position), "write the position of the archive in", $"partition {partition.Number}");
    }
}
