using Stoker.Gpus.Diag;
using Stoker.Gpus.Simulation;
using Stoker.Platform;
using Stoker.Platform.Gpus;
using Stoker.Tests.Hosts.Facts;

namespace Stoker.Tests.Gpus.Diag;

/// <summary>A machine with an RTX 5090 and an H100, both well, of which a test changes what it is about.</summary>
internal sealed class DiagBed
{
    public const int Rtx = 0, H100 = 1;

    private const string Kernel = """
        == /sys/module/nvidia/version
        580.65.06
        == /sys/bus/pci/devices/0000:01:00.0/vendor
        0x10de
        == /sys/bus/pci/devices/0000:01:00.0/class
        0x030000
        == link /sys/bus/pci/devices/0000:01:00.0/driver
        /sys/bus/pci/drivers/nvidia
        == /sys/bus/pci/devices/0000:01:00.1/vendor
        0x10de
        == /sys/bus/pci/devices/0000:01:00.1/class
        0x040300
        == /sys/bus/pci/devices/0000:21:00.0/vendor
        0x10de
        == /sys/bus/pci/devices/0000:21:00.0/class
        0x030200
        == link /sys/bus/pci/devices/0000:21:00.0/driver
        /sys/bus/pci/drivers/nvidia
        """;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);

    private readonly BedClock _clock = new();

    public DiagBed()
    {
        Cards = new SimulatedGpuDriver([new SimulatedCard("RTX 5090", null, null, null, 0), new SimulatedCard("H100", null, null, null, 1)], _clock);
        Driver = new AlteredDriver(Cards);
        Opening = new GpuOpening.Opened(Driver);
        Workers =
        [
            new("GPU-simulated-1", "NVIDIA H100 80GB HBM3", 2 << 20) { CopySpeed = 3000, LinkSpeed = 54, Fp32Speed = 62, TensorSpeed = 600, AtWork = () => Cards.Work(H100, Lease) },
            new("GPU-simulated-0", "NVIDIA GeForce RTX 5090", 2 << 20) { CopySpeed = 1600, LinkSpeed = 54, Fp32Speed = 100, TensorSpeed = 190, Capability = 120, AtWork = () => Cards.Work(Rtx, Lease) },
        ];
    }

    public SimulatedGpuDriver Cards { get; }

    public AlteredDriver Driver { get; }

    public GpuOpening Opening { get; set; }

    /// <summary>The kernel's files, as <see cref="CapturedMachine"/> has them.</summary>
    public string Files { get; set; } = Kernel;

    public Dictionary<string, DeviceAccess> Devices { get; } = [];

    public IReadOnlyList<string>? Log { get; set; } = ["NVRM: Xid (PCI:0000:41:00): 79, pid=1, GPU has fallen off the bus: another card's"];

    public Dictionary<string, string> Variables { get; } = [];

    /// <summary>What works on the cards; null: there is no CUDA library.</summary>
    public Func<IGpuCompute?> Compute { get; set; } = () => null;

    /// <summary>The cards at work, both well; in another order than NVML's, as CUDA may have them.</summary>
    public WorkingCard[] Workers { get; }

    public DiagDoors Doors => new()
    {
        Files = CapturedMachine.Parse(Files),
        Device = path => Devices.GetValueOrDefault(path) ?? new DeviceAccess.Granted(),
        XidLines = () => Log,
        CommandOf = pid => pid == 4711 ? "python3" : null,
        OwnPid = 99,
        Variables = Variables,
        Compute = Compute,
    };

    public async Task<DiagReport> LookAsync()
    {
        using var door = new GpuDoor(() => Opening, _clock, TimeSpan.FromMinutes(1));
        return await DiagModule.MakeAsync(door, Doors, _clock, new DiagSpec(1), DiagWatcher.None, CancellationToken.None);
    }

    /// <summary>The levels that work, with little to do.</summary>
    public async Task<DiagReport> WorkAsync(DiagSpec spec, DiagWatcher? watcher = null, CancellationToken stop = default)
    {
        using var door = new GpuDoor(() => Opening, _clock, TimeSpan.FromMinutes(1));
        return await DiagModule.MakeAsync(door, Doors, _clock, spec with { Rounds = 512, Each = TimeSpan.FromMilliseconds(20) }, watcher ?? DiagWatcher.None, stop);
    }

    public async Task<IReadOnlyList<DiagFinding>> WorkedAsync(int index, int level) => (await WorkAsync(new DiagSpec(level))).Gpus[index].Findings;

    /// <summary>For transcripts: <c>well</c>, <c>without-cuda</c>, <c>stuck</c> (a card with bad memory and half its link, and one that is in use), <c>bare</c> (no driver, no card) or <c>worn</c> (both cards have faults).</summary>
    public void Set(string scene)
    {
        switch (scene)
        {
            case "well":
                Compute = () => new SimulatedCompute(Workers);
                break;
            case "stuck":
                Workers[1] = Workers[1] with { StuckBit = (100_000, 17), LinkSpeed = 27 };
                Cards.Place(H100, [new SimulatedClient(4711, 5L << 30, 0)]);
                Compute = () => new SimulatedCompute(Workers);
                break;
            case "without-cuda":
                break;
            case "bare":
                (Opening, Files) = (new GpuOpening.NotThere(), "");
                break;
            case "worn":
                Driver.OfDevice = device => device with { Persistence = device.Index != Rtx };
                Driver.OfReading = reading => reading.Index == Rtx ? reading with { PcieWidth = 4, Throttle = ThrottleReasons.PowerBrake } : reading with { RemapPending = true };
                Cards.Place(Rtx, [new SimulatedClient(4711, 5L << 30, 0)]);
                Log = null;
                Devices["/dev/nvidia-uvm"] = new DeviceAccess.Absent();
                break;
            default:
                throw new ArgumentException($"no scene `{scene}`", nameof(scene));
        }
    }

    public void Pass(TimeSpan time) => _clock.Now += time.Ticks;

    /// <summary>What became of a check of the machine.</summary>
    public async Task<DiagFinding> MachineAsync(string check) => (await LookAsync()).Machine.Single(f => f.Check == check);

    /// <summary>What became of a check of a card, both cards altered alike.</summary>
    public async Task<DiagFinding> CardAsync(int index, string check) => (await LookAsync()).Gpus[index].Findings.Single(f => f.Check == check);

    private sealed class BedClock : TimeProvider
    {
        public long Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;

        public override DateTimeOffset GetUtcNow() => new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    }
}
