using Stoker.Estates;
using Stoker.Gpus;
using Stoker.Gpus.Healing;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Platform.Gpus;
using Stoker.Probes;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>
/// The GPUs of a daemon: looked at each second while its plan has any, and else when somebody asks. In a rehearsal the cards that this machine does not have are simulated, with the
/// services that were given them on them.
/// </summary>
internal sealed class GpuWatch : IDisposable
{
    /// <summary>A probe wants to know how it is, and not how it was.</summary>
    private static readonly TimeSpan FreshForProbes = TimeSpan.FromMilliseconds(250);

    /// <summary>A start waits this long for its card to be divided before it says that it waits.</summary>
    private static readonly TimeSpan Dividing = TimeSpan.FromSeconds(2);

    private readonly SupervisionDoors _doors;
    private readonly GpuView _view;
    private readonly GpuHealer _healer;
    private readonly GpuPartitions _partitions;
    private readonly GpuRooms _rooms;
    private readonly GpuOveruse _overuse;
    private readonly GpuDoor _own;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _sampling = new(1);
    private readonly CancellationTokenSource _end = new();
    private readonly string _estate;
    private Scene _scene;
    private GpusDocument _latest;
    private ITimer? _timer;
    private string? _lastFault;

    /// <param name="records">The file of what was divided.</param>
    public GpuWatch(string estate, SupervisionDoors doors, Supervisor supervisor, string records)
    {
        (_estate, _doors) = (estate, doors);
        _view = new GpuView(estate, doors.Clock);
        _own = new GpuDoor(() => NvmlDriver.Open(), doors.Clock);
        _scene = new Scene(null, null, new GpuSampler([_own], doors.Clock));
        _healer = new GpuHealer(doors, supervisor);
        _latest = new GpusDocument(estate, default, null, null, [], []);
        _partitions = new GpuPartitions(doors, supervisor, LookAsync, records, HostEnvironment.BootId);
        (_rooms, _overuse) = (new GpuRooms(doors), new GpuOveruse(doors, supervisor));
        (doors.GpuUse, doors.Room) = (UseOfAsync, RoomAsync);
    }

    /// <summary>The plan that is carried out from now on. Does not wait for a look that is under way: a driver may hang.</summary>
    public void Follow(EstatePlan plan)
    {
        lock (_lock)
        {
            var (before, cards) = (_scene, GpuStage.CardsOf(plan));
            var isSame = cards.Count == 0 ? before.Stage is null : before.Stage is { } kept && kept.Cards.SequenceEqual(cards);
            var stage = isSame ? before.Stage : cards.Count == 0 ? null : new GpuStage(cards, _doors.Clock, _partitions.ShapeOf);
            Volatile.Write(ref _scene, new Scene(plan, stage, isSame ? before.Sampler : new GpuSampler(stage is null ? [_own] : [_own, stage.Door], _doors.Clock)));
            if (!isSame) before.Stage?.Dispose();
            MakePlacesOfMps(plan);
            _partitions.Follow(plan, [.. plan.Gpus.Where(g => g.Share is not null).Select(g => CardOf(g, stage)).OfType<DividedCard>()]);
            if (plan.Gpus.Count > 0)
            {
                _timer ??= _doors.Clock.CreateTimer(_ => _ = TickAsync(), null, GpusModule.Pace, GpusModule.Pace);
            }
            else
            {
                _timer?.Dispose();
                _timer = null;
            }
        }
    }

    private DividedCard? CardOf(GpuPlan gpu, GpuStage? stage) =>
        gpu is { IsPresent: true, Uuid: { } uuid } ? new DividedCard(gpu, uuid, _own, IsSimulated: false) :
        stage is not null && !gpu.IsPresent ? new DividedCard(gpu, GpuStage.CardOf(gpu).Id, stage.Door, IsSimulated: true) : null;

    /// <summary>Services of other users are clients too, and reach their server through them.</summary>
    private void MakePlacesOfMps(EstatePlan plan)
    {
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        var mode = HostEnvironment.IsRoot ? owner | others : owner;
        foreach (var daemon in plan.Local.Where(s => s.MpsOf is not null))
        {
            var place = Path.Combine(_doors.Places.Mps, daemon.Name.Value);
            foreach (var directory in (ReadOnlySpan<string>)[_doors.Places.Mps, place, Path.Combine(place, "pipe"), Path.Combine(place, "log")]) Files.CreateDirectory(directory, mode);
        }
    }

