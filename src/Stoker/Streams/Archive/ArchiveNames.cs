using System.Globalization;
using Stoker.Streams.Log;

namespace Stoker.Streams.Archive;

/// <summary>
/// The names of an archive's objects: <c>STREAM/raw/log=ID/partition=0/date=2026-11-21/00000000000000001234.ndjson.gz</c>, where the number is the first offset, and the
/// date the day (UTC) on which the log took the first event. The log's identity is among them so that a stream begun anew never writes over what an earlier one left.
/// </summary>
internal static class ArchiveNames
{
    private const string ManifestFolder = "manifest", ManifestEnding = ".json", ObjectEnding = ".ndjson.gz", LogPart = "log=", PartitionPart = "partition=";

    private const int FirstLength = 20;

    public static string OfObject(string stream, string what, ArchivePlace place) => $"{Folder(stream, what, place)}{ObjectEnding}";

    public static string OfManifest(string stream, ArchivePlace place) => $"{Folder(stream, ManifestFolder, place)}{ManifestEnding}";

    /// <summary>What the names of all manifests of a stream begin with.</summary>
    public static string Manifests(string stream) => $"{stream}/{ManifestFolder}/";

    public static string Manifests(string stream, string log, int partition) => $"{Manifests(stream)}{LogPart}{log}/{PartitionPart}{partition}/";

    /// <summary>What the names of a day's manifests begin with.</summary>
    public static string Manifests(string stream, ArchivePlace day) => Folder(stream, ManifestFolder, day)[..^FirstLength];

    /// <summary>What the names of all objects of one kind begin with.</summary>
    public static string Objects(string stream, string what) => $"{stream}/{what}/";

    /// <summary>Null: it is the name of something else.</summary>
    public static (string Log, int Partition, ulong First)? Read(string name)
    {
        if (name.Split('/') is not [.., var log, var partition, _, var file]) return null;
        var ending = file.EndsWith(ManifestEnding, StringComparison.Ordinal) ? ManifestEnding : ObjectEnding;
        if (!log.StartsWith(LogPart, StringComparison.Ordinal) || !partition.StartsWith(PartitionPart, StringComparison.Ordinal) || !file.EndsWith(ending, StringComparison.Ordinal)) return null;
        return int.TryParse(partition.AsSpan(PartitionPart.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && ulong.TryParse(file.AsSpan(0, file.Length - ending.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            ? (log[LogPart.Length..], number, first)
            : null;
    }

    private static string Folder(string stream, string what, ArchivePlace place)
    {
        var day = LogModule.TimeOf(place.FirstLogged).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture, $"{stream}/{what}/{LogPart}{place.Log}/{PartitionPart}{place.Partition}/date={day}/{place.First:D20}");
    }
}

/// <summary>Where an object begins.</summary>
/// <param name="FirstLogged">When the log took its first event, microseconds of UTC.</param>
internal readonly record struct ArchivePlace(string Log, int Partition, ulong First, long FirstLogged);
