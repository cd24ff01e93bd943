using Stoker.Limits;
using Stoker.Platform.Sqlite;

namespace Stoker.Gateway.Ledger;

/// <summary>By what a sum is made.</summary>
internal enum UsageBy
{
    Key,
    Model,
    Replica,
    Outcome,
    Day,
}

/// <summary>Sums over the requests of one group.</summary>
/// <param name="Name">Key id, model, replica, outcome, or day as <c>2026-11-21</c>; empty where there was none.</param>
/// <param name="Estimated">Requests whose tokens the engine did not say.</param>
internal sealed record UsageSums(
    string Name, long Requests, long Prompt, long Cached, long Completion, long Reasoning, long Wasted, long Estimated)
{
    /// <summary>What counts for budgets.</summary>
    public long Tokens => Prompt + Completion;

    public UsageSums Plus(UsageSums other) => this with
    {
        Requests = Requests + other.Requests,
        Prompt = Prompt + other.Prompt,
        Cached = Cached + other.Cached,
        Completion = Completion + other.Completion,
        Reasoning = Reasoning + other.Reasoning,
        Wasted = Wasted + other.Wasted,
        Estimated = Estimated + other.Estimated,
    };
}

/// <summary>
/// Asks a ledger, also while a gateway writes it. Whole days come from their sums, so that a year costs no more than a week; of a day that begins
/// in its middle the single rows are added up, while they are still kept: before that the day counts whole.
/// </summary>
internal sealed class LedgerReader(SqliteDatabase database) : IDisposable
{
    private const string Sums =
        "sum(requests), sum(prompt), sum(cached), sum(completion), sum(reasoning), sum(wasted), sum(estimated)";

    /// <summary>Null where no gateway has written one yet.</summary>
    public static LedgerReader? OpenIfPresent(string path) =>
        SqliteDatabase.OpenIfPresent(path, LedgerStore.Schema) is { } database ? new LedgerReader(database) : null;

    /// <param name="since">Null: from the beginning.</param>
    /// <returns>By tokens, most first; days in their order.</returns>
    public IReadOnlyList<UsageSums> Usage(UsageBy by, DateTimeOffset? since)
    {
        var column = by switch
        {
            UsageBy.Key => "key",
            UsageBy.Model => "model",
            UsageBy.Replica => "replica",
            UsageBy.Outcome => "outcome",
            UsageBy.Day => "day",
        };
        var (day, from) = Begin(since);
        using var statement = database.Prepare(
            $"""
            SELECT {column}, {Sums} FROM (
              SELECT id >> 32 AS day, id & 4294967295 AS series, requests, prompt, cached, completion, reasoning, wasted, estimated FROM usage_sums WHERE id >= ?1 << 32
              UNION ALL
              SELECT time / 86400000, series, 1, prompt, cached, completion, reasoning, wasted, estimated FROM usage_rows
                WHERE {RowsOfTime("?2", "?1 * 86400000")})
            JOIN usage_series s ON s.id = series
            GROUP BY 1 ORDER BY {(by == UsageBy.Day ? "1" : "sum(prompt) + sum(completion) DESC, sum(requests) DESC, 1")}
            """);
        using var rows = statement.Bind(1, day).Bind(2, from).Query();
        var found = new List<UsageSums>();
        while (rows.Next())
        {
            var name = by == UsageBy.Day ? DateTimeOffset.UnixEpoch.AddDays(rows.Long(0)).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture) : rows.Text(0);
            found.Add(new UsageSums(name, rows.Long(1), rows.Long(2), rows.Long(3), rows.Long(4), rows.Long(5), rows.Long(6), rows.Long(7)));
        }