    /// <summary>As it is at this moment.</summary>
    private async Task<GpusDocument> LookAsync()
    {
        await _sampling.WaitAsync(_end.Token);
        try
        {
            return await SampleAsync();
        }
        finally
        {
            _sampling.Release();
        }
    }

    private async Task<GpusDocument> FreshAsync()
    {
        await _sampling.WaitAsync(_end.Token);
        try
        {
            return _doors.Clock.GetUtcNow() - _latest.At < FreshForProbes ? _latest : await SampleAsync();
        }
        finally
        {
            _sampling.Release();
        }
    }

    /// <summary>First its cards must be divided as planned, then there must be room on them.</summary>
    private async ValueTask<StartRoom> RoomAsync(ServiceName service, int replica)
    {
        var scene = Volatile.Read(ref _scene);
        if (scene.Plan is not { } plan) return new StartRoom.There();
        List<GpuPlan> own = [.. plan.Gpus.Where(g => (g.IsPresent || scene.Stage is not null) && g.Holders.Any(h => GpuPartitions.IsFor(h.Owner, service.Value, replica, plan)))];
        if (own.Count == 0) return new StartRoom.There();
        foreach (var gpu in own)
        {
            if (CardOf(gpu, scene.Stage) is not { } card) continue;
            await Task.WhenAny(_partitions.DecidedAsync(card.Uuid), Task.Delay(Dividing, _doors.Clock));
            foreach (var holder in gpu.Holders.Where(h => GpuPartitions.IsFor(h.Owner, service.Value, replica, plan)))
            {
                if (_partitions.HoldsUp(card.Uuid, holder.Owner) is { } why) return new StartRoom.NotNow(why);
            }
        }

        var now = await FreshAsync();
        var cards = own.Select(g => (g, now.Gpus.FirstOrDefault(d => scene.PlanOf(d.Device) == g), (IReadOnlyList<LedgerBudget>)BudgetsOf(g, plan)));
        return _rooms.Decide(service, replica, [.. cards], plan, now.Problems);
    }

    /// <summary>As it was at the last look, if that is fresh, else as it is now.</summary>
    public async Task<GpusDocument> ReadAsync()
    {
        await _sampling.WaitAsync(_end.Token);
        try
        {
            return _doors.Clock.GetUtcNow() - _latest.At < GpusModule.Pace * 1.5 ? _latest : await SampleAsync();
        }
        finally
        {
            _sampling.Release();
        }
    }

    /// <summary>What the processes of a replica have now on the cards that it was given, and whether they are on others.</summary>
    private async ValueTask<GpuUse> UseOfAsync(string service, int replica, CancellationToken cancel)
    {
        var gpus = await FreshAsync().WaitAsync(cancel);
        var scene = Volatile.Read(ref _scene);
        return GpuUses.Of(gpus, [.. gpus.Gpus.Where(g => scene.ServicesOn(g.Device).Contains(service))], service, replica);
    }

    public LedgerDocument LedgerOf(GpusDocument gpus)
    {
        var ledgers = gpus.Gpus.Select(g => (Gpu: g, Budgets: BudgetsOf(g.Device)))
            .Where(g => g.Budgets.Count > 0 || g.Gpu.Clients.Count > 0)
            .Select(g => GpuLedger.Of(g.Gpu, g.Budgets));
        return new LedgerDocument(_estate, gpus.At, [.. ledgers], gpus.Problems);
    }

    /// <returns>Why it cannot be; null when it is done.</returns>
    public string? Simulate(GpuSimulationRequest request)
    {
        var gpu = _latest.Gpus.FirstOrDefault(g => $"{g.Index}" == request.Gpu || g.Device.Uuid == request.Gpu);
        if (gpu is null) return $"there is no GPU {request.Gpu}";
        if (!gpu.Simulated || Volatile.Read(ref _scene).Stage is not { } stage) return $"GPU {gpu.Index} ({gpu.Name}) is a real one";
        var driver = stage.Driver;
        var index = gpu.Device.Index;
        if (request.Reset) driver.Reset(index);
        if (request.Load is not null || request.Cooling is not null) driver.Strain(index, request.Load, request.Cooling);
        if (request.MemoryFault) driver.Wear(index, GpuStage.WornBit);
        if (request.Work is { } seconds) driver.Work(index, TimeSpan.FromSeconds(seconds));
        if (request.Xid is { } xid) driver.Raise(index, xid);
        return null;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _timer?.Dispose();
            _timer = null;
        }

