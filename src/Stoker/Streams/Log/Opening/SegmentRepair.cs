using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Writing;

namespace Stoker.Streams.Log.Opening;

/// <summary>Puts gaps in the place of what is damaged in one partition's segments. Each answers whether it has changed anything.</summary>
internal sealed class SegmentRepair(IDisk disk, string directory, string aside, LogId log, PartitionFindings found, LogOptions options)
{
    /// <summary>More records than the largest segment can have: where nobody knows how many were lost, no offset that was given is given again.</summary>
    private const uint MostRecords = 1 << 26;

    private readonly int _partition = found.Partition;
    private readonly ulong _tag = log.TagOf(found.Partition);
    private readonly SegmentFiles _files = new(disk, directory);

    public bool MoveAside(LogDamage damage)
    {
        var from = Path.Combine(directory, Path.GetFileName(damage.File));
        if (disk.ReadFile(from) is null) return true;
        DiskCalls.Check(disk.Rename(from, FreeName(Path.GetFileName(damage.File))), "move", from);
        DiskCalls.Check(disk.SyncDirectory(aside), "sync", aside);
        DiskCalls.Check(disk.SyncDirectory(directory), "sync", directory);
        return true;
    }

    /// <summary>In the place of a segment that is not there: one with nothing but a gap.</summary>
    public bool Replace(LogDamage damage)
    {
        var header = new SegmentHeader(log, _partition, options.SegmentBytes, damage.FirstOffset, HashBefore(damage.FirstOffset));
        using var file = _files.Make(header, out var error);
        DiskCalls.Check(error, "make a segment in", directory);
        var tally = new SegmentTally(header);
        WriteGap(file!, tally, Blocks.Size, damage.NextOffset, damage.NextOffset is { } next ? HashBeforeSegment(next) : null);
        if (damage.NextOffset is not null) Seal(file!, tally, damage.File);
        return true;
    }

    /// <summary>What the first block says is known from elsewhere, if the batches behind it are this log's; else the file is none of ours.</summary>
    public bool RestoreHeader(LogDamage damage)
    {
        var path = Path.Combine(directory, Path.GetFileName(damage.File));
        using (var file = disk.OpenOrThrow(path, DiskAccess.ReadWrite))
        {
            var block = new byte[Blocks.Size];
            var isOurs = file.ReadAll(SegmentHeader.Size, block) == block.Length
                && BatchHeader.TryRead(block, out var first) && first.Tag == _tag && first.FirstOffset == damage.FirstOffset;
            if (isOurs)
            {
                _ = BatchHeader.TryRead(block, out first);
                CopyAside(file, damage.File, 0, SegmentHeader.Size);
                var header = new SegmentHeader(log, _partition, Math.Max(Blocks.Up(file.Length), options.SegmentBytes), damage.FirstOffset, first.Before);
                Write(file, 0, header.ToBytes(), damage.File);
                DiskCalls.Check(file.Sync(), "sync", path);
                return true;
            }
        }

        return MoveAside(damage);
    }

    /// <summary>Damaged batches, and a seal that is: the next survey finds a segment that is whole.</summary>
    public bool CutOut(LogDamage damage)
    {
        var path = Path.Combine(directory, Path.GetFileName(damage.File));
        using var file = disk.OpenOrThrow(path, DiskAccess.ReadWrite);
        var block = new byte[SegmentHeader.Size];
        DiskCalls.Check(file.ReadAll(0, block) == block.Length && SegmentHeader.TryRead(block, out var header) ? 0 : Errno.InputOutput, "read", path);
        _ = SegmentHeader.TryRead(block, out header);
        var scan = SegmentScan.Run(file, header);
        if (scan.Damages.Count == 0 && damage.Kind != DamageKind.SegmentSeal) return false;
        foreach (var each in scan.Damages) CopyAside(file, damage.File, each.FromByte, Math.Min(each.ToByte, file.Length));
        foreach (var each in scan.LastIsDamaged ? scan.Damages.SkipLast(1) : scan.Damages)
        {
            if (each.ToByte > each.FromByte) WriteGapAt(file, each, damage.File);
        }

        // The segment that is written has no seal yet. Of another the survey knows where the next begins, which the scan of this one does not.
        if (scan.Seal is null && found.Active?.Path != path) return SealAnew(file, header, damage, path);
        if (scan.LastIsDamaged) EndWithGap(file, scan.Tally, scan.Damages[^1], path);
        DiskCalls.Check(file.Sync(), "sync", path);
        return true;
    }

