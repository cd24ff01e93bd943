using FsCheck;
using FsCheck.Fluent;
using Stoker.Gateway.Ledger;
using Stoker.Limits;
using Stoker.Platform.Sqlite;
using Stoker.Tests.Logs;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Gateway.Ledger;

public sealed class LedgerTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private readonly Scratch _scratch = new();
    private readonly ManualTime _time = new(Noon);
    private readonly List<string> _said = [];

    private string Path => _scratch.At("ledger.db");

    public void Dispose() => _scratch.Dispose();

    private LedgerWriter Writer(string? path = null, int most = LedgerWriter.MostWaiting) => new(path ?? Path, TimeSpan.FromDays(30), _time, _said.Add, most);

    private IReadOnlyList<UsageSums> Usage(UsageBy by, DateTimeOffset? since = null)
    {
        using var reader = LedgerReader.OpenIfPresent(Path)!;
        return reader.Usage(by, since);
    }

    private long Count(string sql)
    {
        using var database = SqliteDatabase.Open(Path, LedgerStore.Schema);
        using var statement = database.Prepare(sql);
        using var rows = statement.Query();
        rows.Next();
        return rows.Long(0);
    }

    [Fact]
    public void Rows_are_committed_together_fifty_milliseconds_after_the_first()
    {
        using var writer = Writer();
        writer.Add(Rows.Row(Noon));
        _time.Advance(TimeSpan.FromMilliseconds(49));
        writer.Add(Rows.Row(Noon));
        Assert.Equal((2, 0L), (writer.Waiting, Count("SELECT count(*) FROM usage")));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal((0, 2L), (writer.Waiting, Count("SELECT count(*) FROM usage")));
        writer.Add(Rows.Row(Noon));
        _time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal(3, Count("SELECT count(*) FROM usage"));
    }

    [Fact]
    public void A_full_group_of_rows_does_not_wait_for_its_time()
    {
        using var writer = Writer();
        for (var i = 0; i < LedgerWriter.GroupRows; i++) writer.Add(Rows.Row(Noon));
        _time.Advance(TimeSpan.Zero);
        Assert.Equal((0, (long)LedgerWriter.GroupRows), (writer.Waiting, Count("SELECT count(*) FROM usage")));
    }

    [Fact]
    public void An_orderly_end_loses_nothing()
    {
        using (var writer = Writer())
        {
            for (var i = 0; i < 10_000; i++) writer.Add(Rows.Row(Noon, prompt: i));
        }

        Assert.Equal(10_000, Count("SELECT count(*) FROM usage"));
        Assert.Equal(9999L * 10_000 / 2, Assert.Single(Usage(UsageBy.Model)).Prompt);
        Assert.Empty(_said);
    }

    [Fact]
    public void A_row_is_kept_as_it_was_given()
    {
        using (var writer = Writer()) writer.Add(Rows.Row(Noon, outcome: RequestOutcome.Truncated, wasted: 2, estimated: true) with { ModelAsked = "fast" });
        Assert.Equal(1, Count($"SELECT count(*) FROM usage WHERE time = {Noon.ToUnixTimeMilliseconds()} AND request = 'req_0123456789abcdef00000001' AND key = 'key_a' AND model_asked = 'fast' AND model = 'phi' AND replica = 'phi.1' AND outcome = 'truncated' AND prompt = 10 AND cached = 5 AND completion = 5 AND reasoning = 1 AND wasted = 2 AND estimated = 1 AND ttft_ms = 12.346 AND duration_ms = 100 AND queue_ms = 0 AND status = 200 AND stream = 1 AND bytes = 321"));
    }

    [Fact]
    public void A_name_that_nobody_has_is_kept_as_it_was_asked_for_and_a_very_long_one_is_cut()
    {
        using (var writer = Writer())
        {
            writer.Add(Rows.Row(Noon, model: "", replica: "", outcome: RequestOutcome.Refused) with { ModelAsked = "größer" });
            writer.Add(Rows.Row(Noon, model: "", replica: "", outcome: RequestOutcome.Refused) with { ModelAsked = new string('x', 100_000) });
            writer.Add(Rows.Row(Noon));
        }

        Assert.Equal(1, Count("SELECT count(*) FROM usage WHERE model_asked = 'größer' AND model = ''"));
        Assert.Equal(256, Count("SELECT length(model_asked) FROM usage WHERE model_asked LIKE 'xx%'"));
        Assert.Equal(1, Count("SELECT count(*) FROM usage WHERE model_asked = 'phi' AND model = 'phi'"));
    }

    [Fact]
    public void Two_gateways_that_hand_over_agree_on_what_they_count()
    {
        using (var one = Writer())
        using (var other = Writer())
        {
            for (var i = 0; i < 100; i++)
            {
                foreach (var writer in (LedgerWriter[])[one, other])
                {
                    writer.Add(Rows.Row(Noon, key: $"key_{i % 7}"));
                    if (i % 10 == 0) writer.Flush();
                }
            }
        }

        Assert.Equal((7, 200L, 2000L), (Usage(UsageBy.Key).Count, Usage(UsageBy.Key).Sum(s => s.Requests), Usage(UsageBy.Model).Sum(s => s.Prompt)));
        Assert.Equal(200, Count("SELECT count(*) FROM usage"));
        Assert.Equal(200, Usage(UsageBy.Model, Noon).Sum(s => s.Requests));
    }

    [Fact]
    public void Many_threads_lose_no_row()
    {
        using (var writer = Writer())
        {
            Parallel.For(0, 64, thread =>
            {
                for (var i = 0; i < 500; i++) writer.Add(Rows.Row(Noon, key: $"key_{thread}"));
                writer.Flush();
            });
        }

        Assert.Equal((64, 32_000L), (Usage(UsageBy.Key).Count, Usage(UsageBy.Key).Sum(s => s.Requests)));
        Assert.Equal(32_000, Count("SELECT count(DISTINCT id) FROM usage"));
    }

    [Fact]
    public void A_full_disk_keeps_rows_in_memory_says_so_once_and_writes_them_when_there_is_room()
    {
        using var disk = SmallDisk.Mount("2m");
        var path = System.IO.Path.Combine(disk.Path, "ledger.db");
        using (var writer = Writer(path, most: 40_000))
        {
            var ballast = disk.Fill(leaving: 100_000);
            for (var i = 0; i < 5_000; i++) writer.Add(Rows.Row(Noon));
            Assert.False(writer.Flush());
            for (var i = 0; i < 3; i++) _time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(5_000, writer.Waiting);
            Assert.Contains("rows wait in memory", Assert.Single(_said));
            File.Delete(ballast);
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal((0, 0L), (writer.Waiting, writer.Lost));
        }

        Assert.Equal("ledger: it can be written again", _said[1]);
        using var reader = LedgerReader.OpenIfPresent(path)!;
        Assert.Equal(5_000, Assert.Single(reader.Usage(UsageBy.Model, null)).Requests);
    }

    [Fact]
    public void Rows_beyond_what_memory_may_hold_are_counted_as_lost_and_the_number_is_said()
    {
        using var writer = Writer(most: 1500);
        using (var blocking = SqliteDatabase.Open(Path, LedgerStore.Schema))
        {
            blocking.Execute("ALTER TABLE usage_rows RENAME TO elsewhere");
            for (var i = 0; i < 2000; i++) writer.Add(Rows.Row(Noon));
            Assert.Equal((1500, 500L), (writer.Waiting, writer.Lost));
            Assert.False(writer.Flush());
            blocking.Execute("ALTER TABLE elsewhere RENAME TO usage_rows");
        }

        Assert.True(writer.Flush());
        Assert.Equal(1500, Count("SELECT count(*) FROM usage"));
        Assert.Contains(_said, line => line.Contains("500 rows were lost", StringComparison.Ordinal));
    }

    [Fact]
    public void A_group_whose_commit_is_not_known_to_have_happened_is_not_written_twice()
    {
        using var store = LedgerStore.Open(Path, Noon);
        var first = store.Number(2);
        Assert.False(store.Has(first));
        store.Commit(first, Rows.Group(Rows.Row(Noon), Rows.Row(Noon)), []);
        Assert.True(store.Has(first));
        using var other = LedgerStore.Open(Path, Noon);
        Assert.True(other.Number(1) > first + (1L << 39));
    }

    [Fact]
    public void Old_rows_go_and_the_sums_of_their_days_stay()
    {
        using (var writer = Writer())
        {
            writer.Add(Rows.Row(Noon.AddDays(-31), prompt: 7));
            for (var i = 0; i < 12_000; i++) writer.Add(Rows.Row(Noon.AddDays(-40), prompt: 1));
            writer.Add(Rows.Row(Noon.AddDays(-29), prompt: 100));
            for (var i = 0; i < 20; i++) _time.Advance(TimeSpan.FromMilliseconds(50));
        }

        Assert.Equal(1, Count("SELECT count(*) FROM usage"));
        Assert.Equal([("2026-10-12", 12_000L), ("2026-10-21", 7L), ("2026-10-23", 100L)], Usage(UsageBy.Day).Select(d => (d.Name, d.Prompt)));
        // In the middle of a day whose rows are gone, the day counts whole.
        Assert.Equal(107, Usage(UsageBy.Model, Noon.AddDays(-31).AddHours(5)).Sum(m => m.Prompt));
        Assert.Empty(_said);
    }

    [Fact]
    public void Since_the_middle_of_a_day_counts_to_the_millisecond()
    {
        using (var writer = Writer())
        {
            for (var hour = 0; hour < 48; hour++) writer.Add(Rows.Row(Noon.AddHours(-hour), prompt: 1, completion: 0));
        }

        Assert.Equal(48, Usage(UsageBy.Model).Sum(m => m.Requests));
        Assert.Equal(31, Usage(UsageBy.Model, Noon.AddHours(-30)).Sum(m => m.Requests));
        Assert.Equal(30, Usage(UsageBy.Model, Noon.AddHours(-30).AddMilliseconds(1)).Sum(m => m.Requests));
        Assert.Equal(13, Usage(UsageBy.Model, new DateTimeOffset(2026, 11, 21, 0, 0, 0, TimeSpan.Zero)).Sum(m => m.Requests));
        Assert.Empty(Usage(UsageBy.Model, Noon.AddMinutes(1)));
    }

    [Fact]
    public void Budgets_begin_with_what_the_ledger_says()
    {
        using (var writer = Writer())
        {
            writer.Add(Rows.Row(Noon, key: "a", prompt: 1, completion: 2));
            writer.Add(Rows.Row(Noon.AddDays(-1), key: "a", prompt: 10, completion: 20));
            writer.Add(Rows.Row(Noon.AddMonths(-1), key: "a", prompt: 100, completion: 200));
            writer.Add(Rows.Row(Noon.AddMonths(-1), key: "b", prompt: 5, completion: 0));
        }

        using var reader = LedgerReader.OpenIfPresent(Path)!;
        Assert.Equal([new BudgetUse("a", 3, 33, 333), new BudgetUse("b", 0, 0, 5)], reader.Budgets(Noon));
    }

    [Fact]
    public void The_sums_of_days_are_those_of_the_rows_however_they_came()
    {
        var rows =
            from key in Gen.Choose(0, 2)
            from model in Gen.Choose(0, 1)
            from outcome in Gen.Elements(Enum.GetValues<RequestOutcome>())
            from hours in Gen.Choose(-60, 0)
            from tokens in Gen.Choose(0, 1000)
            from flush in Gen.Choose(0, 9)
            select (row: Rows.Row(Noon.AddHours(hours), $"key_{key}", $"m{model}", $"m{model}.1", outcome, tokens, tokens / 3, estimated: tokens % 7 == 0), flush: flush == 0);
        Prop.ForAll(rows.NonEmptyListOf().ToArbitrary(), list =>
        {
            File.Delete(Path);
            using (var writer = Writer())
            {
                foreach (var (row, flush) in list)
                {
                    writer.Add(row);
                    if (flush) writer.Flush();
                }
            }

            foreach (var by in Enum.GetValues<UsageBy>())
            {
                var sums = Usage(by);
                Assert.Equal(list.Count, sums.Sum(s => s.Requests));
                Assert.Equal(list.Sum(r => r.row.Prompt + r.row.Completion), sums.Sum(s => s.Tokens));
                Assert.Equal(list.Count(r => r.row.IsEstimated), sums.Sum(s => s.Estimated));
            }

            var since = DateTimeOffset.UnixEpoch.AddTicks(list[0].row.At - DateTimeOffset.UnixEpoch.Ticks);
            Assert.Equal(list.Count(r => r.row.At >= list[0].row.At), Usage(UsageBy.Replica, since).Sum(s => s.Requests));
            foreach (var sum in Usage(UsageBy.Outcome))
                Assert.Equal(list.Where(r => LedgerRow.Word(r.row.Outcome) == sum.Name).Sum(r => r.row.Cached), sum.Cached);
            Assert.Equal(0, Count("SELECT count(*) FROM (SELECT time / 86400000 AS day, key, model, replica, outcome, count(*) AS requests, sum(prompt) AS prompt FROM usage GROUP BY 1, 2, 3, 4, 5 EXCEPT SELECT day, key, model, replica, outcome, requests, prompt FROM usage_daily)"));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(25));
    }

    [Fact]
    public async Task A_writer_that_is_killed_again_and_again_leaves_a_ledger_that_reads_and_adds_up()
    {
        for (var kill = 0; kill < 5; kill++)
        {
            using var process = LedgerProcess.Start(Path);
            Assert.Equal("writing", await process.StandardOutput.ReadLineAsync());
            var before = Count("SELECT count(*) FROM usage");
            // At once, or a few commits later: while one is on its way in any case.
            while (kill % 2 == 0 && Count("SELECT count(*) FROM usage") < before + 3000) await Task.Yield();
            process.Kill();
            await process.WaitForExitAsync();
        }

        Assert.Equal(Count("SELECT count(*) FROM usage"), Count("SELECT sum(requests) FROM usage_daily"));
        Assert.Equal(Count("SELECT sum(prompt + completion) FROM usage"), Count("SELECT sum(prompt + completion) FROM usage_daily"));
        using var database = SqliteDatabase.Open(Path, LedgerStore.Schema);
        using var check = database.Prepare("PRAGMA integrity_check");
        using var rows = check.Query();
        rows.Next();
        Assert.Equal("ok", rows.Text(0));
    }

    [Fact]
    public void Adding_a_row_allocates_nothing_while_the_writer_keeps_up()
    {
        using var writer = Writer();
        var before = 0L;
        for (var i = 0; i < 6_000; i++)
        {
            // The writer takes them where it runs; its own bindings are not the request's.
            if (i == 3_000) before = GC.GetAllocatedBytesForCurrentThread();
            writer.Add(Rows.Row(Noon));
            if (i % 500 != 499) continue;
            var thread = new Thread(() => writer.Flush());
            var here = GC.GetAllocatedBytesForCurrentThread();
            thread.Start();
            thread.Join();
            before += GC.GetAllocatedBytesForCurrentThread() - here;
        }

        // The smallest object a row would be 72,000 bytes; the runtime hands a thread its memory in pieces of 8 KiB and may count one whole.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 24_000);
    }
}
