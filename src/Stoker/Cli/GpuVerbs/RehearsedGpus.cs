using Stoker.Daemon.Protocol;
using Stoker.Gpus;
using Stoker.Gpus.Diag;
using Stoker.Gpus.Simulation;
using Stoker.Platform.Gpus;

namespace Stoker.Cli.GpuVerbs;

/// <summary>
/// The simulated cards of a rehearsal, for a diagnosis: how they are is the daemon's to tell, what they compute is done here on the processor. The daemon is told that they work, so that they
/// warm up and slow down by it, and how fast they compute follows the clock that it tells.
/// </summary>
internal sealed class RehearsedGpus(ControlClient control, GpusDocument first, TimeProvider clock) : IGpuDriver
{
    /// <summary>So much stands for the memory of a card.</summary>
    private const long Memory = 16 << 20;

    /// <summary>Of what the real card's maker says, as cards that are well reach.</summary>
    private const double OfMemory = 0.9, OfLink = 0.86, OfFp32 = 0.96, OfTensor = 0.88, OfTensorWithoutWgmma = 0.6;

    private const int BitsOfWord = 64;

    /// <summary>Seconds in which it is told again that a card works, and after which it works no more.</summary>
    private const double Pace = 1, Lease = 3;

    private volatile GpusDocument _last = first;

    public GpuSystem System { get; } = new("simulated", null, null, IsSimulated: true);

    public IReadOnlyList<GpuDevice> ReadDevices() => [.. Ask().Gpus.Where(g => g.Simulated).Select(g => g.Device with { Index = g.Index })];

    public IReadOnlyList<GpuReading> ReadNow() => [.. Ask().Gpus.Where(g => g.Simulated).Select(Reading)];

    public IReadOnlyList<GpuEvent> TakeEvents() => [];

    public IGpuCompute Compute() => new SimulatedCompute([.. _last.Gpus.Where(g => g.Simulated).Select(Worker)]);

    public void Dispose()
    {
    }

    private static GpuReading Reading(GpuDocument gpu) => gpu.Now is { } now
        ? now with { Index = gpu.Index, Processes = [.. gpu.Clients.Select(c => new GpuProcess(c.Pid, c.Memory, c.Kind) { GpuPercent = c.GpuPercent, Instance = c.Instance })] }
        : new GpuReading(gpu.Index) { Lost = gpu.Silent ?? "it tells nothing" };

    private GpusDocument Ask() => control.Gpus() switch
    {
        ControlReply<GpusDocument>.Answered answered => _last = answered.Document,
        ControlReply<GpusDocument>.NoDaemon gone => throw new GpuDriverException($"the daemon, which simulates the cards, does not answer: {gone.Reason}"),
        _ => throw new GpuDriverException("the daemon, which simulates the cards, does not tell of them"),
    };

    private WorkingCard Worker(GpuDocument gpu)
    {
        var device = gpu.Device;
        var uuid = device.Uuid ?? "";
        var card = new WorkingCard(uuid, device.Name ?? "", Memory)
        {
            Capability = CapabilityOf(device.ComputeCapability),
            StuckBit = gpu.Now?.StuckBit is { } bit ? (bit / BitsOfWord, (int)(bit % BitsOfWord)) : null,
            Pace = clock,
            Clock = () => ShareOf(uuid),
            AtWork = AtWork(uuid),
        };
        if (CardCapability.Of(device.Name, device.Memory) is not { } known) return card;
        return card with
        {
            CopySpeed = known.Memory * OfMemory,
            LinkSpeed = (known.Pcie ?? known.Memory) * OfLink,
            Fp32Speed = known.Fp32 * OfFp32,
            TensorSpeed = known.Tensor is { } tensor ? tensor * (known.NeedsWgmma ? OfTensorWithoutWgmma : OfTensor) : card.TensorSpeed,
        };
    }

    /// <summary>Each second, on the thread of the card's work. A daemon that is gone is noticed by who reads how the card is.</summary>
    private Action AtWork(string uuid)
    {
        long? told = null;
        return () =>
        {
            if (told is { } last && clock.GetElapsedTime(last).TotalSeconds < Pace) return;
            told = clock.GetTimestamp();
            control.SimulateGpu(new GpuSimulationRequest(uuid, null, null, null, Reset: false, Work: Lease));
        };
    }

    private double ShareOf(string uuid)
    {
        var gpu = _last.Gpus.FirstOrDefault(g => g.Device.Uuid == uuid);
        return gpu is { Now: { GpuPercent: > 0, SmClock: { } now }, Device.SmClockMax: { } most } ? (double)now / most : 1;
    }

    private static int CapabilityOf(string? text) => Version.TryParse(text, out var version) ? (version.Major * 10) + version.Minor : 90;
}
