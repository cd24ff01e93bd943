using System.Text.Json.Serialization;

namespace Stoker.Gateway.Ledger;

/// <summary>What <c>stoker model usage --json</c> prints.</summary>
/// <param name="Since">Null: from the beginning.</param>
internal sealed record UsageDocument(string By, DateTimeOffset? Since, IReadOnlyList<UsageRowDocument> Rows, UsageRowDocument Total);

/// <param name="Name">Key id, model, replica, outcome or day.</param>
/// <param name="KeyName">Only by key, where the key is known.</param>
/// <param name="EstimatedRequests">Requests whose tokens the engine did not say.</param>
internal sealed record UsageRowDocument(
    string Name,
    string? KeyName,
    long Requests,
    long PromptTokens,
    long CachedTokens,
    long CompletionTokens,
    long ReasoningTokens,
    long WastedTokens,
    long TotalTokens,
    long EstimatedRequests)
{
    public static UsageRowDocument Of(UsageSums sums, string? keyName = null) => new(
        sums.Name, keyName, sums.Requests, sums.Prompt, sums.Cached, sums.Completion, sums.Reasoning, sums.Wasted, sums.Tokens, sums.Estimated);
}

/// <summary>What <c>stoker model usage --reconcile --json</c> prints.</summary>
internal sealed record ReconciliationDocument(IReadOnlyList<ReconciliationRowDocument> Replicas);

/// <param name="GapTokens">The engine's less the ledger's.</param>
internal sealed record ReconciliationRowDocument(
    string Replica,
    DateTimeOffset From,
    DateTimeOffset To,
    long EnginePromptTokens,
    long EngineGenerationTokens,
    long LedgerPromptTokens,
    long LedgerCompletionTokens,
    long GapTokens,
    double? GapPercent,
    long EngineRestarts,
    long EstimatedRequests)
{
    public static ReconciliationRowDocument Of(ReplicaReconciliation replica) => new(
        replica.Engine.Replica,
        new DateTimeOffset(replica.Engine.From, TimeSpan.Zero),
        new DateTimeOffset(replica.Engine.To, TimeSpan.Zero),
        replica.Engine.Prompt,
        replica.Engine.Generation,
        replica.Ledger.Prompt,
        replica.Ledger.Completion,
        replica.Gap,
        replica.GapPercent is { } percent ? Math.Round(percent, 3) : null,
        replica.Engine.Restarts,
        replica.Ledger.Estimated);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(UsageDocument))]
[JsonSerializable(typeof(ReconciliationDocument))]
internal sealed partial class UsageJson : JsonSerializerContext;
