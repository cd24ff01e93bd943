using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Stoker.Gateway.Routing;

/// <summary>A decision read back from its line: what went in, and what came out then.</summary>
/// <param name="Was">With indexes into <paramref name="Replicas"/>.</param>
/// <param name="Queue">Requests that waited; while there are any, a decision may be "full" though there was room.</param>
internal sealed record RecordedDecision(string Model, IReadOnlyList<ReplicaId> Replicas, ReplicaSnapshot[] Snapshots, Decision Was, int Queue)
{
    private static readonly byte[] Mark = Encoding.UTF8.GetBytes("{\"decision\":");

    public int PromptTokens { get; init; }

    public ulong Session { get; init; }

    public int Blocks { get; init; }

    public ulong[] Tried { get; init; } = [];

    public long Sequence { get; init; }

    public ulong Seed { get; init; }

    /// <summary>The same facts under a policy, the recorded one or another.</summary>
    public Decision Redecide(RoutingOptions options)
    {
        var facts = new PickFacts { PromptTokens = PromptTokens, Session = Session, Blocks = Blocks, Tried = Tried, Sequence = Sequence, Seed = Seed };
        return RoutePolicy.Pick(facts, Snapshots, new Candidate[Snapshots.Length], options);
    }

    /// <summary>
    /// The decision in a line, wherever in it: alone, behind a log's prefix, or as a value in a larger document. Null when there is none.
    /// </summary>
    /// <exception cref="FormatException">There is one that cannot be read, with the reason.</exception>
    public static RecordedDecision? Read(ReadOnlySpan<byte> line)
    {
        var at = line.IndexOf(Mark);
        if (at < 0) return null;
        try
        {
            var reader = new Utf8JsonReader(line[at..]);
            using var document = JsonDocument.ParseValue(ref reader);
            return Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or OverflowException or ArgumentException)
        {
            throw new FormatException(e.Message, e);
        }
    }

    private static RecordedDecision Read(JsonElement line)
    {
        if (line.GetProperty("decision").GetInt32() is var version && version != DecisionLine.Version)
            throw new FormatException($"a decision of version {version}; this program reads {DecisionLine.Version}");
        var candidates = line.GetProperty("candidates").EnumerateArray().ToList();
        List<ReplicaId> replicas = [.. candidates.Select(c => Id(c.GetProperty("replica").GetString()!))];
        var chosen = line.TryGetProperty("replica", out var name) ? replicas.IndexOf(Id(name.GetString()!)) : -1;
        var was = new Decision(
            Named<RouteOutcome>(line, "outcome"), chosen, Named<RouteReason>(line, "why"), Named<RouteReason>(line, "escaped"), Flag(line, "panic"), Ticks(line, "ready_in_s", -1));
        var snapshots = candidates.Zip(replicas, (candidate, id) => Snapshot(candidate, id)).ToArray();
        return new RecordedDecision(line.GetProperty("model").GetString()!, replicas, snapshots, was, (int)Number(line, "queue", 0))
        {
            PromptTokens = (int)Number(line, "prompt_tokens", 0),
            Session = Hash(line, "session"),
            Blocks = (int)Number(line, "blocks", 0),
            Tried = [.. candidates.Zip(replicas).Where(c => Flag(c.First, "tried")).Select(c => c.Second.StableHash)],
            Sequence = line.GetProperty("sequence").GetInt64(),
            Seed = Hash(line, "seed"),
        };
    }

    private static ReplicaSnapshot Snapshot(JsonElement candidate, ReplicaId id)
    {
        var engine = candidate.TryGetProperty("engine", out var said) ? said : default;
        var isSaid = engine.ValueKind == JsonValueKind.Object;
        return new ReplicaSnapshot
        {
            Id = id.StableHash,
            Requests = candidate.GetProperty("in_flight").GetInt32(),
            Tokens = (long)Number(candidate, "tokens", 0),
            Limit = (int)Number(candidate, "limit", int.MaxValue),
            LimitIsDeclared = Flag(candidate, "declared"),
            Weight = Number(candidate, "weight", 1),
            Canary = Number(candidate, "canary", 0),
            Warmth = Number(candidate, "warmth", 1),
            Mode = Named<ReplicaMode>(candidate, "mode"),
            ReadyIn = Ticks(candidate, "ready_in_s", -1),
            Phase = Named<HealthPhase>(candidate, "health"),
            TrialTaken = Flag(candidate, "trial_taken"),
            Failures = (int)Number(candidate, "failures", 0),
            BusyFor = Ticks(candidate, "busy_for_s", 0),
            Matched = (int)Number(candidate, "matched", 0),
            Running = isSaid ? (int)Number(engine, "running", -1) : -1,
            Waiting = isSaid ? (int)Number(engine, "waiting", -1) : -1,
            CacheUse = isSaid ? Number(engine, "cache", -1) : -1,
            SignalAge = isSaid ? Ticks(engine, "age_s", long.MaxValue) : long.MaxValue,
        };
    }

    private static ReplicaId Id(string text)
    {
        var dot = text.LastIndexOf('.');
        return dot > 0 && int.TryParse(text.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? new ReplicaId(text[..dot], index)
            : throw new FormatException($"`{text}` is no replica");
    }

    private static double Number(JsonElement of, string name, double otherwise) => of.TryGetProperty(name, out var value) ? value.GetDouble() : otherwise;

    private static bool Flag(JsonElement of, string name) => of.TryGetProperty(name, out var value) && value.GetBoolean();

    private static long Ticks(JsonElement of, string name, long otherwise) =>
        of.TryGetProperty(name, out var value) ? (long)Math.Round(value.GetDouble() * TimeSpan.TicksPerSecond) : otherwise;

    private static ulong Hash(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) ? ulong.Parse(value.GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture) : 0;

    private static T Named<T>(JsonElement of, string name)
        where T : struct, Enum
    {
        if (!of.TryGetProperty(name, out var value)) return default;
        return Enum.TryParse<T>(value.GetString()!.Replace("_", "", StringComparison.Ordinal), ignoreCase: true, out var known)
            ? known
            : throw new FormatException($"`{value.GetString()}` is no {name}");
    }
}
