using Stoker.Daemon.Protocol;
using Stoker.Gpus;
using Stoker.Platform.Gpus;

namespace Stoker.Cli.GpuVerbs;

internal static class GpuCommand
{
    public static Verb Create() => new Verb("gpu", "the GPUs: what they are, how they are, whose memory is whose, how they are divided")
    {
        Example = "stoker gpu list",
        ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Refused, ExitCode.NoDaemon, ExitCode.Interrupted],
    }.With(List(), GpuTop.Create(), GpuLedgerVerb.Create(), GpuPlanVerb.Create(), GpuMetricsVerb.Create(), GpuDiagVerb.Create(), GpuSimulateVerb.Create());

    private static Verb List() => new Verb("list", "show every GPU: model, memory, use, temperature, power, link, and the services on it")
    {
        Example = "stoker gpu list --json",
        Remarks =
        [
            "Asks the estate's daemon, which knows whose the processes are and has the simulated cards of a rehearsal; without one, the driver is asked from here. "
            + "A star behind the model marks a card that is simulated. What a card does not tell is shown as `-`, and named in --json.",
        ],
        ExitCodes = [ExitCode.NotAsItShouldBe],
    }.Does(async run =>
    {
        var gpus = await GpuSource.LookAsync(run);
        if (run.Json) run.PrintJson(gpus, GpuJson.Readable.GpusDocument);
        else foreach (var line in GpuTables.List(gpus, run.Width, run.Style)) run.Output.WriteLine(line);
        foreach (var problem in gpus.Problems) run.Report.Error(problem);
        return gpus.Problems.Count > 0 || gpus.Gpus.Any(g => g.Silent is not null) ? ExitCode.NotAsItShouldBe : ExitCode.Done;
    });
}

/// <summary>Where a verb gets the GPUs from: the estate's daemon, else the driver of this machine.</summary>
internal static class GpuSource
{
    public static async Task<GpusDocument> LookAsync(Invocation run)
    {
        if (run.Quiet().State is { } state && run.World.Control(state).Gpus() is ControlReply<GpusDocument>.Answered { Document: var answered }) return answered;
        using var local = new LocalGpus(run);
        return await local.LookAsync();
    }

    /// <summary>What a daemon that died took with it; null: none did.</summary>
    public static string? Missing(Invocation run) => run.Quiet().DeadDaemon() is var (words, hint)
        ? $"{words}: whose the processes on the cards are is not known, and cards that it simulated are not there; {hint}"
        : null;
}

/// <summary>The driver, asked from here because no daemon answers: nobody's processes are known.</summary>
internal sealed class LocalGpus(Invocation run) : IDisposable
{
    private readonly GpuDoor _door = new(run.World.Gpus, run.World.Clock);
    private readonly GpuView _view = new(null, run.World.Clock);
    private readonly SemaphoreSlim _looking = new(1);
    private GpuSampler? _sampler;

    public GpuDoor Door => _door;

    public async Task<GpusDocument> LookAsync()
    {
        await _looking.WaitAsync();
        try
        {
            _sampler ??= new GpuSampler([_door], run.World.Clock);
            var seen = _view.Lay(await _sampler.SampleAsync(), [], _ => [], _ => null);
            return GpuSource.Missing(run) is { } missing ? seen with { Problems = [.. seen.Problems, missing] } : seen;
        }
        finally
        {
            _looking.Release();
        }
    }

    public void Dispose()
    {
        _door.Dispose();
        _looking.Dispose();
    }
}
