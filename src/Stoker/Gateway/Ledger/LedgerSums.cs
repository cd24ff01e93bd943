using System.Runtime.InteropServices;
using Stoker.Platform.Sqlite;

namespace Stoker.Gateway.Ledger;

/// <summary>
/// What a group of rows adds to the sums of its days, by series: key, model, replica, outcome. A series has a number, which the rows carry instead of its
/// words; numbers once found are remembered. One thread at a time, within the group's transaction.
/// </summary>
internal sealed class LedgerSums(SqliteDatabase database) : IDisposable
{
    /// <summary>Days and series remembered; beyond, all are looked up anew.</summary>
    private const int MostKnown = 50_000;

    private readonly SqliteInsert _sums = new(
        database,
        "usage_sums",
        ["id", "requests", "prompt", "cached", "completion", "reasoning", "wasted", "estimated"],
        """
        ON CONFLICT (id) DO UPDATE SET
          requests = requests + excluded.requests, prompt = prompt + excluded.prompt, cached = cached + excluded.cached,
          completion = completion + excluded.completion, reasoning = reasoning + excluded.reasoning, wasted = wasted + excluded.wasted,
          estimated = estimated + excluded.estimated
        """);

    private readonly SqliteStatement _newSeries = database.Prepare("INSERT INTO usage_series (key, model, replica, outcome) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING");
    private readonly SqliteStatement _seriesOf = database.Prepare("SELECT id FROM usage_series WHERE key = ?1 AND model = ?2 AND replica = ?3 AND outcome = ?4");
    private readonly Dictionary<Series, Sums> _known = [];
    private readonly List<Sums> _changed = [];

    /// <returns>The number of the row's series.</returns>
    public long Add(in LedgerRow row)
    {
        var day = LedgerStore.Day(row.At);
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_known, new Series(day, row.Key, row.Model, row.Replica, row.Outcome), out _);
        var sums = known ??= new Sums(day, NumberOf(row));
        if (sums.Requests++ == 0) _changed.Add(sums);
        sums.Prompt += row.Prompt;
        sums.Cached += row.Cached;
        sums.Completion += row.Completion;
        sums.Reasoning += row.Reasoning;
        sums.Wasted += row.Wasted;
        if (row.IsEstimated) sums.Estimated++;
        return sums.Series;
    }

    /// <summary>Adds what the group came to.</summary>
    public void Write()
    {
        // In the order in which they lie in the table.
        _changed.Sort(static (one, other) => one.Id.CompareTo(other.Id));
        _sums.Begin(_changed.Count);
        foreach (var sums in _changed)
        {
            _sums.Add(sums.Id);
            _sums.Add(sums.Requests);
            _sums.Add(sums.Prompt);
            _sums.Add(sums.Cached);
            _sums.Add(sums.Completion);
            _sums.Add(sums.Reasoning);
            _sums.Add(sums.Wasted);
            _sums.Add(sums.Estimated);
            sums.Clear();
        }

        _changed.Clear();
        if (_known.Count > MostKnown) _known.Clear();
    }

    /// <summary>The transaction was undone, and perhaps with it the numbers of new series.</summary>
    public void Forget()
    {
        _known.Clear();
        _changed.Clear();
    }

    public void Dispose()
    {
        _sums.Dispose();
        _newSeries.Dispose();
        _seriesOf.Dispose();
    }

    private long NumberOf(in LedgerRow row)
    {
        // First, because another gateway may have it, and nothing that is there is written again.
        _newSeries.Bind(1, row.Key).Bind(2, row.Model).Bind(3, row.Replica).Bind(4, LedgerRow.Word(row.Outcome)).Run();
        using var found = _seriesOf.Bind(1, row.Key).Bind(2, row.Model).Bind(3, row.Replica).Bind(4, LedgerRow.Word(row.Outcome)).Query();
        _ = found.Next();
        return found.Long(0);
    }

    private readonly record struct Series(long Day, string Key, string Model, string Replica, RequestOutcome Outcome)
    {
        // Few of the members tell most series apart; what remains is compared.
        public override int GetHashCode() => HashCode.Combine(Key.GetHashCode(StringComparison.Ordinal), Replica.GetHashCode(StringComparison.Ordinal), (int)Outcome);
    }

    private sealed class Sums(long day, long series)
    {
        public long Requests, Prompt, Cached, Completion, Reasoning, Wasted, Estimated;

        public long Id => (day << 32) | series;

        public long Series => series;

        public void Clear() => (Requests, Prompt, Cached, Completion, Reasoning, Wasted, Estimated) = (0, 0, 0, 0, 0, 0, 0);
    }
}
