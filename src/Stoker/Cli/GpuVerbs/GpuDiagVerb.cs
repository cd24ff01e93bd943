using Stoker.Gpus.Diag;
using Stoker.Platform.Gpus;

namespace Stoker.Cli.GpuVerbs;

internal static class GpuDiagVerb
{
    /// <summary>A simulated card computes on this machine's processor, which is given less to do.</summary>
    private const int SimulatedRounds = 8 << 10;

    /// <summary>Of a long run each kind of arithmetic in turn: so much is lost at most when it is killed.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(5);

    public static Verb Create()
    {
        var level = Parameters.OneOf("--level", "1 looks at software and settings; 2 tests memory and copies too; 3 keeps the cards computing too, a minute (default: 1)", "1", "2", "3");
        var length = Parameters.Duration("--for", "repeat level 3 for so long; one that was interrupted goes on where it was");
        var anew = Parameters.Flag("--anew", "with --for: forget an earlier run that was interrupted");
        var inUse = Parameters.Flag("--in-use", "levels 2 and 3 also on cards that somebody uses: they are slowed down, and may find no memory meanwhile");
        var training = Parameters.Flag("--training", "train a network with PyTorch on one card and on all that nobody uses, and compare; on processors where there is no card for it");
        var python = Parameters.Text("--python", "PATH", "with --training: the Python that has PyTorch (default: of the active environment, else along PATH)");
        return new Verb("diag", "whether the GPUs are as they should be: driver, devices, settings, memory errors, link, heat; memory, copies and arithmetic tested")
        {
            Example = "stoker gpu diag --level 3",
            Remarks =
            [
                "Asks the driver and the kernel; needs neither DCGM nor the CUDA toolkit, and changes no setting. Each finding is pass, warn, fail, unknown or "
                + "not done; what could not be read, or what a card does not have, is unknown; what was asked for and could not be made is not done; neither is "
                + "passed.",
                "Levels 2 and 3 work on all cards at once that nobody uses: patterns in all memory that is free, copies, and arithmetic whose every result is "
                + "checked while power, clocks and heat are watched. What they run was not tried on a real GPU yet, but on stand-ins for one: docs/gpu-diag.md says "
                + "what was tested on what.",
                "Ends with 1 where anything failed or was not done, or where there is no GPU to diagnose. A warning and what is unknown do not change the exit code; the last line counts them.",
                "The kernel's log and some devices may be read by root only.",
            ],
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.Interrupted],
        }.With(level, length, anew, inUse, training, python).Does(async run =>
        {
            var lasts = run.Duration(length) ?? TimeSpan.Zero;
            if (lasts > TimeSpan.Zero && run.Get(level) is "1" or "2")
            {
                run.Report.Error("what lasts is level 3", "leave out `--level`, or say `--level 3`");
                return ExitCode.Usage;
            }

            var spec = new DiagSpec(lasts > TimeSpan.Zero ? 3 : run.Get(level) is { } text ? text[0] - '0' : 1) { For = lasts, EvenInUse = run.Get(inUse) };
            if (lasts > TimeSpan.Zero) spec = spec with { Each = Turn };
            if (run.Get(training)) spec = spec with { Training = new TrainingSpec(run.Get(python), run.MachineState.Path) };
            return await RunAsync(run, spec, run.Get(anew));
        });
    }

    private static async Task<ExitCode> RunAsync(Invocation run, DiagSpec spec, bool anew)
    {
        using var cards = DiagCards.Of(run);
        using var interrupts = spec.Level > 1 || spec.Training is not null ? run.World.Interrupts() : null;
        var stop = interrupts?.First ?? CancellationToken.None;
        spec = spec with { Services = cards.Services, Rounds = cards.AreSimulated ? SimulatedRounds : spec.Rounds };
        var report = await DiagModule.MakeAsync(cards.Door, cards.Doors, run.World.Clock, spec, Watcher(run, spec, anew, stop), stop);
        if (run.Json) run.PrintJson(report, DiagJson.Readable.DiagReport);
        else DiagPages.Print(run, report);
        return report.Interrupted ? ExitCode.Interrupted : report.Failed + report.NotDone > 0 ? ExitCode.NotAsItShouldBe : ExitCode.Done;
    }

    private static DiagWatcher Watcher(Invocation run, DiagSpec spec, bool anew, CancellationToken stop)
    {
        if (spec.Level == 1) return DiagWatcher.None;
        var progress = new DiagProgress(run, spec);
        if (spec.For == TimeSpan.Zero) return new DiagWatcher { See = progress.Show, End = _ => progress.Clear() };
        var file = new LongRunFile(run.MachineState.GpuDiag, spec.For, anew, run.World.Clock, text => run.Report.Error(text));
        if (file.Earlier is { } earlier)
        {
            var done = $"{LoadChecks.Length(earlier.Done)} of {LoadChecks.Length(earlier.Seconds)} were done by {earlier.Updated:yyyy-MM-dd HH:mm}";
            run.Report.Say($"goes on with the run of {earlier.Began:yyyy-MM-dd HH:mm} UTC: {done}; `--anew` begins from the start");
        }

        return new DiagWatcher
        {
            Before = file.Before,
            See = works =>
            {
                progress.Show(works);
                file.Keep(works);
            },
            End = works =>
            {
                progress.Clear();
                file.End(works, stop.IsCancellationRequested);
            },
        };
    }
}
