using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Positions;

namespace Stoker.Streams.Log.Opening;

/// <summary>
/// Reads a partition's directory and holds it together: every segment follows on the one before it, the first holds the beginning, the last is open, and no consumer
/// is further than the records go. Changes nothing.
/// </summary>
/// <param name="everyByte">Also of the sealed segments; without, their seals are believed.</param>
internal sealed class PartitionSurvey(IDisk disk, string root, LogId log, int partition, bool everyByte)
{
    public const string BeginName = "begin" + PositionFile.Ending;

    private readonly PartitionFindings _found = new(partition);
    private readonly string _directory = Path.Combine(root, partition.ToString());
    private readonly ulong _tag = log.TagOf(partition);
    private ulong? _expected;
    private RunningHash? _hash;

    /// <exception cref="IOException"/>
    public PartitionFindings Run()
    {
        if (disk.List(_directory) is not { } names)
        {
            _found.Damages.Add(new LogDamage(DamageKind.PartitionMissing, partition, partition.ToString(), 0, null, 0, 0, "the partition's directory is not there"));
            return _found;
        }

        _found.Leftovers.AddRange(names.Where(name => name.EndsWith(".tmp", StringComparison.Ordinal)).Select(PathOf));
        var begin = ReadPositions(names);
        var segments = names.Select(SegmentEntry.OffsetOf).OfType<ulong>().ToList();
        while (segments.Count > 1 && segments[1] <= begin)
        {
            _found.Leftovers.Add(PathOf(SegmentEntry.NameOf(segments[0])));
            segments.RemoveAt(0);
        }

        if (segments.Count == 0) AddMissing(begin, null);
        else if (segments[0] > begin && _found.Begin is not null) AddMissing(begin, segments[0]);
        for (var i = 0; i < segments.Count; i++) LookAt(segments[i], i == segments.Count - 1 ? null : segments[i + 1], i == segments.Count - 2);
        if (segments.Count > 0 && _found.Active is null && !_found.Damages.Any(found => found.Kind == DamageKind.SegmentHeader && found.NextOffset is null))
            AddMissing(_expected ?? segments[^1], null);
        CheckPositions();
        return _found;
    }

    private ulong ReadPositions(IReadOnlyList<string> names)
    {
        foreach (var name in names.Where(name => name.EndsWith(PositionFile.Ending, StringComparison.Ordinal)).Append(BeginName).Distinct())
        {
            var reading = PositionFile.Read(disk, PathOf(name), _tag);
            _found.Positions[name] = reading;
            if (reading is PositionReading.Found { OneSlotIsBad: true }) _found.Notes.Add($"{Relative(name)}: one of its two slots is not whole; the position may be one step old");
            if (reading is PositionReading.Damaged damaged) AddPosition(name, damaged.Words);
        }

        if (_found.Positions[BeginName] is PositionReading.Missing) AddPosition(BeginName, "it is not there, so nobody knows where the log begins");
        _found.Begin = _found.Positions[BeginName] as PositionReading.Found;
        return _found.Begin?.Position.Next ?? 0;
    }

    private void AddPosition(string name, string words) =>
        _found.Damages.Add(new LogDamage(DamageKind.Position, partition, Relative(name), 0, 0, 0, 0, words));

    private void AddMissing(ulong first, ulong? next) => _found.Damages.Add(new LogDamage(
        DamageKind.SegmentMissing, partition, Relative(SegmentEntry.NameOf(first)), first, next, 0, 0, "a segment is not there"));

