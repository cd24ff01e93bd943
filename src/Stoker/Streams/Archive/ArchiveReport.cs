namespace Stoker.Streams.Archive;

/// <summary>What a verification found.</summary>
/// <param name="Notes">What is worth knowing, and takes nothing away.</param>
internal sealed record ArchiveReport(IReadOnlyList<ArchiveRun> Partitions, IReadOnlyList<ArchiveFault> Faults, IReadOnlyList<string> Notes)
{
    public bool IsWhole => Faults.Count == 0;
}

/// <summary>A partition of a log, as the archive has it.</summary>
/// <param name="IsOurs">The log is the stream's; false: an earlier one's, which can be held to nothing but itself.</param>
/// <param name="First">The first offset that is archived, and the first that is not.</param>
/// <param name="Gone">Offsets that the log did not have when they were to be archived.</param>
/// <param name="NoDocument">Events that are among the raw ones only.</param>
/// <param name="HeldToLog">Events of which each was compared with the log, byte for byte.</param>
/// <param name="Waiting">Events of the log that are not archived yet.</param>
internal sealed record ArchiveRun(
    string Log, int Partition, bool IsOurs, ulong First, ulong Next, long Manifests, long Objects, long Events, long Gone, long NoDocument, long Bytes, long HeldToLog, ulong Waiting);

/// <summary>Something that is not as the manifests, or the log, say.</summary>
/// <param name="Name">Of the object or manifest; empty: none in particular.</param>
internal sealed record ArchiveFault(string Log, int Partition, string Name, string Words);
