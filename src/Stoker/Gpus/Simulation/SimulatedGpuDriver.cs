using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Simulation;

/// <summary>
/// A driver of cards that are not there, for rehearsals and tests: they heat up under load, slow down, fail, and keep MIG's rules. Who is on them and how busy is told from outside; what
/// happens to them is asked for (<see cref="Raise"/>). All from the door's thread, but for what is asked for.
/// </summary>
internal sealed class SimulatedGpuDriver : IGpuDriver, IGpuControl
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _clock;
    private readonly List<SimulatedGpu> _gpus;
    private readonly Queue<GpuEvent> _events = new();
    private readonly Dictionary<int, long> _workEnds = [];
    private long _stepped;

    public SimulatedGpuDriver(IReadOnlyList<SimulatedCard> cards, TimeProvider clock)
    {
        (_clock, _gpus, _stepped) = (clock, [.. cards.Select((card, index) => new SimulatedGpu(index, card))], clock.GetTimestamp());
    }

    public GpuSystem System { get; } = new("simulated", null, null, IsSimulated: true);

    public IReadOnlyList<SimulatedCard> Cards => [.. _gpus.Select(g => g.Card)];

    public IReadOnlyList<GpuDevice> ReadDevices()
    {
        lock (_lock) return [.. _gpus.Select(g => g.Describe())];
    }

    public IReadOnlyList<GpuReading> ReadNow()
    {
        lock (_lock)
        {
            Step();
            return [.. _gpus.Select(g => g.Read())];
        }
    }

    public IReadOnlyList<GpuEvent> TakeEvents()
    {
        lock (_lock)
        {
            if (_events.Count == 0) return [];
            GpuEvent[] taken = [.. _events];
            _events.Clear();
            return taken;
        }
    }

    /// <summary>Who is on a card from now on.</summary>
    public void Place(int index, IReadOnlyList<SimulatedClient> clients)
    {
        lock (_lock)
        {
            Step();
            _gpus[index].Clients = clients;
        }
    }

    public void Raise(int index, int xid)
    {
        lock (_lock)
        {
            Step();
            _gpus[index].Suffer(xid);
            _events.Enqueue(new GpuEvent(index, GpuEventKind.Xid, xid));
        }
    }

    /// <param name="load">Beside that of its clients.</param>
    /// <param name="cooling">1 is as it should be.</param>
    public void Strain(int index, double? load, double? cooling)
    {
        lock (_lock)
        {
            Step();
            if (load is { } more) _gpus[index].ExtraLoad = more;
            if (cooling is { } less) _gpus[index].Cooling = less;
        }
    }

    /// <summary>One bit of the card's memory sticks, as an old card's may.</summary>
    public void Wear(int index, long bit)
    {
        lock (_lock) _gpus[index].StuckBit = bit;
    }

    /// <summary>A diagnosis keeps the card busy, and says so again while it does.</summary>
    public void Work(int index, TimeSpan lease)
    {
        lock (_lock)
        {
            Step();
            (_gpus[index].WorkLoad, _workEnds[index]) = (1, _clock.GetTimestamp() + (long)(lease.TotalSeconds * _clock.TimestampFrequency));
        }
    }

    /// <summary>A card that was in partitions before the daemon that simulates it was replaced is so still.</summary>
    public void Divide(int index, bool on, IReadOnlyList<MigInstance> instances)
    {
        lock (_lock) _gpus[index].Divide(on, instances);
    }

    public void Reset(int index)
    {
        lock (_lock) _gpus[index].Reset();
    }

    public MigState? ReadMig(string uuid) => Of(uuid)?.ReadMig();

    public string? SetMigMode(string uuid, bool on) => Of(uuid) is { } gpu ? gpu.SetMig(on) : NotThere(uuid);

    public (MigInstance? Made, string? Problem) CreateInstance(string uuid, uint profileId, uint start) => Of(uuid) is { } gpu ? gpu.Create(profileId, start) : (null, NotThere(uuid));

    public string? DestroyInstance(string uuid, uint instanceId) => Of(uuid) is { } gpu ? gpu.Destroy(instanceId) : NotThere(uuid);

    public void Dispose()
    {
    }

    private static string NotThere(string uuid) => $"there is no GPU {uuid}";

    private SimulatedGpu? Of(string uuid) => _gpus.Find(g => g.Card.Id == uuid);

    private void Step()
    {
        var now = _clock.GetTimestamp();
        var seconds = _clock.GetElapsedTime(_stepped, now).TotalSeconds;
        if (seconds <= 0) return;
        _stepped = now;
        foreach (var gpu in _gpus) gpu.Step(Math.Min(seconds, 3600));
        foreach (var (index, _) in _workEnds.Where(w => w.Value <= now).ToList())
        {
            _gpus[index].WorkLoad = 0;
            _workEnds.Remove(index);
        }
    }
}
