using Stoker.Platform.Disks;

namespace Stoker.Streams.Archive;

/// <summary>
/// Everything that came in at a stream, kept outside of the machine's log: compressed lines in a directory or in an S3 bucket, with a proof that nothing is missing.
/// <code>
/// the log ─► ArchiveWorker ─► ArchiveDraft: raw lines, documents ─► spool files ─► objects ─► manifest ─► position ─► the log may forget them
///                                  closed by size, by age, by the day's end            │ away, refused, slow: the same again, after a pause
/// STREAM/raw/log=ID/partition=0/date=2026-11-21/00000000000000001234.ndjson.gz        named by the first offset: the same again replaces itself
/// STREAM/enriched/…                                       STREAM/manifest/….json      counts, sums, the log's running hash before and after
/// </code>
/// Promises: a consumer of its own, so that neither the store's outage nor its own holds the other up; the log keeps what is not archived; the position advances when
/// objects and manifest are durable; whatever dies in between, each event is in one object; memory does not grow with what is archived.
/// Refuses: to pass anything without a word: gaps, deleted events and events that make no document stand in the manifest; keys in the file.
/// </summary>
internal static class ArchiveModule
{
    /// <summary>The name under which the log keeps the archive's position.</summary>
    public const string Consumer = "archive";

    /// <param name="variable">Of the environment, by its name; asked at every call, so that it may change.</param>
    /// <exception cref="ArchiveUnavailableException">The plan names a place that is none.</exception>
    public static IArchiveStore Open(ArchiveSpec spec, IDisk disk, Func<string, string?> variable)
    {
        if (ArchiveAddress.Parse(spec.To, out var address) is { } problem) throw new ArchiveUnavailableException($"`{spec.To}`: {problem}");
        return address!.Bucket is null ? new DirectoryArchive(disk, address.Path) : new S3.S3Archive(address.Bucket, address.Path, spec, variable);
    }
}
