using Stoker.Gpus.Mig;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Simulation;

/// <summary>A card of an estate that is not in this machine.</summary>
/// <param name="Model">As declared.</param>
/// <param name="Host">Whose card it is; null where no hosts are declared.</param>
/// <param name="Place">Its index on that host.</param>
internal sealed record SimulatedCard(string Model, long? Memory, string? Uuid, string? Host, int Place)
{
    public string Id => Uuid ?? $"GPU-simulated-{(Host is { } host ? $"{host}-" : "")}{Place}";
}

/// <summary>A process that is to be on a simulated card.</summary>
/// <param name="Load">Of the card's time, 0 to 1.</param>
/// <param name="Instance">Of MIG, that it is in.</param>
internal sealed record SimulatedClient(int Pid, long Memory, double Load, uint? Instance = null);

/// <summary>One simulated card, as it is now. MIG has its real rules: placements that overlap, or a change of mode under a client, are refused.</summary>
internal sealed class SimulatedGpu(int index, SimulatedCard card)
{
    private static readonly string[] NotOfGeForce = ["serial", "mig", "retired_by_single_bit", "retired_by_double_bit"];

    private static readonly string[] ReadingsNotOfGeForce =
        ["memory_celsius", "ecc_corrected", "ecc_uncorrected", "ecc_corrected_ever", "ecc_uncorrected_ever", "remapped_rows", "retired_by_single_bit", "retired_by_double_bit"];

    private static readonly string[] NotOfJetson = ["pci", "pcie_generation", "pcie_width", "power_limits", "power_default", "ecc", "slowdown_celsius", "shutdown_celsius", "vbios"];

    private static readonly string[] ReadingsNotOfJetson = ["pcie_generation", "pcie_width", "pcie_replays", "power_limit", "fan", "energy", "throttle"];

    /// <summary>Of compute, in every card that has MIG.</summary>
    private const double Slices = 7;

    private readonly CardFigures _figures = CardFigures.Of(card.Model, card.Memory);
    private readonly List<MigInstance> _instances = [];
    private GpuHeat _heat = GpuPhysics.Start(CardFigures.Of(card.Model, card.Memory));
    private long _corrected;
    private long _uncorrected;
    private long _remapped;
    private string? _lost;
    private bool _isMig;
    private bool _isLookedAt;

    public SimulatedCard Card => card;

    public IReadOnlyList<SimulatedClient> Clients { get; set; } = [];

    public double Cooling { get; set; } = 1;

    /// <summary>Added to what its clients do.</summary>
    public double ExtraLoad { get; set; }

    /// <summary>A diagnosis keeps it busy.</summary>
    public double WorkLoad { get; set; }

    /// <summary>A bit of its memory that is always set, counted from the beginning; null: none.</summary>
    public long? StuckBit { get; set; }

    public bool IsLost => _lost is not null;

    private long Memory => (long)_figures.Mebibytes << 20;

    private long Reserved => Math.Min(Memory / 40, 640L << 20);

    private double Load => Math.Clamp(Clients.Sum(c => c.Load) + ExtraLoad + WorkLoad, 0, 1);

    public void Step(double seconds)
    {
        if (!IsLost) _heat = GpuPhysics.Step(_heat, _figures, Load, _figures.Watts, Cooling, seconds);
    }

    /// <summary>What an Xid does to the card itself: what it does to programs is theirs to notice.</summary>
    public void Suffer(int xid)
    {
        switch (xid)
        {
            case 79:
                _lost = "GPU is lost (code 15)";
                break;
            case 48 or 94 or 95:
                _uncorrected++;
                break;
            case 63:
                _remapped++;
                break;
            case 92:
                _corrected += 10;
                break;
            case 62 or 119 or 120 or 140:
                _lost = "GPU requires restart (code 16)";
                break;
        }
    }

    /// <summary>What a reset mends, which is all but what has worn out.</summary>
    public void Reset()
    {
        (_lost, _corrected, _uncorrected, _heat, StuckBit) = (null, 0, 0, GpuPhysics.Start(_figures), null);
    }

