namespace Stoker.Streams.Log;

/// <summary>Something that was written and is not there as it was.</summary>
/// <param name="File">Path from the log's directory.</param>
/// <param name="FirstOffset">The first record it takes away; equal to <paramref name="NextOffset"/>: it takes none.</param>
/// <param name="NextOffset">The first record behind it; null: nobody knows how many it takes.</param>
internal sealed record LogDamage(DamageKind Kind, int Partition, string File, ulong FirstOffset, ulong? NextOffset, long FromByte, long ToByte, string Words)
{
    public override string ToString()
    {
        var lost = NextOffset == FirstOffset ? "no records are lost"
            : NextOffset is not { } next ? $"records from {FirstOffset} on are lost"
            : next - FirstOffset == 1 ? $"record {FirstOffset} is lost"
            : $"records {FirstOffset} to {next - 1} are lost";
        return ToByte > FromByte ? $"{File}, bytes {FromByte} to {ToByte}: {Words}; {lost}" : $"{File}: {Words}; {lost}";
    }
}

internal enum DamageKind
{
    /// <summary>The file with the log's identity cannot be read or is not there.</summary>
    Identity,

    /// <summary>A partition's directory is not there.</summary>
    PartitionMissing,
    SegmentMissing,

    /// <summary>The first block of a segment, and with it whose the segment is.</summary>
    SegmentHeader,

    /// <summary>A file of segments that has no place in this log.</summary>
    SegmentStray,
    SegmentSeal,

    /// <summary>Batches, with valid ones behind.</summary>
    Batches,

    /// <summary>The last batch: it was whole once.</summary>
    LastBatch,

    /// <summary>A position: where the log begins, or how far a consumer is.</summary>
    Position,

    /// <summary>A consumer has seen records that are not there.</summary>
    EndMissing,
}

/// <summary>A batch that was being written when the power went or the process ended: nobody was told that it is there.</summary>
/// <param name="Bytes">That were cut off.</param>
internal sealed record TornTail(int Partition, string File, ulong NextOffset, long FromByte, long Bytes)
{
    public override string ToString() => $"{File}: a batch that was never acknowledged was cut off at byte {FromByte} ({Bytes} bytes); record {NextOffset} is next";
}