    /// <param name="next">Where the segment behind it begins; null: it is the last.</param>
    private void LookAt(ulong name, ulong? next, bool isSecondLast)
    {
        if (_expected < name) AddMissing(_expected.Value, name);
        if (_expected > name)
        {
            Add(DamageKind.SegmentStray, name, new ScanDamage(name, name, 0, 0, $"it begins before the segment before it ends, at {_expected}; it is a copy, or from elsewhere"));
            return;
        }

        if (_expected != name) _hash = null;
        var path = PathOf(SegmentEntry.NameOf(name));
        using var file = disk.Open(path, DiskAccess.Read, out var error);
        if (file is null)
        {
            // While it is written retention may take it, between the listing and now.
            if (error != Errno.NoEntry) throw Errno.Failed($"cannot open `{path}`", error);
            AddMissing(name, next);
            (_expected, _hash) = (next, null);
            return;
        }

        var length = file.Length;
        var block = new byte[SegmentHeader.Size];
        var wrong = file.ReadAll(0, block) switch
        {
            < 0 and var failed => $"it cannot be read: {Errno.Text(-failed)}",
            0 => "the file is empty",
            < SegmentHeader.Size => "the file ends within its first block",
            _ => SegmentHeader.TryRead(block, out var read) ? Mistake(read, name) : "the checksum of its first block is wrong",
        };
        if (wrong is not null)
        {
            Add(DamageKind.SegmentHeader, name, new ScanDamage(name, next, 0, length, wrong));
            (_expected, _hash) = (next, null);
            return;
        }

        _ = SegmentHeader.TryRead(block, out var header);
        if (!everyByte && ReadSeal(file, header, length) is { } seal) AddSealed(path, header, seal, length);
        else Scan(file, path, header, next, isSecondLast);
    }

    private string? Mistake(in SegmentHeader header, ulong name) =>
        header.Log != log ? $"it belongs to another log, {header.Log}"
        : header.Partition != partition ? $"it belongs to partition {header.Partition}"
        : header.FirstOffset != name ? $"it begins at {header.FirstOffset}, and not as its name says"
        : _hash is { } hash && hash != header.Before ? "it does not follow on the segment before it"
        : null;

    private SegmentSeal? ReadSeal(IDiskFile file, in SegmentHeader header, long length)
    {
        var trailer = new byte[SegmentSeal.TrailerSize];
        if (length <= SegmentHeader.Size || file.ReadAll(length - trailer.Length, trailer) != trailer.Length) return null;
        var position = SegmentSeal.PositionFrom(trailer);
        if (position < SegmentHeader.Size || position >= length || length - position > int.MaxValue) return null;
        var bytes = new byte[length - position];
        if (file.ReadAll(position, bytes) != bytes.Length || SegmentSeal.TryRead(bytes, _tag, position) is not { } seal) return null;
        return seal.FirstOffset == header.FirstOffset && seal.Before == header.Before ? seal : null;
    }

    private void AddSealed(string path, in SegmentHeader header, SegmentSeal seal, long length)
    {
        _found.Sealed.Add(new SegmentEntry(path, header.FirstOffset, seal.NextOffset, seal.GreatestTime, length, header.Before));
        _found.Reports.Add(new SegmentReport(partition, RelativePath(path), header.FirstOffset, seal.NextOffset, seal.NextOffset - seal.FirstOffset, length, true, seal.Hash, []));
        (_expected, _hash) = (seal.NextOffset, seal.Hash);
    }

    private void Scan(IDiskFile file, string path, in SegmentHeader header, ulong? next, bool isSecondLast)
    {
        var scan = SegmentScan.Run(file, header);
        var (tally, before) = (scan.Tally, _found.Damages.Count);
        if (scan.Seal is { } seal)
        {
            AddDamages(header.FirstOffset, scan.Damages, DamageKind.Batches);
            _found.Sealed.Add(new SegmentEntry(path, header.FirstOffset, seal.NextOffset, seal.GreatestTime, scan.End, header.Before));
            if (scan.End < file.Length) _found.ToCut = (path, scan.End);
            (_expected, _hash) = (seal.NextOffset, seal.Hash);
        }
        else if (next is { } behind)
        {
            LookAtUnsealed(scan, path, behind, isSecondLast);
        }
        else
        {
            AddDamages(header.FirstOffset, scan.Damages, scan.LastIsDamaged ? DamageKind.LastBatch : DamageKind.Batches);
            _found.Active = new OpenSegment(path, tally, file.Length, scan.LastIsDamaged ? 0 : scan.Torn);
            if (_found.Active.Torn > 0 || file.Length < header.Capacity) AddTorn(_found.Active, header.Capacity);
            (_expected, _hash) = (tally.NextOffset, tally.Hash);
        }

        var damages = _found.Damages.Skip(before).ToList();
        var lost = damages.Aggregate(0UL, (sum, each) => sum + (Math.Min(each.NextOffset ?? each.FirstOffset, tally.NextOffset) - Math.Min(each.FirstOffset, tally.NextOffset)));
        _found.Reports.Add(new SegmentReport(
            partition, RelativePath(path), header.FirstOffset, tally.NextOffset, tally.NextOffset - header.FirstOffset - lost,
            scan.Seal is null ? tally.Position : scan.End, scan.Seal is not null, tally.Hash, damages));
    }

