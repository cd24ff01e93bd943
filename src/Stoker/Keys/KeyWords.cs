using Stoker.Limits;

namespace Stoker.Keys;

/// <summary>The words that scopes, priorities and periods have in files, on the command line and in JSON.</summary>
internal static class KeyWords
{
    public static readonly string[] Scopes = ["inference", "explain", "metrics", "ingest"];

    /// <summary>Those that mean something to a stream.</summary>
    public static readonly string[] OfStreams = ["ingest", "metrics"];

    public static readonly string[] Priorities = ["high", "normal", "low"];

    public static readonly string[] Periods = ["day", "month", "total"];

    public static KeyScopes? Scope(string word) => word switch
    {
        "inference" => KeyScopes.Inference,
        "explain" => KeyScopes.Explain,
        "metrics" => KeyScopes.Metrics,
        "ingest" => KeyScopes.Ingest,
        _ => null,
    };

    public static IReadOnlyList<string> Of(KeyScopes scopes) => [.. Scopes.Where(word => scopes.HasFlag(Scope(word)!.Value))];

    public static KeyPriority? Priority(string word) => word switch
    {
        "high" => KeyPriority.High,
        "normal" => KeyPriority.Normal,
        "low" => KeyPriority.Low,
        _ => null,
    };

    public static string Of(KeyPriority priority) => priority switch
    {
        KeyPriority.High => "high",
        KeyPriority.Normal => "normal",
        KeyPriority.Low => "low",
    };

    public static BudgetPeriod? Period(string word) => word switch
    {
        "day" => BudgetPeriod.Day,
        "month" => BudgetPeriod.Month,
        "total" => BudgetPeriod.Total,
        _ => null,
    };

    public static string Of(BudgetPeriod period) => period switch
    {
        BudgetPeriod.Day => "day",
        BudgetPeriod.Month => "month",
        BudgetPeriod.Total => "total",
    };
}
