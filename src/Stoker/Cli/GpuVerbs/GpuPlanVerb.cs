using Stoker.Daemon.Protocol;
using Stoker.Estates;
using Stoker.Gpus;
using Stoker.Gpus.Mig;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Platform.Gpus;
using Stoker.Supervision;

namespace Stoker.Cli.GpuVerbs;

internal static class GpuPlanVerb
{
    private static readonly TableColumn[] Columns = [new("  OWNER", Most: 36), new("MEMORY", Right: true), new("GETS")];

    public static Verb Create()
    {
        var options = new PlanOptions();
        return new Verb("plan", "how the GPUs are divided among who asks for them, what must stop for it and for how long, and why what is refused")
        {
            Example = "stoker gpu plan --rehearse",
            Remarks =
            [
                "Changes nothing. Whole cards, MIG partitions with their profiles and placements, shares by MPS, time slices. What a card of this machine can be divided into is asked of its driver; "
                + "of other cards NVIDIA's tables are used.",
            ],
            ExitCodes = [ExitCode.EstateIsWrong, ExitCode.Refused],
        }.With(options.Names, options.Rehearse, options.Profile).Does(run => RunAsync(run, options.Read(run)));
    }

    private static async Task<ExitCode> RunAsync(Invocation run, PlanRequest request)
    {
        if (PlanCommand.Observed(run, request) is not { } plan) return ExitCode.EstateIsWrong;
        var now = plan.Gpus.Any(g => g.IsPresent) ? await GpuSource.LookAsync(run) : null;
        var alive = now is null ? [] : Alive(run);
        using var local = new LocalGpus(run);
        var notes = MigRecords.Read(run.State is { } state ? Files.ReadIfPresent(state.Gpus) : null);
        List<GpuLayout> layouts =
        [
            .. plan.Gpus.Select(g => GpuLayout.Of(
                g, plan.Estate, Mig(local, g), Running(now, g, alive), i => Clients(now, g, (int)i.Id),
                g.Uuid is { } uuid ? notes.Cards.GetValueOrDefault(uuid) : null)),
        ];
        // Of all that a plan may refuse, what is about GPUs; or why there is nothing to tell of any.
        List<GpuRefusal> refusals =
        [
            .. plan.Diagnostics.Where(d => d.Severity == Diagnostics.Severity.Error && (plan.Gpus.Count == 0 || IsAboutGpus(d.Code.Id)))
                .Select(d => new GpuRefusal(d.Code.Id, d.Message, d.Hint)),
            .. layouts.Where(l => l.Problem is not null).Select(l => new GpuRefusal("PLN053", $"GPU {l.Index} ({l.Model}): {l.Problem}", null)),
        ];
        var document = new GpuLayoutDocument(plan.Estate.Name, plan.Host?.Value, refusals.Count > 0, layouts, refusals);
        if (run.Json) run.PrintJson(document, GpuLayoutJson.Readable.GpuLayoutDocument);
        else Print(run, document);
        foreach (var refusal in refusals) run.Report.Error(refusal.Message, refusal.Hint);
        return refusals.Count > 0 ? ExitCode.Refused : ExitCode.Done;
    }

    private static bool IsAboutGpus(string code) =>
        code is "PLN022" or "PLN050" or "PLN051" or "PLN052" or "PLN053" or "PLN054" or "PLN057" or "PLN058";

    /// <summary>Names of the services that run.</summary>
    private static HashSet<string> Alive(Invocation run) =>
        run.State is { } state && run.World.Control(state).Status() is ControlReply<StatusDocument>.Answered { Document: var status }
            ? status.Services.Where(s => s.Pid is not null).Select(s => s.Name).ToHashSet()
            : [];

    private static MigState? Mig(LocalGpus local, GpuPlan gpu)
    {
        if (gpu is not { IsPresent: true, Uuid: { } uuid }) return null;
        var reply = local.Door.Ask(driver =>
        {
            driver.ReadDevices();
            return (driver as IGpuControl)?.ReadMig(uuid);
        });
        return reply is GpuReply<MigState?>.Told told ? told.Value : null;
    }

