using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Positions;

namespace Stoker.Streams.Log.Opening;

/// <summary>What is in a partition's directory, and what has to be done before it can be written: nothing of it is done yet.</summary>
internal sealed class PartitionFindings(int partition)
{
    public int Partition { get; } = partition;

    public List<SegmentEntry> Sealed { get; } = [];

    public List<LogDamage> Damages { get; } = [];

    public List<SegmentReport> Reports { get; } = [];

    /// <summary>Files that a crash left behind, or that retention was about to delete.</summary>
    public List<string> Leftovers { get; } = [];

    public List<string> Notes { get; } = [];

    public PositionReading.Found? Begin { get; set; }

    /// <summary>A rotation was interrupted between making the new segment and sealing this one.</summary>
    public OpenSegment? ToSeal { get; set; }

    /// <summary>A rotation was interrupted between sealing this segment and giving back what it did not need.</summary>
    public (string Path, long Length)? ToCut { get; set; }

    /// <summary>The one that is written; null: it is not there.</summary>
    public OpenSegment? Active { get; set; }

    public TornTail? Torn { get; set; }

    public Dictionary<string, PositionReading> Positions { get; } = [];

    public ulong NextOffset => Active?.Tally.NextOffset ?? (Sealed.Count > 0 ? Sealed[^1].NextOffset : 0);
}

/// <summary>A segment without a seal.</summary>
/// <param name="Torn">Bytes behind the last whole batch.</param>
internal sealed record OpenSegment(string Path, SegmentTally Tally, long Length, long Torn);

/// <summary>What readers have to know of a segment.</summary>
/// <param name="GreatestTime">Of a sealed one; the greatest there is otherwise.</param>
/// <param name="Bytes">The file's length.</param>
internal sealed record SegmentEntry(string Path, ulong FirstOffset, ulong NextOffset, long GreatestTime, long Bytes, RunningHash Before)
{
    public const string Ending = ".log";

    public static string NameOf(ulong firstOffset) => $"{firstOffset:D20}{Ending}";

    /// <summary>Null: it is no segment's name.</summary>
    public static ulong? OffsetOf(string name) =>
        name.Length == 20 + Ending.Length && name.EndsWith(Ending, StringComparison.Ordinal) && !name.AsSpan(0, 20).ContainsAnyExceptInRange('0', '9')
            && ulong.TryParse(name.AsSpan(0, 20), out var offset) ? offset : null;
}

/// <summary>What was found of one segment.</summary>
/// <param name="Records">Those that are whole.</param>
/// <param name="Hash">The running hash after the last.</param>
internal sealed record SegmentReport(
    int Partition, string File, ulong FirstOffset, ulong NextOffset, ulong Records, long Bytes, bool IsSealed, RunningHash Hash, IReadOnlyList<LogDamage> Damages)
{
    public bool IsWhole => Damages.Count == 0;
}
