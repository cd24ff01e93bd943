using System.Buffers;
using System.Text.Json;

namespace Stoker.Gateway.Routing;

/// <summary>
/// A decision as one line of JSON, for <c>X-Stoker-Route: explain</c> and for the log: all that went in, and what came out. Only ASCII, so that it may
/// be a header. What has its ordinary value is left out. Read by <see cref="RecordedDecision"/>; documented in docs/routing.md.
/// </summary>
internal static class DecisionLine
{
    public const int Version = 1;

    public static void Write(
        IBufferWriter<byte> output, RouteSpec spec, in PickFacts facts, ReadOnlySpan<ReplicaSnapshot> replicas, ReadOnlySpan<Candidate> candidates,
        in Decision decision, int waiting, RoutingOptions options)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteNumber("decision", Version);
        json.WriteString("model", spec.Name.Value);
        json.WriteString("outcome", Word(decision.Outcome));
        if (decision.Chosen >= 0) json.WriteString("replica", spec.Replicas[decision.Chosen].Id.ToString());
        if (decision.Why != RouteReason.None) json.WriteString("why", Word(decision.Why));
        if (decision.Escaped != RouteReason.None) json.WriteString("escaped", Word(decision.Escaped));
        if (decision.Panic) json.WriteBoolean("panic", true);
        if (decision.ReadyIn >= 0) json.WriteNumber("ready_in_s", Seconds(decision.ReadyIn));
        if (waiting > 0) json.WriteNumber("queue", waiting);
        json.WriteNumber("sequence", facts.Sequence);
        json.WriteString("seed", facts.Seed.ToString("x16"));
        json.WriteNumber("prompt_tokens", facts.PromptTokens);
        if (facts.Session != 0) json.WriteString("session", facts.Session.ToString("x16"));
        if (facts.Blocks > 0) json.WriteNumber("blocks", facts.Blocks);
        json.WriteStartArray("candidates");
        for (var i = 0; i < replicas.Length; i++) WriteCandidate(json, spec.Replicas[i].Id, replicas[i], candidates[i], facts.Tried.Contains(replicas[i].Id), options);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary><c>least_load</c></summary>
    public static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    private static void WriteCandidate(Utf8JsonWriter json, ReplicaId id, in ReplicaSnapshot replica, in Candidate candidate, bool tried, RoutingOptions options)
    {
        json.WriteStartObject();
        json.WriteString("replica", id.ToString());
        json.WriteNumber("in_flight", replica.Requests);
        if (replica.Tokens != 0) json.WriteNumber("tokens", replica.Tokens);
        if (replica.Limit != int.MaxValue) json.WriteNumber("limit", replica.Limit);
        if (replica.LimitIsDeclared) json.WriteBoolean("declared", true);
        if (replica.Weight != 1) json.WriteNumber("weight", replica.Weight);
        if (replica.Canary != 0) json.WriteNumber("canary", replica.Canary);
        if (replica.Warmth != 1) json.WriteNumber("warmth", replica.Warmth);
        if (replica.Mode != ReplicaMode.Serving)
        {
            json.WriteString("mode", Word(replica.Mode));
            if (replica.ReadyIn >= 0) json.WriteNumber("ready_in_s", Seconds(replica.ReadyIn));
        }

        if (replica.Phase != HealthPhase.Well) json.WriteString("health", Word(replica.Phase));
        if (replica.TrialTaken) json.WriteBoolean("trial_taken", true);
        if (replica.Failures != 0) json.WriteNumber("failures", replica.Failures);
        if (replica.BusyFor != 0) json.WriteNumber("busy_for_s", Seconds(replica.BusyFor));
        if (replica.Matched != 0) json.WriteNumber("matched", replica.Matched);
        if (tried) json.WriteBoolean("tried", true);
        WriteSignal(json, replica, options);
        json.WriteNumber("load", candidate.Load);
        WriteParts(json, LoadParts.Of(replica, options));
        if (candidate.Rejected != Rejection.None) json.WriteString("rejected", Word(candidate.Rejected));
        json.WriteEndObject();
    }

    private static void WriteSignal(Utf8JsonWriter json, in ReplicaSnapshot replica, RoutingOptions options)
    {
        if (replica.SignalAge == long.MaxValue) return;
        json.WriteStartObject("engine");
        if (replica.Running >= 0) json.WriteNumber("running", replica.Running);
        if (replica.Waiting >= 0) json.WriteNumber("waiting", replica.Waiting);
        if (replica.CacheUse >= 0) json.WriteNumber("cache", replica.CacheUse);
        json.WriteNumber("age_s", Seconds(replica.SignalAge));
        json.WriteBoolean("used", replica.IsSignalUsed(options));
        json.WriteEndObject();
    }

    // Own requests are `in_flight` already.
    private static void WriteParts(Utf8JsonWriter json, LoadParts parts)
    {
        if (parts.Sum == parts.Own) return;
        json.WriteStartObject("parts");
        if (parts.Prompts != 0) json.WriteNumber("prompts", parts.Prompts);
        if (parts.Engine != 0) json.WriteNumber("engine", parts.Engine);
        if (parts.Cache != 0) json.WriteNumber("cache", parts.Cache);
        if (parts.Failures != 0) json.WriteNumber("failures", parts.Failures);
        if (parts.Busy != 0) json.WriteNumber("busy", parts.Busy);
        json.WriteEndObject();
    }

    // Exact both ways for 28 years.
    private static double Seconds(long ticks) => ticks / (double)TimeSpan.TicksPerSecond;
}
