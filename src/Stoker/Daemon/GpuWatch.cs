using Stoker.Gpus;
using Stoker.Gpus.Healing;
using Stoker.Planning;
using Stoker.Platform.Gpus;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>
/// The GPUs of a daemon: looked at each second while its plan has any, and else when somebody asks. In a rehearsal the cards that this machine does not have are simulated, with the
/// services that were given them on them.
/// </summary>
internal sealed class GpuWatch : IDisposable
{
    private readonly SupervisionDoors _doors;
    private readonly GpuView _view;
    private readonly GpuHealer _healer;
    private readonly GpuDoor _own;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _sampling = new(1);
    private readonly CancellationTokenSource _end = new();
    private readonly string _estate;
    private Scene _scene;
    private GpusDocument _latest;
    private ITimer? _timer;

    public GpuWatch(string estate, SupervisionDoors doors, Supervisor supervisor)
    {
        (_estate, _doors) = (estate, doors);
        _view = new GpuView(estate, doors.Clock);
        _own = new GpuDoor(() => NvmlDriver.Open(), doors.Clock);
        _scene = new Scene(null, null, new GpuSampler([_own], doors.Clock));
        _healer = new GpuHealer(doors, supervisor);
        _latest = new GpusDocument(estate, default, null, null, [], []);
    }

    /// <summary>The plan that is carried out from now on. Does not wait for a look that is under way: a driver may hang.</summary>
    public void Follow(EstatePlan plan)
    {
        lock (_lock)
        {
            var (before, cards) = (_scene, GpuStage.CardsOf(plan));
            var isSame = cards.Count == 0 ? before.Stage is null : before.Stage is { } kept && kept.Cards.SequenceEqual(cards);
            var stage = isSame ? before.Stage : cards.Count == 0 ? null : new GpuStage(cards, _doors.Clock);
            Volatile.Write(ref _scene, new Scene(plan, stage, isSame ? before.Sampler : new GpuSampler(stage is null ? [_own] : [_own, stage.Door], _doors.Clock)));
            if (!isSame) before.Stage?.Dispose();
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

    public LedgerDocument LedgerOf(GpusDocument gpus) => new(
        _estate, gpus.At, [.. gpus.Gpus.Select(g => (Gpu: g, Budgets: BudgetsOf(g.Device))).Where(g => g.Budgets.Count > 0 || g.Gpu.Clients.Count > 0).Select(g => GpuLedger.Of(g.Gpu, g.Budgets))], gpus.Problems);

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
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            _doors.Journal.Write("gpu_look_failed", $"the GPUs could not be looked at: {problem.Message}");
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
        if (scene is { Plan: { } plan, Stage: { } stage }) stage.Place(plan, replicas);
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
        return scene.PlanOf(device) is { } gpu ? [.. gpu.Holders.Select(h => new LedgerBudget(h.Owner, h.Memory?.Bytes, GpuStage.CoveredBy(h.Owner, scene.Plan!)))] : [];
    }

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
