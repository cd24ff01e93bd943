using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Streams.Archive;
using Stoker.Streams.Serving;
using Stoker.Streams.Work;

namespace Stoker.Cli.StreamVerbs;

/// <summary>What <c>stoker stream list</c> and <c>status</c> print with <c>--json</c>.</summary>
internal sealed record StreamListDocument(IReadOnlyList<StreamView> Streams);

/// <param name="Url">Where producers post.</param>
/// <param name="Silent">Why its process does not answer; null: it does, and the rest is what it says.</param>
/// <param name="Log">The log's identity; null: it has none yet.</param>
/// <param name="LagSeconds">Null: not known.</param>
internal sealed record StreamView(
    string Stream, string Url, string? Silent, string? Log, string Store, double? LagSeconds, long DeadLetters, IReadOnlyList<PartitionReport> Partitions)
{
    /// <summary>Where the archive is; null: none is declared.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Archive { get; init; }

    [JsonIgnore]
    public bool IsWell => Silent is null && Partitions.All(partition => partition is { IsTaking: true, Problem: null, ArchiveProblem: null });
}

/// <summary>What <c>stoker stream verify --json</c> prints.</summary>
internal sealed record VerifyDocument(
    string Stream, string? Log, bool IsWhole, ulong Records, long Bytes, IReadOnlyList<SegmentDocument> Segments, IReadOnlyList<DamageDocument> Damages, IReadOnlyList<string> Notes,
    IReadOnlyList<StoreComparison> Store);

internal sealed record SegmentDocument(int Partition, string File, ulong FirstOffset, ulong NextOffset, ulong Records, long Bytes, bool IsSealed, string Hash);

/// <param name="NextOffset">The first behind it; null: nobody knows how many are lost.</param>
internal sealed record DamageDocument(string Kind, int Partition, string File, long FromByte, long ToByte, ulong FirstOffset, ulong? NextOffset, string Words);

/// <param name="Next">The first event that the store has not had; null: it has had none.</param>
/// <param name="Result"><c>agrees</c>, <c>differs</c>, <c>ahead</c> (the store has had events that the log does not have), <c>none</c> or <c>unknown</c>.</param>
internal sealed record StoreComparison(int Partition, long? Next, string? StoreHash, string? LogHash, string Result, string Words);

/// <summary>What <c>stoker stream archive verify --json</c> prints.</summary>
internal sealed record ArchiveVerifyDocument(
    string Stream, string Archive, bool IsWhole, IReadOnlyList<ArchiveRun> Partitions, IReadOnlyList<ArchiveFault> Faults, IReadOnlyList<string> Notes);

internal sealed record QuarantineDocument(string Stream, IReadOnlyList<DamageDocument> Treated, IReadOnlyList<DamageDocument> Left);

internal sealed record DeadLettersDocument(string Stream, IReadOnlyList<DeadCauseDocument> Causes);

/// <param name="Example">An id, for <c>dead show</c>.</param>
internal sealed record DeadCauseDocument(
    string Cause, int Waiting, int Retrying, int Stored, int Dropped, DateTimeOffset Oldest, IReadOnlyList<string> Paths, string Example, string Message, IReadOnlyList<string> Ids);

/// <param name="Data">As text; null where it is none.</param>
/// <param name="DataBase64">Where it is no text.</param>
internal sealed record DeadLetterDocument(
    string Id, string State, string Cause, string? Path, string Message, string Source, string EventId, string? Type, string? ContentType,
    DateTimeOffset Logged, DateTimeOffset FirstSeen, int Attempts, string? Data, string? DataBase64);

internal sealed record DeadChangeDocument(string Stream, string State, IReadOnlyList<string> Changed, IReadOnlyList<string> Unchanged);

internal sealed record ReplayDocument(
    string Stream, bool DryRun, bool Replaced, long Events, long Same, long Different, long Missing, long Stored, long Duplicates, long Poison, long DeadLetters, long Gone, long Waiting,
    IReadOnlyDictionary<string, long> Fields, IReadOnlyList<ReplayExample> Examples);

/// <param name="Stuck">The hop that was not reached; null: all were.</param>
internal sealed record StreamCheckDocument(string Stream, string EventId, string? Receipt, IReadOnlyList<HopDocument> Hops, string? Stuck, string? Why);

/// <param name="Milliseconds">Since the beginning; null: not reached.</param>
internal sealed record HopDocument(string Hop, double? Milliseconds);

/// <summary>A line of <c>stoker stream send --json</c>: what became of one document.</summary>
/// <param name="Place">File and line, or file and place in its array.</param>
/// <param name="Status"><c>accepted</c>, <c>spooled</c> or <c>rejected</c>.</param>
internal sealed record SentDocument(string Place, string Status, string? Id, string? Receipt, IReadOnlyList<SentMistake> Mistakes)
{
    public const string Spooled = "spooled", Rejected = "rejected";

    [JsonIgnore]
    public bool IsAccepted => Status == "accepted";
}

/// <summary>A line of <c>refused.ndjson</c>: a document of the spool that the stream did not want.</summary>
/// <param name="Document">As it stood; null: it is no text.</param>
internal sealed record RefusedDocument(string Place, string Form, IReadOnlyList<SentMistake> Mistakes, string? Document, string? DocumentBase64);

internal sealed record SentMistake(string Path, string Code, string Message, string? Expected, string? Got);

/// <summary>What a stream answers to a post, as far as a sender has to know.</summary>
internal sealed record PostAnswerDocument
{
    public string? Title { get; set; }

    public string? Detail { get; set; }

    public IReadOnlyList<PostedItem>? Items { get; set; }

    public IReadOnlyList<SentMistake>? Mistakes { get; set; }
}

internal sealed record PostedItem
{
    public string Status { get; set; } = "";

    public string? MetadataId { get; set; }

    public PostedReceipt? Receipt { get; set; }

    public IReadOnlyList<SentMistake>? Mistakes { get; set; }
}

internal sealed record PostedReceipt(string Id);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StreamListDocument))]
[JsonSerializable(typeof(VerifyDocument))]
[JsonSerializable(typeof(ArchiveVerifyDocument))]
[JsonSerializable(typeof(QuarantineDocument))]
[JsonSerializable(typeof(DeadLettersDocument))]
[JsonSerializable(typeof(DeadLetterDocument))]
[JsonSerializable(typeof(DeadChangeDocument))]
[JsonSerializable(typeof(ReplayDocument))]
[JsonSerializable(typeof(StreamCheckDocument))]
[JsonSerializable(typeof(SentDocument))]
[JsonSerializable(typeof(RefusedDocument))]
[JsonSerializable(typeof(PostAnswerDocument))]
[JsonSerializable(typeof(PostedItem))]
[JsonSerializable(typeof(ReceiptReport))]
internal sealed partial class StreamDocumentJson : JsonSerializerContext
{
    /// <summary>Back-ticks and umlauts as they are; none of it is ever put into HTML.</summary>
    public static StreamDocumentJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
