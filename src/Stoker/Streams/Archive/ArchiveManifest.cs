using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Archive;

/// <summary>
/// What stands in the archive beside the objects of a run of offsets, and proves that nothing is missing: the manifests of a partition follow one another without a hole,
/// each begins with the running hash that the one before ends with, and the hash is the log's.
/// </summary>
/// <param name="Log">The log's identity.</param>
/// <param name="FirstOffset">Of the run: each offset from here on to the next manifest's is an event in the objects, or gone.</param>
/// <param name="NextOffset">The first behind it.</param>
/// <param name="HashBefore">The log's running hash of all events before the run; of a topic the archive's own, of all that it has.</param>
/// <param name="Hash">The same of all events up to the run's end.</param>
/// <param name="Events">That are in the objects.</param>
/// <param name="FirstLogged">When the log took the first and the last of them.</param>
/// <param name="Archived">When the objects were made.</param>
/// <param name="Transform">The version of the mappings by which the documents were made.</param>
/// <param name="Gone">Offsets that the log did not have any more.</param>
/// <param name="NoDocument">Events that are among the raw ones only, and why.</param>
internal sealed record ArchiveManifest(
    int Version, string Stream, string Log, int Partition, ulong FirstOffset, ulong NextOffset, string HashBefore, string Hash, long Events,
    DateTimeOffset FirstLogged, DateTimeOffset LastLogged, DateTimeOffset Archived, string Transform,
    IReadOnlyList<GoneRange> Gone, IReadOnlyList<NoDocumentRange> NoDocument, IReadOnlyList<ArchiveObject> Objects)
{
    /// <summary>Of the manifest's and the lines' form.</summary>
    public const int Current = 1;

    /// <summary>A hash of the last event alone, of a topic, by which one that was made anew is noticed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? LastEvent { get; set; }

    /// <summary>The hash as it is counted on with; null: it is none.</summary>
    [JsonIgnore]
    public RunningHash? EndHash => HashOf(Hash);

    [JsonIgnore]
    public RunningHash? StartHash => HashOf(HashBefore);

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ArchiveJson.Readable.ArchiveManifest);

    /// <exception cref="JsonException">It is not such a document.</exception>
    public static ArchiveManifest FromJson(ReadOnlySpan<byte> json)
    {
        var read = JsonSerializer.Deserialize(json, ArchiveJson.Default.ArchiveManifest) ?? throw new JsonException("it is `null`");
        if (read.Version != Current) throw new JsonException($"it is of version {read.Version}, and this program reads {Current}");
        return read.Objects is not null && read.Gone is not null && read.NoDocument is not null ? read : throw new JsonException("something is missing in it");
    }

    private static RunningHash? HashOf(string text) => ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? new RunningHash(value) : null;
}

/// <param name="What"><c>raw</c> or <c>enriched</c>.</param>
/// <param name="Events">Lines in it.</param>
/// <param name="Bytes">Of the object, and its sum.</param>
/// <param name="ContentBytes">Of what is compressed in it, and its sum.</param>
internal sealed record ArchiveObject(string What, string Name, long Events, long Bytes, string Sha256, long ContentBytes, string ContentSha256);

/// <param name="To">The first behind them.</param>
/// <param name="Why"><c>damaged</c>, <c>deleted</c>, or <c>absent</c>: a topic has markers of transactions there, or was compacted.</param>
internal sealed record GoneRange(ulong From, ulong To, string Why);

/// <param name="To">The first behind them.</param>
internal sealed record NoDocumentRange(ulong From, ulong To, string Cause, string Path, string Message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ArchiveManifest))]
internal sealed partial class ArchiveJson : JsonSerializerContext
{
    /// <summary>Texts as they are; none of it is ever put into HTML.</summary>
    public static ArchiveJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
