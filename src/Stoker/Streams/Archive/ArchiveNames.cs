using System.Globalization;
using System.Text;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Archive;

/// <summary>
/// The names of an archive's objects: <c>STREAM/raw/log=ID/partition=0/date=2026-11-21/00000000000000001234.ndjson.gz</c>, where the number is the first offset, and the
/// date the day (UTC) on which the log took the first event. The log's identity is among them so that a stream begun anew never writes over what an earlier one left. Of a topic,
/// which several processes may archive one after the other, the first offset behind the object follows: <c>00000000000000001234-00000000000000001300.ndjson.gz</c>.
/// </summary>
internal static class ArchiveNames
{
    private const string ManifestFolder = "manifest", ManifestEnding = ".json", ObjectEnding = ".ndjson.gz", LogPart = "log=", PartitionPart = "partition=";

    public static string OfObject(string stream, string what, ArchivePlace place) => $"{Folder(stream, what, place)}{Offsets(place)}{ObjectEnding}";

    public static string OfManifest(string stream, ArchivePlace place) => $"{Folder(stream, ManifestFolder, place)}{Offsets(place)}{ManifestEnding}";

    /// <summary>What the names of all manifests of a stream begin with.</summary>
    public static string Manifests(string stream) => $"{stream}/{ManifestFolder}/";

    public static string Manifests(string stream, string log, int partition) => $"{Manifests(stream)}{LogPart}{LogOf(log)}/{PartitionPart}{partition}/";

    /// <summary>What the names of a day's manifests begin with.</summary>
    public static string Manifests(string stream, ArchivePlace day) => Folder(stream, ManifestFolder, day);

    /// <summary>What the names of all objects of one kind begin with.</summary>
    public static string Objects(string stream, string what) => $"{stream}/{what}/";

    /// <summary>What the names of a day's objects of one kind begin with.</summary>
    public static string Objects(string stream, string what, ArchivePlace day) => Folder(stream, what, day);

    /// <summary>A log's name as a part of an object's: letters, digits, hyphens. One that has others is told from those that would look the same by its hash.</summary>
    public static string LogOf(string log)
    {
        if (log.All(IsPlain)) return log;
        var hash = (uint)default(RunningHash).Add(Encoding.UTF8.GetBytes(log), 0, 0).Value;
        return $"{string.Concat(log.Select(letter => IsPlain(letter) ? letter : '-'))}-{hash:x8}";
    }

    /// <summary>Null: it is the name of something else.</summary>
    public static ArchiveName? Read(string name)
    {
        if (name.Split('/') is not [.., var log, var partition, _, var file]) return null;
        var ending = file.EndsWith(ManifestEnding, StringComparison.Ordinal) ? ManifestEnding : ObjectEnding;
        if (!log.StartsWith(LogPart, StringComparison.Ordinal) || !partition.StartsWith(PartitionPart, StringComparison.Ordinal) || !file.EndsWith(ending, StringComparison.Ordinal)) return null;
        if (!int.TryParse(partition.AsSpan(PartitionPart.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
        var offsets = file[..^ending.Length].Split('-');
        if (offsets.Length > 2 || Number(offsets[0]) is not { } first) return null;
        if (offsets.Length == 1) return new ArchiveName(log[LogPart.Length..], number, first, null);
        return Number(offsets[1]) is { } next ? new ArchiveName(log[LogPart.Length..], number, first, next) : null;
    }

    private static ulong? Number(string text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static bool IsPlain(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_';

    private static string Offsets(ArchivePlace place) =>
        place.Next is { } next ? string.Create(CultureInfo.InvariantCulture, $"{place.First:D20}-{next:D20}") : string.Create(CultureInfo.InvariantCulture, $"{place.First:D20}");

    private static string Folder(string stream, string what, ArchivePlace place)
    {
        var day = LogModule.TimeOf(place.FirstLogged).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return $"{stream}/{what}/{LogPart}{LogOf(place.Log)}/{PartitionPart}{place.Partition}/date={day}/";
    }
}

/// <summary>Where an object begins.</summary>
/// <param name="FirstLogged">When the log took its first event, microseconds of UTC.</param>
internal readonly record struct ArchivePlace(string Log, int Partition, ulong First, long FirstLogged)
{
    /// <summary>The first offset behind it; null: its name does not tell.</summary>
    public ulong? Next { get; init; }
}

/// <param name="Log">As <see cref="ArchiveNames.LogOf"/> has it.</param>
/// <param name="Next">The first offset behind it; null: the name does not tell.</param>
internal sealed record ArchiveName(string Log, int Partition, ulong First, ulong? Next);
