using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Estates;
using Stoker.Planning;
using Stoker.Streams.Archive;
using Stoker.Streams.Serving;
using Stoker.Streams.Transform;
using Stoker.Streams.Work;

namespace Stoker.Streams;

/// <summary>
/// What a stream's process is to do, as the daemon writes it to <c>streams/NAME.json</c> in the state directory at each apply. Holds no secrets.
/// Properties are settable because the generated reader gives what can only be initialised the type's default where the document lacks it.
/// </summary>
/// <param name="Listen">Address with port.</param>
/// <param name="Store"><c>sqlite:</c> with an absolute path, or <c>postgres://…</c>; empty: a file beside the log.</param>
internal sealed record StreamPlan(string Estate, string Name, string Listen, string Store)
{
    public const string UsualPath = "/metadata";

    /// <summary>The key of whoever owns the state directory, for its own verbs, beside the log.</summary>
    public const string OwnerKey = "owner.key";

    public string Path { get; set; } = UsualPath;

    /// <summary>The host's name in the estate.</summary>
    public string? Host { get; set; }

    public string? PasswordVariable { get; set; }

    /// <summary>Producers show a key of <c>gateway.db</c> in the state directory.</summary>
    public bool RequiresKeys { get; set; }

    /// <summary><c>kafka://…</c>; null: the embedded one.</summary>
    public string? Log { get; set; }

    /// <summary>The variable of the daemon's environment that has the password of Kafka's user.</summary>
    public string? LogPasswordVariable { get; set; }

    /// <summary>0: as the topic has, which has to be said.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public int Partitions { get; set; } = 1;

    /// <summary>Null: any.</summary>
    public int? Dimension { get; set; }

    public IReadOnlyList<StreamTypePlan> Types { get; set; } = [];

    public bool OnlyDeclaredTypes { get; set; }

    /// <summary>Null: nothing is declared.</summary>
    public StreamMapPlan? Map { get; set; }

    /// <summary>Bytes.</summary>
    public int MaxEvent { get; set; } = 1 << 20;

    public int MaxBatch { get; set; } = 10_000;

    /// <summary>Seconds; null: for ever.</summary>
    public long? KeepSeconds { get; set; }

    /// <summary>Of a partition; null: any.</summary>
    public long? KeepBytes { get; set; }

    /// <summary>Null: none is declared.</summary>
    public ArchiveSpec? Archive { get; set; }

    /// <summary>Where in the state directory a stream's plan is.</summary>
    public static string FileOf(string state, string stream) => System.IO.Path.Combine(state, "streams", $"{stream}.json");

    /// <summary>Where in the state directory a stream keeps its log and what belongs to it.</summary>
    public static string DirectoryOf(string state, string stream) => System.IO.Path.Combine(state, "streams", stream);

    /// <summary>The plans of this host's streams. Pure.</summary>
    public static IReadOnlyList<StreamPlan> Of(EstatePlan plan) => [.. Local(plan).Select(stream => Of(plan.Estate, stream))];

    /// <summary>This host's streams. Pure.</summary>
    public static IEnumerable<StreamSpec> Local(EstatePlan plan) =>
        (plan.Estate.Part<StreamsSpec>()?.Streams ?? []).Where(stream => plan.Services.GetValueOrDefault(stream.Name) is { IsLocal: true });

    /// <summary>Pure.</summary>
    public static StreamPlan Of(EstateSpec estate, StreamSpec stream) => new(estate.Name, stream.Name.Value, stream.Listen.ToString(), stream.Store)
    {
        Path = stream.Path,
        Host = stream.Host?.Value.Value ?? (estate.Hosts.Count == 1 ? estate.Hosts.Keys.Single().Value : null),
        PasswordVariable = stream.PasswordVariable,
        RequiresKeys = stream.RequiresKeys,
        Log = stream.Log,
        LogPasswordVariable = stream.LogPasswordVariable,
        Partitions = stream.Partitions,
        Dimension = stream.Dimension,
        Types = stream.Types,
        OnlyDeclaredTypes = stream.OnlyDeclaredTypes,
        Map = stream.Map,
        MaxEvent = (int)Math.Min(stream.MaxEvent.Bytes, 64 << 20),
        MaxBatch = stream.MaxBatch,
        KeepSeconds = (long?)stream.KeepFor?.TotalSeconds,
        KeepBytes = stream.KeepBytes?.Bytes,
        Archive = stream.Archive,
    };

    /// <summary>What makes documents of its events.</summary>
    /// <exception cref="IOException">The mappings are none to this program.</exception>
    public EventTransform ToTransform() => Map?.ToTransform(Host) ?? EventTransform.Of(Host);

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, StreamPlanJson.Default.StreamPlan);

    /// <exception cref="JsonException">It is not such a document.</exception>
    public static StreamPlan FromJson(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, StreamPlanJson.Default.StreamPlan) ?? throw new JsonException("the stream's plan is `null`");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StreamStatus))]
[JsonSerializable(typeof(ReceiptReport))]
internal sealed partial class StreamJson : JsonSerializerContext;

/// <summary>What is not said is left out: what a later program may say beside must not make another plan of the same declaration.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(StreamPlan))]
[JsonSerializable(typeof(StreamMapPlan))]
internal sealed partial class StreamPlanJson : JsonSerializerContext;
