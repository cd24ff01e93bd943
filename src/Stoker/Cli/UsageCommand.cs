using System.Globalization;
using Stoker.Keys;
using Stoker.Gateway.Ledger;
using Stoker.Platform;

namespace Stoker.Cli;

/// <summary>Reads the token ledger where it lies, also while a gateway writes it.</summary>
internal static class UsageCommand
{
    private static readonly string[] Groups = ["model", "key", "replica", "outcome", "day"];

    public static Verb Create()
    {
        var by = Parameters.OneOf("--by", "a line for each of these (default: model)", Groups);
        var since = Parameters.Moment("--since", $"requests from then on (default: all): {Moments.Grammar}");
        var reconcile = Parameters.Flag("--reconcile", "for each replica, the ledger's tokens beside its engine's own counters, and the gap");
        return new Verb("usage", "how many tokens were used, by whom, and for what")
        {
            Example = "stoker model usage --by key --since 7d",
            Remarks =
            [
                "From the gateway's ledger, one row a request. Completion counts every token that the engine generated; wasted are those of them that nobody got, "
                + "because the client had left or the answer broke. Days are UTC.",
            ],
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong],
        }.With(by, since, reconcile).Does(run =>
        {
            if (run.State is not { } state) return ExitCode.EstateIsWrong;
            using var ledger = LedgerReader.OpenIfPresent(state.Ledger);
            if (run.Get(reconcile)) return Reconcile(run, ledger, run.Moment(since));
            var word = run.Get(by) ?? Groups[0];
            return Show(run, ledger?.Usage(By(word), run.Moment(since)) ?? [], word, run.Moment(since), word == "key" ? KeyNames(state.GatewayDatabase) : []);
        });
    }

    private static ExitCode Show(Invocation run, IReadOnlyList<UsageSums> sums, string by, DateTimeOffset? since, Dictionary<string, string> keyNames)
    {
        var total = sums.Aggregate(new UsageSums("total", 0, 0, 0, 0, 0, 0, 0), (sum, each) => sum.Plus(each));
        if (run.Json)
        {
            run.PrintJson(
                new UsageDocument(by, since, [.. sums.Select(s => UsageRowDocument.Of(s, keyNames.GetValueOrDefault(s.Name)))], UsageRowDocument.Of(total)),
                UsageJson.Default.UsageDocument);
            return ExitCode.Done;
        }

        if (sums.Count == 0)
        {
            run.Report.Say(since is null ? "the ledger is empty: no gateway has served a request yet" : "no requests since then");
            return ExitCode.Done;
        }

        var rows = sums.Select(s => Row(s, Name(s.Name, keyNames), Tone.Name)).ToList();
        if (sums.Count > 1) rows.Add(Row(total, "total", Tone.Strong));
        foreach (var line in Table.Lay(Columns(by), rows, run.Width, run.Style)) run.Output.WriteLine(line);
        return ExitCode.Done;
    }

    private static ExitCode Reconcile(Invocation run, LedgerReader? ledger, DateTimeOffset? since)
    {
        var replicas = ledger?.Reconcile(since) ?? [];
        if (run.Json)
        {
            run.PrintJson(new ReconciliationDocument([.. replicas.Select(ReconciliationRowDocument.Of)]), UsageJson.Default.ReconciliationDocument);
            return ExitCode.Done;
        }

        if (replicas.Count == 0)
        {
            run.Report.Say("no engine has been asked for its counters twice yet");
            return ExitCode.Done;
        }

        IReadOnlyList<TableColumn> columns =
        [
            new("REPLICA", Most: 40), new("OVER", Right: true, Sacrifice: 1), new("ENGINE PROMPT", Right: true), new("LEDGER PROMPT", Right: true),
            new("ENGINE GENERATED", Right: true), new("LEDGER COMPLETION", Right: true), new("GAP", Right: true), new("GAP %", Right: true), new("NOTE"),
        ];
        foreach (var line in Table.Lay(columns, [.. replicas.Select(Row)], run.Width, run.Style)) run.Output.WriteLine(line);
        run.Output.WriteLine();
        run.Output.WriteLine("A gap above zero: tokens of requests that passed by the gateway, that are under way, or that an engine went on with unheard.");
        return ExitCode.Done;
    }

    private static IReadOnlyList<TableColumn> Columns(string by) =>
    [
        new(by.ToUpperInvariant(), Most: 48), new("REQUESTS", Right: true), new("PROMPT", Right: true, Sacrifice: 1), new("CACHED", Right: true, Sacrifice: 3),
        new("COMPLETION", Right: true, Sacrifice: 1), new("REASONING", Right: true, Sacrifice: 4), new("WASTED", Right: true, Sacrifice: 2), new("TOKENS", Right: true), new("NOTE"),
    ];

    private static TableRow Row(UsageSums sums, string name, Tone tone) => new(
    [
        new(name.Length == 0 ? "(none)" : name, tone),
        Number(sums.Requests), Number(sums.Prompt), Number(sums.Cached), Number(sums.Completion), Number(sums.Reasoning), Number(sums.Wasted), Number(sums.Tokens),
        new(Estimated(sums), Tone.Dim),
    ]);

    private static TableRow Row(ReplicaReconciliation replica)
    {
        var notes = new List<string>();
        if (replica.Engine.Restarts > 0) notes.Add(replica.Engine.Restarts == 1 ? "the engine began anew once" : $"the engine began anew {replica.Engine.Restarts} times");
        if (Estimated(replica.Ledger) is { Length: > 0 } estimated) notes.Add(estimated);
        return new TableRow(
        [
            new(replica.Engine.Replica, Tone.Name),
            new(Durations.Short(TimeSpan.FromTicks(replica.Engine.To - replica.Engine.From))),
            Number(replica.Engine.Prompt), Number(replica.Ledger.Prompt), Number(replica.Engine.Generation), Number(replica.Ledger.Completion),
            Number(replica.Gap),
            new(replica.GapPercent is { } percent ? percent.ToString("0.00", CultureInfo.InvariantCulture) : ""),
            new(string.Join(", ", notes), Tone.Dim),
        ]);
    }

    private static string Estimated(UsageSums sums) => sums.Estimated == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{sums.Estimated:N0} estimated");

    private static Cell Number(long number) => new(number.ToString("N0", CultureInfo.InvariantCulture), number == 0 ? Tone.Dim : Tone.Plain);

    private static string Name(string name, Dictionary<string, string> keyNames) => keyNames.TryGetValue(name, out var known) ? $"{known} ({name})" : name;

    private static UsageBy By(string word) => word switch
    {
        "key" => UsageBy.Key,
        "replica" => UsageBy.Replica,
        "outcome" => UsageBy.Outcome,
        "day" => UsageBy.Day,
        _ => UsageBy.Model,
    };

    private static Dictionary<string, string> KeyNames(string path)
    {
        if (!Files.Exists(path)) return [];
        using var store = KeyStore.Open(path);
        return store.List().ToDictionary(key => key.Id.Value, key => key.Name);
    }
}