    /// <summary>Somebody has seen records that are not there: their offsets are not given again.</summary>
    public bool Extend(LogDamage damage)
    {
        using var file = disk.OpenOrThrow(found.Active!.Path, DiskAccess.ReadWrite);
        DiskCalls.Check(file.Allocate(Math.Max(file.Length, found.Active.Tally.Header.Capacity)), "claim room for", found.Active.Path);
        WriteGap(file, found.Active.Tally, Blocks.Size, damage.NextOffset, null);
        return true;
    }

    private bool SealAnew(IDiskFile file, in SegmentHeader header, LogDamage damage, string path)
    {
        var scan = SegmentScan.Run(file, header);
        var next = damage.NextOffset ?? throw new InvalidOperationException("a segment that another follows ends where that begins");
        if (scan.Tally.NextOffset < next)
        {
            // Only the last of them: what is before it has its gap by now.
            if (found.Damages.Any(each => each.File == damage.File && each.NextOffset > next)) return true;
            WriteGap(file, scan.Tally, Blocks.Size, next, HashBeforeSegment(next));
        }

        Seal(file, scan.Tally, path);
        return true;
    }

    private void EndWithGap(IDiskFile file, SegmentTally tally, ScanDamage damage, string path)
    {
        var length = (int)(Blocks.Up(damage.ToByte) - damage.FromByte);
        DiskCalls.Check(file.Allocate(Math.Max(file.Length, damage.FromByte + length)), "claim room for", path);
        Write(file, damage.FromByte, new byte[length], path);
        var known = damage.NextOffset ?? damage.FirstOffset + (ulong)(length / BatchRecords.HeadSize) + 1;
        WriteGap(file, tally, length, known, damage.After);
    }

    private void WriteGapAt(IDiskFile file, ScanDamage damage, string path)
    {
        var gap = Gap((int)(damage.ToByte - damage.FromByte), damage.FirstOffset, damage.NextOffset!.Value, damage.Before, damage.After ?? damage.Before, damage.FromByte);
        Write(file, damage.FromByte, gap, path);
    }

    private void WriteGap(IDiskFile file, SegmentTally tally, int length, ulong? next, RunningHash? after)
    {
        var to = next ?? tally.NextOffset + MostRecords;
        var gap = Gap(length, tally.NextOffset, to, tally.Hash, after ?? tally.Hash.AddGap(to - tally.NextOffset), tally.Position);
        Write(file, tally.Position, gap, directory);
        DiskCalls.Check(file.Sync(), "sync", directory);
        _ = BatchHeader.TryRead(gap, out var header);
        tally.Add(header);
    }

    private byte[] Gap(int length, ulong first, ulong next, RunningHash before, RunningHash after, long position)
    {
        var block = new byte[Blocks.Size];
        block.AsSpan(BatchHeader.Size).Fill(Blocks.Padding);
        new BatchHeader(true, Crc32C.Of(block.AsSpan(BatchHeader.Size)), length, first, (uint)(next - first), 0, 0, 0, before, after, _tag, position).Write(block);
        return block;
    }

    /// <summary>After what is before a place; of nothing where that is not known either.</summary>
    private RunningHash HashBefore(ulong offset) =>
        found.Reports.LastOrDefault(report => report.NextOffset == offset)?.Hash
        ?? (offset == 0 ? log.Start(_partition)
            : found.Begin?.Position is { } begin && begin.Next == offset ? begin.Hash
            : default);

    private RunningHash? HashBeforeSegment(ulong offset) =>
        found.Sealed.FirstOrDefault(entry => entry.FirstOffset == offset)?.Before ?? (found.Active?.Tally.Header is { } active && active.FirstOffset == offset ? active.Before : null);

    private void CopyAside(IDiskFile file, string name, long from, long to)
    {
        var bytes = new byte[to - from];
        var count = Math.Max(0, file.ReadAll(from, bytes));
        disk.WriteFile(FreeName($"{Path.GetFileName(name)}.{from}-{to}"), bytes.AsSpan(0, count));
    }

    private string FreeName(string name)
    {
        var taken = disk.List(aside) ?? [];
        var free = $"{_partition}-{name}";
        for (var number = 2; taken.Contains(free); number++) free = $"{_partition}-{name}.{number}";
        return Path.Combine(aside, free);
    }

    private static void Seal(IDiskFile file, SegmentTally tally, string path) => DiskCalls.Check(SegmentFiles.Seal(file, tally, out _, out _), "seal", path);

    private static void Write(IDiskFile file, long position, ReadOnlySpan<byte> bytes, string path) => DiskCalls.Check(file.WriteAll(position, bytes), "write", path);
}