    public GpuDevice Describe()
    {
        var figures = _figures;
        return new GpuDevice(index)
        {
            Uuid = card.Id,
            Name = figures.Name,
            Simulated = true,
            PciBusId = figures.IsJetson ? null : $"00000000:{(index * 0x20) + 1:X2}:00.0",
            PciId = Text(figures.PciId),
            Serial = figures.IsDataCentre ? $"SIM{index:0000}" : null,
            Vbios = figures.IsJetson ? null : "simulated",
            Minor = index,
            ComputeCapability = Text(figures.ComputeCapability),
            Cores = figures.Cores > 0 ? figures.Cores : null,
            Memory = Memory,
            PcieGeneration = figures.PcieGeneration,
            PcieWidth = figures.PcieWidth,
            PowerMin = figures.WattsMin,
            PowerMax = figures.WattsMax,
            PowerDefault = figures.IsJetson ? null : figures.Watts,
            SmClockMax = figures.SmClock,
            MemoryClockMax = figures.MemoryClock,
            SlowdownCelsius = figures.SlowdownCelsius,
            ShutdownCelsius = figures.ShutdownCelsius,
            Ecc = figures.IsJetson ? null : figures.IsDataCentre,
            EccPending = figures.IsJetson ? null : figures.IsDataCentre,
            Mig = HasMig ? _isMig : null,
            MigPending = HasMig ? _isMig : null,
            Persistence = true,
            ComputeMode = "default",
            NotSupported =
            [
                .. HasMig ? [] : NotOfGeForce,
                .. figures.SlowdownCelsius is null && !figures.IsJetson ? (string[])["slowdown_celsius", "shutdown_celsius"] : [],
                .. figures.IsJetson ? NotOfJetson : [],
            ],
        };
    }

    public GpuReading Read()
    {
        if (_lost is { } lost) return new GpuReading(index) { Lost = lost };
        var (figures, used) = (_figures, Math.Min(Clients.Sum(c => c.Memory), Memory - Reserved));
        var percent = (int)Math.Round(Load * 100);
        var (hbm, jetson) = (figures.IsDataCentre, figures.IsJetson);
        // Monitors tell what was between two looks.
        var isSecond = _isLookedAt;
        _isLookedAt = true;
        return new GpuReading(index)
        {
            UsedMemory = used,
            FreeMemory = Memory - Reserved - used,
            ReservedMemory = Reserved,
            // The driver cannot measure it for a card in partitions.
            GpuPercent = _isMig ? null : percent,
            MemoryPercent = _isMig ? null : percent * 6 / 10,
            EncoderPercent = 0,
            DecoderPercent = 0,
            Celsius = (int)Math.Round(_heat.Celsius),
            MemoryCelsius = hbm ? (int)Math.Round(_heat.Celsius + 6) : null,
            FanPercent = hbm || jetson ? null : (int)Math.Clamp((_heat.Celsius - 40) * 2.2 * Cooling, 0, 100),
            Watts = Math.Round(_heat.Watts, 2),
            PowerLimit = jetson ? null : figures.Watts,
            Energy = jetson ? null : (long)(_heat.Energy * 1000),
            SmClock = Load > 0 ? (int)(figures.SmClock * _heat.Share) : 210,
            MemoryClock = Load > 0 ? figures.MemoryClock : Math.Min(405, figures.MemoryClock),
            PerformanceState = Load > 0 ? hbm ? 0 : 2 : hbm ? 0 : 8,
            Throttle = jetson ? null : _heat.Throttle,
            PcieGeneration = Load > 0 ? figures.PcieGeneration : figures.PcieGeneration is null ? null : 1,
            PcieWidth = figures.PcieWidth,
            PcieReplays = jetson ? null : 0,
            EccCorrected = hbm ? _corrected : null,
            EccUncorrected = hbm ? _uncorrected : null,
            EccCorrectedEver = hbm ? _corrected : null,
            EccUncorrectedEver = hbm ? _uncorrected : null,
            RetiredBySingleBit = hbm ? 0 : null,
            RetiredByDoubleBit = hbm ? 0 : null,
            RemappedCorrectable = hbm ? 0 : null,
            RemappedUncorrectable = hbm ? _remapped : null,
            RemapPending = hbm ? _remapped > 0 : null,
            RemapFailed = hbm ? false : null,
            StuckBit = StuckBit,
            Activity = isSecond && !_isMig ? Activity(Load) : null,
            Instances = _isMig ? [.. _instances.OrderBy(i => i.Id).Select(i => Read(i, isSecond))] : [],
            Processes = [.. Clients.Select(c => new GpuProcess(c.Pid, c.Memory, "compute") { GpuPercent = _isMig ? null : (int)Math.Round(c.Load * 100), Instance = (int?)c.Instance })],
            NotSupported =
            [
                .. hbm ? (string[])["fan"] : ReadingsNotOfGeForce,
                .. jetson ? ReadingsNotOfJetson : [],
                .. _isMig ? (string[])["utilisation"] : [],
                .. figures.HasMonitors ? [] : (string[])["activity"],
            ],
        };
    }

