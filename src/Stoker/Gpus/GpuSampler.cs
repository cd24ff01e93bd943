using Stoker.Platform.Gpus;

namespace Stoker.Gpus;

/// <summary>One card at one moment.</summary>
/// <param name="Number">Among all cards of the snapshot.</param>
/// <param name="Now">Null: its driver does not answer.</param>
/// <param name="Silent">What keeps it from answering, in words.</param>
internal sealed record GpuState(int Number, GpuDevice Device, GpuReading? Now, GpuSystem? System, string? Silent);

/// <summary>Something that happened to a card of the snapshot.</summary>
internal sealed record GpuIncident(GpuState Gpu, GpuEventKind Kind, long Data);

/// <param name="Problems">Of drivers as a whole, in words; empty where there is merely none.</param>
/// <param name="HasDriver">A driver is installed, or simulated.</param>
internal sealed record GpuSnapshot(DateTimeOffset At, IReadOnlyList<GpuState> Gpus, IReadOnlyList<GpuIncident> Incidents, IReadOnlyList<string> Problems, bool HasDriver)
{
    public static GpuSnapshot None { get; } = new(default, [], [], [], false);
}

/// <summary>Looks at the cards of one or several drivers. What cards there are is asked seldom, how they are each time.</summary>
internal sealed class GpuSampler(IReadOnlyList<GpuDoor> doors, TimeProvider clock)
{
    /// <summary>Cards do not come and go often, and asking what they are costs more than how they are.</summary>
    private static readonly TimeSpan Stale = TimeSpan.FromMinutes(1);

    private readonly Known[] _known = [.. doors.Select(_ => new Known())];

    public async Task<GpuSnapshot> SampleAsync()
    {
        var now = clock.GetUtcNow();
        var gpus = new List<GpuState>();
        var incidents = new List<GpuIncident>();
        var problems = new List<string>();
        var hasDriver = false;
        for (var i = 0; i < doors.Count; i++)
        {
            var known = _known[i];
            var wantsDevices = known.Devices.Count == 0 || now - known.At > Stale;
            switch (await doors[i].AskAsync(driver => Look(driver, wantsDevices)))
            {
                case GpuReply<Sight>.Told { Value: var sight }:
                    hasDriver = true;
                    if (sight.Devices is { } devices) (known.Devices, known.At, known.System) = (devices, now, sight.System);
                    Add(gpus, incidents, known, sight);
                    // A card that is lost, or was found again, changes what there is.
                    if (sight.Now.Any(r => r.Lost is not null)) known.At = default;
                    break;
                case GpuReply<Sight>.Silent silent:
                    hasDriver = true;
                    problems.Add(silent.Words);
                    foreach (var device in known.Devices) gpus.Add(new GpuState(gpus.Count, device, null, known.System, silent.Words));
                    break;
            }
        }

        return new GpuSnapshot(now, gpus, incidents, problems, hasDriver);
    }

    private static Sight Look(IGpuDriver driver, bool wantsDevices)
    {
        var devices = wantsDevices ? driver.ReadDevices() : null;
        return new Sight(driver.System, devices, driver.ReadNow(), driver.TakeEvents());
    }

    private static void Add(List<GpuState> gpus, List<GpuIncident> incidents, Known known, Sight sight)
    {
        var first = gpus.Count;
        foreach (var device in known.Devices)
        {
            var reading = sight.Now.FirstOrDefault(r => r.Index == device.Index);
            gpus.Add(new GpuState(gpus.Count, device, reading, known.System, reading is null ? device.Problems is [var problem, ..] ? problem : "the driver has no reading of it" : reading.Lost));
        }

        foreach (var what in sight.Events)
        {
            if (gpus.Skip(first).FirstOrDefault(g => g.Device.Index == what.Index) is { } gpu) incidents.Add(new GpuIncident(gpu, what.Kind, what.Data));
        }
    }

    private sealed record Sight(GpuSystem System, IReadOnlyList<GpuDevice>? Devices, IReadOnlyList<GpuReading> Now, IReadOnlyList<GpuEvent> Events);

    private sealed class Known
    {
        public IReadOnlyList<GpuDevice> Devices { get; set; } = [];

        public DateTimeOffset At { get; set; }

        public GpuSystem? System { get; set; }
    }
}