        return found;
    }

    /// <summary>What every key has used of today, this month and ever, for <see cref="Limiter.StartFrom"/>.</summary>
    public IReadOnlyList<BudgetUse> Budgets(DateTimeOffset now)
    {
        var today = now.UtcDateTime.Date;
        using var statement = database.Prepare(
            """
            SELECT key, sum(CASE WHEN day >= ?1 THEN prompt + completion ELSE 0 END), sum(CASE WHEN day >= ?2 THEN prompt + completion ELSE 0 END),
              sum(prompt + completion)
            FROM usage_daily GROUP BY key
            """);
        using var rows = statement.Bind(1, Day(today)).Bind(2, Day(today.AddDays(1 - today.Day))).Query();
        var found = new List<BudgetUse>();
        while (rows.Next()) found.Add(new BudgetUse(rows.Text(0), rows.Long(1), rows.Long(2), rows.Long(3)));
        return found;
    }

    /// <summary>Each replica's ledger beside its engine's own counters.</summary>
    /// <param name="since">Null: as far back as both are kept.</param>
    public IReadOnlyList<ReplicaReconciliation> Reconcile(DateTimeOffset? since)
    {
        var samples = new List<EngineSample>();
        using (var statement = database.Prepare("SELECT replica, time, epoch, prompt_total, generation_total FROM engine_counters ORDER BY replica, time"))
        {
            using var rows = statement.Query();
            while (rows.Next()) samples.Add(new EngineSample(rows.Text(0), LedgerStore.Ticks(rows.Long(1)), rows.Long(2), rows.Long(3), rows.Long(4)));
        }

        return
        [
            .. samples.GroupBy(sample => sample.Replica)
                .Select(replica => EngineGrowth.Of([.. replica], since?.UtcTicks))
                .OfType<EngineGrowth>()
                .Select(growth => new ReplicaReconciliation(growth, LedgerOf(growth))),
        ];
    }

    public void Dispose() => database.Dispose();

    /// <summary>Requests count where they ended, because by then the engine has counted all of them.</summary>
    private UsageSums LedgerOf(EngineGrowth growth)
    {
        using var statement = database.Prepare(
            """
            SELECT count(*), coalesce(sum(prompt), 0), coalesce(sum(cached), 0), coalesce(sum(completion), 0), coalesce(sum(reasoning), 0), coalesce(sum(wasted), 0), coalesce(sum(estimated), 0)
            FROM usage_rows
            WHERE series IN (SELECT id FROM usage_series WHERE replica = ?1) AND time + duration_us / 1000.0 > ?2 AND time + duration_us / 1000.0 <= ?3
            """);
        using var rows = statement.Bind(1, growth.Replica).Bind(2, LedgerStore.Milliseconds(growth.From)).Bind(3, LedgerStore.Milliseconds(growth.To)).Query();
        _ = rows.Next();
        return new UsageSums(growth.Replica, rows.Long(0), rows.Long(1), rows.Long(2), rows.Long(3), rows.Long(4), rows.Long(5), rows.Long(6));
    }

    /// <summary>The first day that counts whole, and the moment before it from which single rows count.</summary>
    private (long Day, long From) Begin(DateTimeOffset? since)
    {
        if (since is not { } moment) return (0, long.MaxValue);
        var day = Day(moment.UtcDateTime.Date);
        var from = moment.ToUnixTimeMilliseconds();
        if (from == day * 86_400_000) return (day, from);
        return HasRowsOf(day) ? (day + 1, from) : (day, from);
    }

    /// <summary>Whether all rows of a day that has sums are still kept.</summary>
    private bool HasRowsOf(long day)
    {
        using var statement = database.Prepare(
            $"""
            SELECT (SELECT count(*) FROM usage_rows WHERE {RowsOfTime("?1 * 86400000", "(?1 + 1) * 86400000")})
              = (SELECT coalesce(sum(requests), 0) FROM usage_sums WHERE id >= ?1 << 32 AND id < (?1 + 1) << 32)
            """);
        using var rows = statement.Bind(1, day).Query();
        return rows.Next() && rows.Long(0) == 1;
    }

    /// <summary>The condition for rows of a span of time, which reads no more of the table than where such rows are.</summary>
    private static string RowsOfTime(string from, string until)
    {
        var minutes = $"FROM usage_minutes WHERE minute >= ({from}) / 60000 AND minute <= ({until}) / 60000";
        return $"id >= (SELECT min(first) {minutes}) AND id <= (SELECT max(last) {minutes}) AND time >= {from} AND time < {until}";
    }

    private static long Day(DateTime date) => LedgerStore.Day(date.Ticks);
}