    public MigState? ReadMig() => MigTables.For(_figures.Name, Memory) is { } table && HasMig ? new MigState(_isMig, table.Profiles, [.. _instances.OrderBy(i => i.Start)]) : null;

    public string? SetMig(bool on)
    {
        if (IsLost) return _lost;
        if (!HasMig) return "Not Supported (code 3)";
        if (Clients.Count > 0 || _instances.Count > 0) return "In use by another client (code 19)";
        _isMig = on;
        return null;
    }

    public (MigInstance? Made, string? Problem) Create(uint profileId, uint start)
    {
        if (IsLost) return (null, _lost);
        if (ReadMig() is not { IsOn: true } mig) return (null, "Not Supported (code 3)");
        if (mig.Profiles.FirstOrDefault(p => p.Id == profileId) is not { } profile || !profile.Starts.Contains((int)start)) return (null, "Invalid Argument (code 2)");
        if (_instances.Exists(i => i.Start < start + profile.Size && start < i.Start + i.Size)) return (null, "Insufficient Resources (code 23)");
        if (_instances.Count(i => i.ProfileId == profileId) == profile.Most) return (null, "Insufficient Resources (code 23)");
        uint id = 1;
        while (_instances.Exists(i => i.Id == id)) id++;
        var made = new MigInstance(id, profileId, (int)start, profile.Size, $"MIG-{card.Id[4..]}-{id}");
        _instances.Add(made);
        return (made, null);
    }

    public string? Destroy(uint id)
    {
        if (IsLost) return _lost;
        if (!_instances.Exists(i => i.Id == id)) return "Not Found (code 6)";
        if (Clients.Any(c => c.Instance == id)) return "In use by another client (code 19)";
        _instances.RemoveAll(i => i.Id == id);
        return null;
    }

    /// <summary>As it was before the daemon that simulates it was replaced.</summary>
    public void Divide(bool on, IReadOnlyList<MigInstance> instances)
    {
        _isMig = on && HasMig;
        _instances.Clear();
        if (_isMig) _instances.AddRange(instances);
    }

    private GpuInstanceReading Read(MigInstance instance, bool isSecond)
    {
        var profile = ReadMig()!.Profiles.First(p => p.Id == instance.ProfileId);
        List<SimulatedClient> clients = [.. Clients.Where(c => c.Instance == instance.Id)];
        var used = Math.Min(clients.Sum(c => c.Memory), profile.Memory);
        // A client's load is of the whole card's time, and the instance is a part of the card.
        var load = Math.Clamp(clients.Sum(c => c.Load) * Slices / profile.Slices, 0, 1);
        return new GpuInstanceReading((int)instance.Id, profile.Name)
        {
            Memory = profile.Memory, UsedMemory = used, FreeMemory = profile.Memory - used, Activity = isSecond ? Activity(load) : null,
        };
    }

    /// <summary>As of a model that answers: tensor cores and memory share the time, the link carries little.</summary>
    private GpuActivity? Activity(double load) => !_figures.HasMonitors ? null : new GpuActivity
    {
        Engine = load, Sm = load * 0.9, Occupancy = load * 0.4, Tensor = load * 0.35, Dram = load * 0.55, Fp64 = 0, Fp32 = load * 0.1, Fp16 = load * 0.05,
        PcieSent = load * 60e6, PcieReceived = load * 250e6, NvlinkSent = _figures.IsDataCentre ? 0 : null, NvlinkReceived = _figures.IsDataCentre ? 0 : null,
    };

    private bool HasMig => _figures.IsDataCentre;

    private static string? Text(string text) => text.Length > 0 ? text : null;
}
