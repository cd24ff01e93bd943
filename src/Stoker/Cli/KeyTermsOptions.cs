using System.CommandLine;
using System.Globalization;
using Stoker.Keys;
using Stoker.Limits;

namespace Stoker.Cli;

/// <summary>What a key is made for, in options.</summary>
internal sealed class KeyTermsOptions
{
    private const string LimitGrammar = "MODEL=rpm:N,tpm:N,concurrent:N, with one of them at least";

    private readonly Option<string[]> _scopes = Parameters.Several(
        "--scope", "SCOPE", "what it may do: inference (default), explain, metrics, ingest (send events to streams); several times",
        word => KeyWords.Scope(word) is null ? $"not one of {string.Join(", ", KeyWords.Scopes)}" : null);

    private readonly Option<string[]> _models = Parameters.Texts("--model", "MODEL", "a model or alias it may use, `*` for any characters; several times (default: all)");

    private readonly Option<string[]> _streams = Parameters.Texts("--stream", "STREAM", "a stream that it may send to; several times (default: all)");

    private readonly Option<string?> _requests = Parameters.Tokens("--rpm", "requests in any 60 seconds (default: no limit)");

    private readonly Option<string?> _tokens = Parameters.Tokens("--tpm", "tokens, prompt and answer, in any 60 seconds, as in 20k (default: no limit)");

    private readonly Option<string?> _events = Parameters.Tokens("--epm", "events that streams take in any 60 seconds, as in 6k (default: no limit)");

    private readonly Option<string?> _concurrent = Parameters.Tokens("--concurrent", "requests at once (default: no limit)");

    private readonly Option<string[]> _limits = Parameters.Several(
        "--limit", "MODEL=LIMITS", "limits for one model beside those: rpm:N,tpm:N,concurrent:N; several times, the first that fits counts",
        text => Limit(text) is null ? $"not {LimitGrammar}" : null);

    private readonly Option<string?> _budget = Parameters.Tokens("--budget-tokens", "tokens it may use in a budget period, as in 5M (default: no budget)");

    private readonly Option<string?> _period = Parameters.OneOf("--budget-period", "a calendar day or month in UTC, or total (default: month)", KeyWords.Periods);

    private readonly Option<string?> _priority = Parameters.OneOf("--priority", "who is served first when all replicas are busy (default: normal)", KeyWords.Priorities);

    private readonly Option<string?> _weight = Parameters.Count("--weight", "its share beside other keys of its priority, 1 to 1000 (default: 1)");

    public Symbol[] All => [_scopes, _models, _streams, _requests, _tokens, _events, _concurrent, _limits, _budget, _period, _priority, _weight];

    /// <summary>What is wrong between options, each of which is right; null: nothing.</summary>
    public string? Problem(Invocation run) =>
        run.Get(_period) is not null && run.Get(_budget) is null ? "`--budget-period` needs `--budget-tokens N`"
        : run.Count(_weight) is < 1 or > 1000 ? "`--weight` is from 1 to 1000"
        : null;

    public KeyTerms Read(Invocation run) => new()
    {
        Scopes = run.Get(_scopes) is { Length: > 0 } scopes ? scopes.Aggregate(KeyScopes.None, (sum, word) => sum | KeyWords.Scope(word)!.Value) : KeyScopes.Inference,
        Models = run.Get(_models) ?? [],
        Streams = run.Get(_streams) ?? [],
        Limits = new KeyLimits(
            new LimitSpec(Count(run, _requests), Count(run, _tokens), Places(Count(run, _concurrent))) { EventsPerMinute = Count(run, _events) },
            [.. (run.Get(_limits) ?? []).Select(text => Limit(text)!)],
            Count(run, _budget) is { } tokens ? new BudgetSpec(tokens, KeyWords.Period(run.Get(_period) ?? "month")!.Value) : null),
        Priority = KeyWords.Priority(run.Get(_priority) ?? "normal")!.Value,
        Weight = run.Count(_weight) ?? 1,
    };

    /// <summary>Null when it is not as <see cref="LimitGrammar"/> says. A model's name may have <c>=</c> in it; the last one counts.</summary>
    internal static ModelLimit? Limit(string text)
    {
        var equals = text.LastIndexOf('=');
        if (equals <= 0) return null;
        var limit = LimitSpec.None;
        foreach (var part in text[(equals + 1)..].Split(','))
        {
            var words = part.Split(':');
            if (words.Length != 2 || TokenCount.Parse(words[1]) is not { } count) return null;
            switch (words[0])
            {
                case "rpm":
                    limit = limit with { RequestsPerMinute = count };
                    break;
                case "tpm":
                    limit = limit with { TokensPerMinute = count };
                    break;
                case "concurrent":
                    limit = limit with { Concurrent = Places(count) };
                    break;
                default:
                    return null;
            }
        }

        return limit.IsNone ? null : new ModelLimit(text[..equals], limit);
    }

    /// <summary><c>60 rpm, 20k tpm, 4 at once, 5M a month; phi-*: 10 rpm</c>; empty for none.</summary>
    public static string InWords(KeyLimits limits)
    {
        var own = Words(limits.Overall);
        if (limits.Budget is { } budget) own.Add($"{TokenCount.Text(budget.Tokens)} {(budget.Period == BudgetPeriod.Total ? "in total" : $"a {KeyWords.Of(budget.Period)}")}");
        var parts = limits.Models.Select(m => $"{m.Pattern}: {string.Join(", ", Words(m.Limit))}");
        return string.Join("; ", parts.Prepend(string.Join(", ", own)).Where(part => part.Length > 0));
    }

    private static List<string> Words(LimitSpec limit)
    {
        var words = new List<string>();
        if (limit.RequestsPerMinute is { } requests) words.Add($"{TokenCount.Text(requests)} rpm");
        if (limit.TokensPerMinute is { } tokens) words.Add($"{TokenCount.Text(tokens)} tpm");
        if (limit.EventsPerMinute is { } events) words.Add($"{TokenCount.Text(events)} epm");
        if (limit.Concurrent is { } places) words.Add(string.Create(CultureInfo.InvariantCulture, $"{places} at once"));
        return words;
    }

    private static long? Count(Invocation run, Option<string?> option) => run.Get(option) is { } text ? TokenCount.Parse(text) : null;

    private static int? Places(long? count) => count is { } known ? (int)Math.Min(known, int.MaxValue) : null;
}
