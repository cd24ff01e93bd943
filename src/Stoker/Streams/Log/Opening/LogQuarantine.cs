using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Positions;

namespace Stoker.Streams.Log.Opening;

/// <summary>
/// Sets damage aside so that the rest of a log can be served. Damaged bytes are copied, or moved, to <c>quarantine/</c> first, and in their place comes a gap, which every
/// reader is told of: no record is ever passed over in silence, and no offset is used twice. May be interrupted and done again.
/// </summary>
internal static class LogQuarantine
{
    public const string DirectoryName = "quarantine";

    private const int MostRounds = 8;

    /// <summary>The log must be closed: who calls holds its lock.</summary>
    /// <exception cref="IOException"/>
    public static QuarantineReport Run(IDisk disk, string path, LogOptions options)
    {
        var aside = Path.Combine(path, DirectoryName);
        DiskCalls.Check(disk.CreateDirectory(aside), "make", aside);
        DiskCalls.Check(disk.SyncDirectory(path), "sync", path);
        var treated = new List<LogDamage>();
        // What is damaged may hide more: a segment without its header is not read.
        for (var round = 0; ; round++)
        {
            var survey = LogSurvey.Run(disk, path, everyByte: true);
            if (survey.Damages.Count == 0 || round == MostRounds) return new QuarantineReport(treated, survey.Damages);
            var before = treated.Count;
            if (survey.Identity is not { } identity) Treat(treated, survey.Damages[0], IdentityRepair.Run(disk, path));
            else foreach (var found in survey.Partitions) Treat(disk, path, aside, identity.Id, found, options, treated);
            if (treated.Count == before) return new QuarantineReport(treated, survey.Damages);
        }
    }

    private static void Treat(IDisk disk, string path, string aside, LogId log, PartitionFindings found, LogOptions options, List<LogDamage> treated)
    {
        var directory = Path.Combine(path, found.Partition.ToString());
        var repair = new SegmentRepair(disk, directory, aside, log, found, options);
        // One a segment: a later one may be told otherwise when an earlier is out of the way. What is missing comes last, since its neighbours tell what it was.
        var inFiles = found.Damages.Where(each => each.Kind is not (DamageKind.SegmentMissing or DamageKind.Position or DamageKind.EndMissing)).DistinctBy(each => each.File).ToList();
        foreach (var damage in inFiles.Count > 0 ? inFiles : found.Damages.DistinctBy(each => each.File))
        {
            var isDone = damage.Kind switch
            {
                DamageKind.SegmentMissing => repair.Replace(damage),
                DamageKind.SegmentHeader => repair.RestoreHeader(damage),
                DamageKind.SegmentStray => repair.MoveAside(damage),
                DamageKind.SegmentSeal or DamageKind.Batches or DamageKind.LastBatch => repair.CutOut(damage),
                DamageKind.EndMissing => repair.Extend(damage),
                DamageKind.Position => repair.MoveAside(damage) && RestorePosition(disk, directory, log.TagOf(found.Partition), found, damage),
                DamageKind.PartitionMissing or DamageKind.Identity => false,
            };
            Treat(treated, damage, isDone);
        }
    }

    private static void Treat(List<LogDamage> treated, LogDamage damage, bool isDone)
    {
        if (isDone) treated.Add(damage);
    }

    /// <summary>Where the log begins is told by its first segment; a consumer without a position begins there, and has had some records twice then.</summary>
    private static bool RestorePosition(IDisk disk, string directory, ulong tag, PartitionFindings found, LogDamage damage)
    {
        if (Path.GetFileName(damage.File) != PartitionSurvey.BeginName) return true;
        var first = found.Sealed.Select(entry => (entry.FirstOffset, entry.Before)).Append((found.Active?.Tally.Header.FirstOffset ?? 0, found.Active?.Tally.Header.Before ?? default)).First();
        PositionFile.Open(disk, Path.Combine(directory, PartitionSurvey.BeginName), tag, null, new Position(first.Item1, first.Item2)).Dispose();
        return true;
    }
}

/// <param name="Treated">What was set aside.</param>
/// <param name="Left">What could not be: these need a backup.</param>
internal sealed record QuarantineReport(IReadOnlyList<LogDamage> Treated, IReadOnlyList<LogDamage> Left);
