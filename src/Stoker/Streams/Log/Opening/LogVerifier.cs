using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log.Opening;

/// <summary>
/// Reads every byte of every segment and holds it to its checksums, its hashes and its neighbours. Needs no lock and changes nothing, and so may look at a log that is
/// being written: what was half-way through a change the first time is looked at once more, and only what is wrong twice is told.
/// </summary>
internal static class LogVerifier
{
    /// <exception cref="IOException"/>
    public static VerifyReport Run(IDisk disk, string path)
    {
        var survey = LogSurvey.Run(disk, path, everyByte: true);
        if (survey.Damages.Count == 0) return Report(survey, []);
        var again = LogSurvey.Run(disk, path, everyByte: true);
        return Report(again, [.. again.Damages.Intersect(survey.Damages)]);
    }

    private static VerifyReport Report(LogSurvey survey, IReadOnlyList<LogDamage> damages) => new(
        survey.Identity?.Id,
        [.. survey.Partitions.SelectMany(found => found.Reports).Select(report => report with { Damages = [.. report.Damages.Intersect(damages)] })],
        damages,
        [.. survey.Partitions.SelectMany(found => found.Notes)]);
}

/// <summary>What a verification found.</summary>
/// <param name="Log">Null: the identity cannot be read.</param>
/// <param name="Damages">All of them, also those that belong to no segment.</param>
/// <param name="Notes">What is not as it should be, without a loss.</param>
internal sealed record VerifyReport(LogId? Log, IReadOnlyList<SegmentReport> Segments, IReadOnlyList<LogDamage> Damages, IReadOnlyList<string> Notes)
{
    public bool IsWhole => Damages.Count == 0;

    public ulong Records => Segments.Aggregate(0UL, (sum, segment) => sum + segment.Records);
}
