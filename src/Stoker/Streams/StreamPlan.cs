using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Estates;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Streams.Serving;
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

    public string Path { get; set; } = UsualPath;

    /// <summary>The host's name in the estate.</summary>
    public string? Host { get; set; }

    public string? PasswordVariable { get; set; }

    /// <summary><c>kafka://…</c>; empty: the embedded one.</summary>
    public string Log { get; set; } = "";

    /// <summary>The variable of the daemon's environment that has the password of Kafka's user.</summary>
    public string? LogPasswordVariable { get; set; }

    /// <summary>0: as the topic has.</summary>
    public int Partitions { get; set; } = 1;

    /// <summary>Null: any.</summary>
    public int? Dimension { get; set; }

    /// <summary>Bytes.</summary>
    public int MaxEvent { get; set; } = 1 << 20;

    public int MaxBatch { get; set; } = 10_000;

    /// <summary>Seconds; null: for ever.</summary>
    public long? KeepSeconds { get; set; }

    /// <summary>Of a partition; null: any.</summary>
    public long? KeepBytes { get; set; }

    /// <summary>Where in the state directory a stream's plan is.</summary>
    public static string FileOf(string state, string stream) => System.IO.Path.Combine(state, "streams", $"{stream}.json");

    /// <summary>Where in the state directory a stream keeps its log and what belongs to it.</summary>
    public static string DirectoryOf(string state, string stream) => System.IO.Path.Combine(state, "streams", stream);

    /// <summary>The plans of this host's streams. Pure.</summary>
    public static IReadOnlyList<StreamPlan> Of(EstatePlan plan) =>
    [
        .. (plan.Estate.Part<StreamsSpec>()?.Streams ?? [])
            .Where(stream => plan.Services.GetValueOrDefault(stream.Name) is { IsLocal: true })
            .Select(stream => new StreamPlan(plan.Estate.Name, stream.Name.Value, stream.Listen.ToString(), stream.Store)
            {
                Path = stream.Path,
                Host = stream.Host?.Value.Value ?? (plan.Estate.Hosts.Count == 1 ? plan.Estate.Hosts.Keys.Single().Value : null),
                PasswordVariable = stream.PasswordVariable,
                Log = stream.Log,
                LogPasswordVariable = stream.LogPasswordVariable,
                Partitions = stream.Partitions,
                Dimension = stream.Dimension,
                MaxEvent = (int)Math.Min(stream.MaxEvent.Bytes, 64 << 20),
                MaxBatch = stream.MaxBatch,
                KeepSeconds = (long?)stream.KeepFor?.TotalSeconds,
                KeepBytes = stream.KeepBytes?.Bytes,
            }),
    ];

    /// <summary>Writes the plans for the streams' processes, which read them at their start.</summary>
    /// <exception cref="IOException"/>
    public static void WriteAll(EstatePlan plan, string state)
    {
        foreach (var stream in Of(plan))
        {
            var (path, json) = (FileOf(state, stream.Name), stream.ToJson());
            Files.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            if (Files.ReadIfPresent(path) is not { } known || !known.AsSpan().SequenceEqual(json)) Files.Replace(path, json);
        }
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, StreamJson.Default.StreamPlan);

    /// <exception cref="JsonException">It is not such a document.</exception>
    public static StreamPlan FromJson(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, StreamJson.Default.StreamPlan) ?? throw new JsonException("the stream's plan is `null`");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StreamPlan))]
[JsonSerializable(typeof(StreamStatus))]
[JsonSerializable(typeof(ReceiptReport))]
internal sealed partial class StreamJson : JsonSerializerContext;