    /// <summary>Services with processes on the card, and those that were given it and run, whom the driver may not name yet.</summary>
    private static IReadOnlyList<string> Running(GpusDocument? now, GpuPlan gpu, IReadOnlySet<string> alive) =>
        Of(now, gpu) is { } there ? [.. Clients(now, gpu, null).Concat(there.Services.Where(alive.Contains)).Distinct().Order(StringComparer.Ordinal)] : [];

    private static IReadOnlyList<string> Clients(GpusDocument? now, GpuPlan gpu, int? instance)
    {
        if (Of(now, gpu) is not { } there) return [];
        var clients = there.Clients.Where(c => c.Owner == "service" && (instance is null || c.Instance == instance));
        return [.. clients.Select(c => c.Service!).Distinct().Order(StringComparer.Ordinal)];
    }

    private static Stoker.Gpus.GpuDocument? Of(GpusDocument? now, GpuPlan gpu) => gpu.IsPresent ? now?.Gpus.FirstOrDefault(g => g.Device.Uuid == gpu.Uuid) : null;

    private static void Print(Invocation run, GpuLayoutDocument document)
    {
        if (document.Gpus.Count == 0)
        {
            if (document.Refusals.Count == 0) run.Output.WriteLine("no GPU is declared, and nobody asks for one");
            return;
        }

        var rows = new List<TableRow>();
        foreach (var gpu in document.Gpus)
        {
            rows.Add(new TableRow([]) { Heading = Heading(gpu) });
            rows.AddRange(gpu.Entries.Select(e => new TableRow([new("  " + e.Owner, Tone.Name), new(GpuTables.Size(e.Memory)), new(Gets(gpu, e))])));
            if (gpu.Left is > 0) rows.Add(new TableRow([new("  left", Tone.Dim), new(GpuTables.Size(gpu.Left)), new("")]));
        }

        foreach (var line in Table.Lay(Columns, rows, run.Width, run.Style)) run.Output.WriteLine(line);
        foreach (var gpu in document.Gpus.Where(g => g.Steps.Count > 0))
        {
            run.Output.WriteLine();
            run.Output.WriteLine($"to divide GPU {gpu.Index} so:");
            foreach (var step in gpu.Steps) run.Output.WriteLine($"  {step}");
            if (gpu.Stops.Count > 0) run.Output.WriteLine($"  {string.Join(", ", gpu.Stops)} must stop for it, for {gpu.Seconds:0} s at most and the time to start again");
        }
    }

    private static string Heading(GpuLayout gpu)
    {
        var host = gpu.Host is { } name ? $"{name}: " : "";
        var memory = gpu.Memory is { } size ? $", {new ByteSize(size)}" : "";
        return $"{host}GPU {gpu.Index} ({gpu.Model}{memory}): {How(gpu)}{(gpu.Present ? "" : " (not in this machine)")}";
    }

    private static string How(GpuLayout gpu) => gpu.Share switch
    {
        null => "free",
        "whole" => "given whole",
        "mps" => "shared by MPS, one control daemon for the card",
        "mig" => "in partitions (MIG)",
        "time" => "shared in time slices, without a limit that the card enforces",
        var other => other,
    };

    private static string Gets(GpuLayout gpu, GpuLayoutEntry entry) => gpu.Share switch
    {
        "whole" => "the card",
        "mig" when entry.Profile is { } profile => $"{profile} at slice {entry.Start}{(entry.IsThere == true ? ", which is there" : "")}",
        "mps" => $"{entry.ThreadPercent} % of the threads at most{(entry.Memory is { } memory ? $", {memory >> 20} MiB pinned as the limit" : "")}",
        "time" => "its turn",
        _ => "",
    };
}
