using Stoker.Daemon.Protocol;
using Stoker.Gpus;

namespace Stoker.Cli.GpuVerbs;

internal static class GpuLedgerVerb
{
    private static readonly TableColumn[] Columns = [new("  OWNER", Most: 36), new("DECLARED", Right: true), new("MEASURED", Right: true), new("STATE"), new("WHY")];

    public static Verb Create() => new Verb("ledger", "whose memory is whose: what each service declared, what its processes use, and what nobody owns")
    {
        Example = "stoker gpu ledger",
        Remarks =
        [
            "States: within over idle undeclared orphan other_estate stranger unknown. Orphans were left behind by a service of this estate; strangers are none of it. "
            + "Ends with 1 where a byte is used that its user did not declare.",
        ],
        ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.NoDaemon],
    }.Asks((run, control) =>
    {
        var reply = control.GpuLedger();
        if (reply is not ControlReply<LedgerDocument>.Answered { Document: var ledger }) return run.Failed(reply);
        if (run.Json) run.PrintJson(ledger, GpuJson.Readable.LedgerDocument);
        else Print(run, ledger);
        foreach (var problem in ledger.Problems) run.Report.Error(problem);
        return ledger.Problems.Count == 0 && ledger.Gpus.All(g => g.IsAsItShouldBe) ? ExitCode.Done : ExitCode.NotAsItShouldBe;
    });

    private static void Print(Invocation run, LedgerDocument ledger)
    {
        if (ledger.Gpus.Count == 0)
        {
            run.Output.WriteLine("nobody was given a GPU, and nobody is on one");
            return;
        }

        var rows = new List<TableRow>();
        foreach (var gpu in ledger.Gpus)
        {
            rows.Add(new TableRow([]) { Heading = Heading(gpu) });
            rows.AddRange(gpu.Entries.Select(Row));
            if (gpu.Unaccounted is > 0)
            {
                rows.Add(new TableRow(
                [
                    new("  unaccounted"), new(""), new(GpuTables.Size(gpu.Unaccounted)), new("unknown", Tone.Busy),
                    new("used, and the driver names no process for it"),
                ]));
            }
        }

        foreach (var line in Table.Lay(Columns, rows, run.Width, run.Style)) run.Output.WriteLine(line);
    }

    private static string Heading(GpuLedger gpu)
    {
        var used = $"{GpuTables.Size(gpu.Used)} of {GpuTables.Size(gpu.Total)} used";
        var reserved = gpu.Reserved is { } known ? $", {GpuTables.Size(known)} the driver's" : "";
        return $"GPU {gpu.Index} {gpu.Name}{(gpu.Simulated ? "*" : "")}: {used}{reserved}{(gpu.Simulated ? " (simulated)" : "")}";
    }

    private static TableRow Row(LedgerEntry entry) => new(
    [
        new("  " + entry.Owner, Tone.Name), new(GpuTables.Size(entry.Declared)), new(GpuTables.Size(entry.Measured)), new(entry.State, ToneOf(entry.State)), new(entry.Says ?? ""),
    ]);

    private static Tone ToneOf(string state) => state switch
    {
        "within" => Tone.Good,
        "idle" => Tone.Dim,
        "over" or "orphan" => Tone.Bad,
        _ => Tone.Busy,
    };
}
