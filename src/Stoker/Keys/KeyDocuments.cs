using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Limits;

namespace Stoker.Keys;

/// <summary>What a key grants, as it is kept in the database and printed. Absent: no limit.</summary>
/// <param name="Models">Empty: every model.</param>
internal sealed record KeyTermsDocument(
    IReadOnlyList<string> Scopes,
    IReadOnlyList<string> Models,
    LimitDocument? Limits,
    IReadOnlyDictionary<string, LimitDocument>? ModelLimits,
    BudgetDocument? Budget,
    string Priority,
    int Weight)
{
    /// <summary>Null: every stream.</summary>
    public IReadOnlyList<string>? Streams { get; init; }

    public static KeyTermsDocument Of(KeyTerms terms) => new(
        KeyWords.Of(terms.Scopes),
        terms.Models,
        LimitDocument.Of(terms.Limits.Overall),
        terms.Limits.Models.Count == 0 ? null : terms.Limits.Models.ToDictionary(m => m.Pattern, m => LimitDocument.Of(m.Limit) ?? new LimitDocument(null, null, null)),
        terms.Limits.Budget is { } budget ? new BudgetDocument(budget.Tokens, KeyWords.Of(budget.Period)) : null,
        KeyWords.Of(terms.Priority),
        terms.Weight)
    {
        Streams = terms.Streams.Count == 0 ? null : terms.Streams,
    };

    /// <summary>A word that a later version wrote grants nothing and limits nothing here.</summary>
    public KeyTerms ToTerms() => new()
    {
        Scopes = Scopes.Aggregate(KeyScopes.None, (sum, word) => sum | (KeyWords.Scope(word) ?? KeyScopes.None)),
        Models = Models,
        Streams = Streams ?? [],
        Limits = new KeyLimits(
            Limits?.ToSpec() ?? LimitSpec.None,
            [.. (ModelLimits ?? new Dictionary<string, LimitDocument>()).Select(m => new ModelLimit(m.Key, m.Value.ToSpec()))],
            Budget is { } budget && KeyWords.Period(budget.Period) is { } period ? new BudgetSpec(budget.Tokens, period) : null),
        Priority = KeyWords.Priority(Priority) ?? KeyPriority.Normal,
        Weight = Weight,
    };
}

internal sealed record LimitDocument(long? RequestsPerMinute, long? TokensPerMinute, int? Concurrent)
{
    public long? EventsPerMinute { get; init; }

    public static LimitDocument? Of(LimitSpec limit) =>
        limit.IsNone ? null : new LimitDocument(limit.RequestsPerMinute, limit.TokensPerMinute, limit.Concurrent) { EventsPerMinute = limit.EventsPerMinute };

    public LimitSpec ToSpec() => new(RequestsPerMinute, TokensPerMinute, Concurrent) { EventsPerMinute = EventsPerMinute };
}

internal sealed record BudgetDocument(long Tokens, string Period);

/// <summary>One key, as <c>stoker key … --json</c> prints it.</summary>
/// <param name="Key">The secret; only where it has just been made.</param>
/// <param name="Declared">By the estate file.</param>
/// <param name="PreviousEnds">After <c>rotate</c>: until when the secrets before it are taken.</param>
internal sealed record KeyDocument(
    string Id,
    string Name,
    string? Key,
    bool Declared,
    DateTimeOffset Created,
    DateTimeOffset? Expires,
    DateTimeOffset? Revoked,
    DateTimeOffset? LastUsed,
    DateTimeOffset? PreviousEnds,
    KeyTermsDocument Terms)
{
    public static KeyDocument Of(KeyRecord key, string? secret = null, DateTimeOffset? previousEnds = null) => new(
        key.Id.Value, key.Name, secret, key.IsDeclared, key.Created, key.Expires, key.Revoked, key.LastUsed, previousEnds, KeyTermsDocument.Of(key.Terms));
}

internal sealed record KeyListDocument(IReadOnlyList<KeyDocument> Keys);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KeyTermsDocument))]
[JsonSerializable(typeof(KeyDocument))]
[JsonSerializable(typeof(KeyListDocument))]
internal sealed partial class KeyJson : JsonSerializerContext
{
    /// <summary>None of it is ever put into HTML.</summary>
    public static KeyJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
