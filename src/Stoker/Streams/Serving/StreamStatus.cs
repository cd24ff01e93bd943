using System.Text.Json.Serialization;
using Stoker.Streams.Archive;
using Stoker.Streams.Log;
using Stoker.Streams.Work;

namespace Stoker.Streams.Serving;

/// <summary>How a stream is, as <c>GET /status</c> and <c>stoker stream status --json</c> have it.</summary>
/// <param name="Log">The log's identity.</param>
/// <param name="Store">As it may be shown.</param>
/// <param name="LagSeconds">Age of the oldest event that is not stored; 0: all are.</param>
internal sealed record StreamStatus(string Stream, string Log, string Store, double LagSeconds, long DeadLetters, IReadOnlyList<PartitionReport> Partitions)
{
    /// <summary>What the drive was found to be when the log was made.</summary>
    public string? Drive { get; init; }

    /// <summary>Where the archive is; null: none is declared.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Archive { get; init; }

    public static StreamStatus Of(StreamState stream)
    {
        var partitions = stream.Log.Partitions.Select(p => PartitionReport.Of(p, stream.Workers[p.Number], stream.Archive?.Workers[p.Number])).ToList();
        return new StreamStatus(stream.Plan.Name, stream.Log.Name, stream.StoreName, partitions.Max(p => p.LagSeconds), stream.DeadLetters.Count(), partitions)
        {
            Drive = stream.Log.Words,
            Archive = stream.Archive?.Address,
        };
    }
}

/// <param name="Begin">The first event that the log still has.</param>
/// <param name="Next">Of the next event that comes.</param>
/// <param name="Stored">The first event that the store has not had.</param>
/// <param name="State"><c>writable</c>, <c>disk_full</c>, <c>failed</c>; with Kafka also <c>stored_elsewhere</c> and <c>unavailable</c>.</param>
/// <param name="Hash">The running hash of all events, to compare with the store's; empty: the log has none.</param>
/// <param name="Bytes">On this machine's disk.</param>
internal sealed record PartitionReport(int Partition, ulong Begin, ulong Next, ulong Stored, double LagSeconds, string State, string Hash, long Bytes)
{
    /// <summary>Why events are not stored just now; null: they are.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Problem { get; init; }

    /// <summary>Events that come are taken.</summary>
    [JsonIgnore]
    public bool IsTaking => State is "writable" or "stored_elsewhere";

    /// <summary>The first event that is not archived; null: there is no archive, or another process archives the partition.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ulong? Archived { get; init; }

    /// <summary>Age of the oldest event that is not archived; 0: all are.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? ArchiveLagSeconds { get; init; }

    /// <summary>Why events are not archived just now; null: they are.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ArchiveProblem { get; init; }

    public static PartitionReport Of(IEventPartition partition, PartitionWorker worker, ArchiveWorker? archive)
    {
        // Before the log's end is looked at: nobody sees more stored than there is.
        var (progress, archived) = (worker.Progress, archive?.Progress);
        var status = partition.Status();
        return new PartitionReport(
            partition.Number, status.BeginOffset, status.NextOffset, progress.Next, Math.Round(worker.LagSeconds, 3),
            status.State switch
            {
                PartitionState.Writable => "writable",
                PartitionState.DiskFull => "disk_full",
                PartitionState.Failed => "failed",
                PartitionState.Unavailable => "unavailable",
                PartitionState.Elsewhere => "stored_elsewhere",
                PartitionState.Closed => "closed",
            },
            status.Hash?.ToString() ?? "", status.Bytes)
        {
            Problem = progress.Problem ?? (status.Failure.Length > 0 ? status.Failure : null),
            Archived = archived is { IsElsewhere: false } ? archived.Next : null,
            ArchiveLagSeconds = archived is null or { IsElsewhere: true } ? null : Math.Round(archive!.LagSeconds, 3),
            ArchiveProblem = archived?.Problem,
        };
    }
}