    /// <summary>The next segment is made when all of this one is on the disk; only its seal may be missing then, and only until something is in the next.</summary>
    private void LookAtUnsealed(SegmentScanned scan, string path, ulong next, bool isSecondLast)
    {
        var (tally, first) = (scan.Tally, scan.Tally.Header.FirstOffset);
        var hasAll = tally.NextOffset == next;
        var inside = scan.LastIsDamaged ? scan.Damages.SkipLast(1).ToList() : scan.Damages;
        AddDamages(first, inside, DamageKind.Batches);
        if (hasAll && inside.Count == 0 && isSecondLast && IsEmpty(PathOf(SegmentEntry.NameOf(next))))
        {
            _found.ToSeal = new OpenSegment(path, tally, scan.End, scan.Torn);
            if (scan.Torn > 0) _found.Notes.Add($"{RelativePath(path)}: its seal was not whole and is written anew; all of its records are there");
        }
        else
        {
            var end = Math.Max(tally.Position, scan.End);
            Add(
                hasAll ? DamageKind.SegmentSeal : DamageKind.Batches, first,
                new ScanDamage(tally.NextOffset, next, tally.Position, end, hasAll ? "its seal is not whole" : "its last batches and its seal are not whole"));
        }

        (_expected, _hash) = (next, hasAll ? tally.Hash : null);
    }

    private void AddDamages(ulong segment, IReadOnlyList<ScanDamage> damages, DamageKind last)
    {
        for (var i = 0; i < damages.Count; i++) Add(i < damages.Count - 1 ? DamageKind.Batches : last, segment, damages[i]);
    }

    private bool IsEmpty(string path)
    {
        using var file = disk.OpenOrThrow(path, DiskAccess.Read);
        var block = new byte[Blocks.Size];
        return file.ReadAll(SegmentHeader.Size, block) is > 0 and var count && Blocks.IsZero(block.AsSpan(0, count));
    }

    private void AddTorn(OpenSegment active, long capacity)
    {
        var bytes = Math.Max(active.Torn, active.Length < capacity ? capacity - Math.Max(active.Length, active.Tally.Position) : 0);
        _found.Torn = new TornTail(partition, RelativePath(active.Path), active.Tally.NextOffset, active.Tally.Position, bytes);
        if (active.Length < capacity)
            _found.Notes.Add($"{RelativePath(active.Path)}: the file was cut short, to {active.Length} of {capacity} bytes; what was behind {active.Tally.Position} is not there any more");
    }

    /// <summary>A consumer never has a record before it is durable: what it has had must be there.</summary>
    private void CheckPositions()
    {
        if (_found.Active is null || _found.Damages.Count > 0) return;
        foreach (var (name, reading) in _found.Positions)
        {
            if (reading is not PositionReading.Found { Position.Next: var next } || next <= _found.NextOffset) continue;
            _found.Damages.Add(new LogDamage(
                DamageKind.EndMissing, partition, RelativePath(_found.Active.Path), _found.NextOffset, next, _found.Active.Tally.Position, _found.Active.Tally.Position,
                $"`{name[..^PositionFile.Ending.Length]}` is at {next}, but the records end at {_found.NextOffset}"));
            return;
        }
    }

    private void Add(DamageKind kind, ulong segment, ScanDamage damage) => _found.Damages.Add(new LogDamage(
        kind, partition, Relative(SegmentEntry.NameOf(segment)), damage.FirstOffset, damage.NextOffset, damage.FromByte, damage.ToByte, damage.Words));

    private string PathOf(string name) => Path.Combine(_directory, name);

    private string Relative(string name) => $"{partition}/{name}";

    private string RelativePath(string path) => Relative(Path.GetFileName(path));
}
