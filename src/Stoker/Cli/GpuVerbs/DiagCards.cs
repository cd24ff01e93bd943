using Stoker.Daemon.Protocol;
using Stoker.Gpus;
using Stoker.Gpus.Diag;
using Stoker.Platform.Gpus;

namespace Stoker.Cli.GpuVerbs;

/// <summary>Which cards a diagnosis is about: this machine's, else those that the estate's daemon simulates; and which services use them.</summary>
internal sealed class DiagCards : IDisposable
{
    private DiagCards(GpuDoor door, DiagDoors doors, GpusDocument? known, bool areSimulated) => (Door, Doors, Services, AreSimulated) = (door, doors, ServicesOf(known), areSimulated);

    public GpuDoor Door { get; }

    public DiagDoors Doors { get; }

    /// <summary>By UUID.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Services { get; }

    public bool AreSimulated { get; }

    public static DiagCards Of(Invocation run)
    {
        var (world, control) = (run.World, run.Quiet().State is { } state ? run.World.Control(state) : null);
        var known = (control?.Gpus() as ControlReply<GpusDocument>.Answered)?.Document;
        if (known is null && GpuSource.Missing(run) is { } missing) run.Report.Error(missing);
        if (known is not null && known.Gpus.Any(g => g.Simulated) && known.Gpus.Any(g => !g.Simulated))
        {
            run.Report.Say("only this machine's own cards are diagnosed, those that the rehearsal simulates are not");
        }

        if (known is null || known.Gpus.Count == 0 || known.Gpus.Any(g => !g.Simulated)) return new DiagCards(new GpuDoor(world.Gpus, world.Clock), world.Diag(), known, areSimulated: false);
        var rehearsed = new RehearsedGpus(control!, known, world.Clock);
        return new DiagCards(new GpuDoor(() => new GpuOpening.Opened(rehearsed), world.Clock), world.Diag() with { Compute = rehearsed.Compute }, known, areSimulated: true);
    }

    public void Dispose() => Door.Dispose();

    private static Dictionary<string, IReadOnlyList<string>> ServicesOf(GpusDocument? known)
    {
        var services = new Dictionary<string, IReadOnlyList<string>>();
        foreach (var gpu in known?.Gpus ?? [])
        {
            if (gpu.Device.Uuid is { } uuid && gpu.Services.Count > 0) services[uuid] = gpu.Services;
        }

        return services;
    }
}