        _end.Cancel();
        _scene.Stage?.Dispose();
        _own.Dispose();
    }

    private async Task TickAsync()
    {
        // A look that takes longer than a second is not begun twice.
        if (!await _sampling.WaitAsync(0)) return;
        try
        {
            await SampleAsync();
            if (Volatile.Read(ref _scene).Plan is { } plan) _overuse.Meet(_latest, plan, g => BudgetsOf(g.Device));
            _partitions.LookAgain();
        }
        catch (Exception fault)
        {
            // A bug or a broken machine: told once for each that comes in a row, and the next look is made all the same.
            if (fault.Message != _lastFault) _doors.Journal.Write("gpu_look_failed", $"the GPUs could not be looked at: {fault.GetType().Name}: {fault.Message}");
            _lastFault = fault.Message;
        }
        finally
        {
            _sampling.Release();
        }
    }

    private async Task<GpusDocument> SampleAsync()
    {
        var scene = Volatile.Read(ref _scene);
        var replicas = Replicas();
        if (scene is { Plan: { } plan, Stage: { } stage }) stage.Place(plan, replicas, _partitions.InstanceOf);
        var snapshot = await scene.Sampler.SampleAsync();
        _latest = _view.Lay(snapshot, replicas, g => scene.ServicesOn(g.Device), g => g.Device.Simulated ? scene.PlanOf(g.Device)?.Host?.Value : null);
        foreach (var incident in snapshot.Incidents) Heal(scene, incident);
        return _latest;
    }

    private void Heal(Scene scene, GpuIncident incident)
    {
        var gpu = _latest.Gpus.First(g => g.Index == incident.Gpu.Number);
        var plan = scene.PlanOf(gpu.Device);
        var hosts = scene.Plan?.Estate.Hosts;
        var host = plan?.Host is { } name ? hosts?.GetValueOrDefault(name) : hosts?.Values.FirstOrDefault();
        var mode = host?.GpuHealing switch { "off" => HealingMode.Off, "dry-run" => HealingMode.DryRun, _ => HealingMode.Act };
        _healer.Meet(gpu, incident, plan?.Share, mode, scene.Stage is { } stage && gpu.Simulated ? () => stage.Driver.Reset(gpu.Device.Index) : null);
    }

    private List<LedgerBudget> BudgetsOf(GpuDevice device)
    {
        var scene = Volatile.Read(ref _scene);
        return scene.PlanOf(device) is { } gpu ? BudgetsOf(gpu, scene.Plan!) : [];
    }

    /// <summary>The server of MPS has a little of the card, which nobody declared.</summary>
    private static List<LedgerBudget> BudgetsOf(GpuPlan gpu, EstatePlan plan) =>
    [
        .. gpu.Holders.Select(h => new LedgerBudget(h.Owner, h.Memory?.Bytes, GpuStage.CoveredBy(h.Owner, plan))),
        .. plan.Local.Where(s => s.MpsOf is { } of && of.Host == gpu.Host && of.Index == gpu.Index && s.Runtime == RuntimeKind.Process)
            .Select(s => new LedgerBudget(s.Name.Value, null, [s.Name.Value])),
    ];

    private List<ReplicaProcess> Replicas()
    {
        var replicas = new List<ReplicaProcess>();
        foreach (var status in _doors.Board.Statuses.Values)
        {
            foreach (var replica in status.Replicas)
            {
                if (replica.Pid is { } pid) replicas.Add(new ReplicaProcess(status.Name.Value, replica.Index, pid));
            }
        }

        return replicas;
    }

    /// <summary>What is looked at, and by which plan; replaced as a whole.</summary>
    private sealed record Scene(EstatePlan? Plan, GpuStage? Stage, GpuSampler Sampler)
    {
        public GpuPlan? PlanOf(GpuDevice device) =>
            Plan?.Gpus.FirstOrDefault(g => g.IsPresent ? !device.Simulated && g.Uuid == device.Uuid : device.Simulated && GpuStage.CardOf(g).Id == device.Uuid);

        public IReadOnlyList<string> ServicesOn(GpuDevice device) => PlanOf(device) is { } gpu ? GpuStage.ServicesOf(gpu, Plan!) : [];
    }
}
