using System.Text.Json;
using Stoker.Daemon.Protocol;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Gateway;
using Stoker.Keys;
using Stoker.Logs;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Runtimes;
using Stoker.Streams;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>One daemon of one estate on one host, as its endpoints see it: what it runs and what can be asked of it.</summary>
internal sealed class RunningDaemon(DaemonOptions options, SupervisionDoors doors, Supervisor supervisor, CgroupSupport cgroups, AdoptedEstate adopted) : IDisposable
{
    /// <summary>How long an accepted wish is held back until the status shows it: a service's supervision may be at something that takes longer.</summary>
    private static readonly TimeSpan Showing = TimeSpan.FromSeconds(1);

    /// <summary>Wishes are taken one after the other, the up and the down: what the later one says holds.</summary>
    private readonly SemaphoreSlim _wishing = new(1);
    private bool _isDown;
    private IReadOnlyDictionary<string, ScaledDocument> _scaled = AppliedRequest.Read(options.State)?.Scaled ?? new Dictionary<string, ScaledDocument>();
    private AdoptedEstate _adopted = adopted;
    private EstatePlan? _plan;

    public DaemonOptions Options => options;

    public SupervisionDoors Doors => doors;

    public Supervisor Supervisor => supervisor;

    public GpuWatch Gpus { get; } = new(options.Estate, doors, supervisor, options.State.Gpus);

    public DateTimeOffset Since { get; } = doors.Clock.GetUtcNow();

    public ApplyRequest? Request { get; private set; }

    /// <summary>The answer to the wish that the daemon was started with; null where there was none.</summary>
    public Task<ApplyResponse?> First { get; set; } = Task.FromResult<ApplyResponse?>(null);

    /// <summary>The plan being carried out.</summary>
    public EstatePlan? Plan => Volatile.Read(ref _plan);

    /// <summary>How the daemon ends; set once.</summary>
    public TaskCompletionSource<DaemonEnd> Ending { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Services that an earlier daemon started run, and nothing has been applied yet.</summary>
    public bool HasFound => _adopted.Running.Count > 0;

    public RunningEstate Running
    {
        get
        {
            var running = RunningEstate.Of(doors.Board.Statuses, supervisor.Plans, cgroups);
            return _adopted.Running.Count == 0 ? running : running.With(_adopted.Observed());
        }
    }

    /// <summary>Carries out a request, or refuses it and touches nothing.</summary>
    /// <param name="resume">The same wish again after the daemon itself was replaced.</param>
    /// <param name="quiet">Nobody reads the plan of an accepted request: it is not written out, which costs a tenth of a cold start.</param>
    /// <param name="read">The request's files, where they have been read already.</param>
    /// <returns>Null: the daemon is about to end and takes no wish any more.</returns>
    public async Task<ApplyResponse?> ApplyAsync(ApplyRequest request, bool dryRun = false, bool resume = false, bool quiet = false, EstateWork.Loaded? read = null)
    {
        Task shown;
        ApplyResponse response;
        await _wishing.WaitAsync();
        try
        {
            if (Ending.Task.IsCompleted) return null;
            var loaded = read ?? EstateWork.Load(request);
            if (loaded.Estate is null || loaded.Diagnostics.HasErrors) return Answer(false, null, loaded.Diagnostics);
            var plan = EstateWork.Plan(loaded.Estate, request, loaded.Variables, Running, ScaleOf(loaded.Estate));
            loaded.Diagnostics.AddRange(plan.Diagnostics);
            if (dryRun || plan.IsRefused) return Answer(false, plan, loaded.Diagnostics);
            var contexts = EstateWork.Contexts(plan, loaded.Variables, loaded.Diagnostics);
            DeclareKeys(plan, loaded);
            if (loaded.Diagnostics.HasErrors) return Answer(false, plan, loaded.Diagnostics);
            shown = await CarryOutAsync(plan, request, contexts, resume);
            response = Answer(true, plan, loaded.Diagnostics, quiet);
        }
        finally
        {
            _wishing.Release();
        }

        // Not while others wait with their wishes.
        await Task.WhenAny(shown, Task.Delay(Showing, doors.Clock));
        return response;
    }

    public async Task<RequestOutcome> ScaleAsync(ServiceName name, int replicas)
    {
        await _wishing.WaitAsync();
        try
        {
            return Scale(name, replicas);
        }
        finally
        {
            _wishing.Release();
        }
    }

    /// <summary>Takes the wish that nothing runs.</summary>
    /// <returns>Its fulfilment: true when the daemon ends with it, false when the estate was asked up again before it was down.</returns>
    public async Task<Task<bool>> DownAsync(string why)
    {
        await _wishing.WaitAsync();
        try
        {
            doors.Journal.Write("down_requested", $"the estate is stopped: {why}");
            AppliedRequest.Forget(options.State);
            _isDown = true;
            return EndWhenAsync(supervisor.Down(why));
        }
        finally
        {
            _wishing.Release();
        }
    }

    public void Dispose()
    {
        Gpus.Dispose();
        _wishing.Dispose();
    }

    private RequestOutcome Scale(ServiceName name, int replicas)
    {
        if (Plan is not { } plan || Request is not { } request || !supervisor.Plans.ContainsKey(name)) return supervisor.Start(name);
        if (!plan.Estate.Services.TryGetValue(name, out var spec)) return new RequestOutcome.Refused($"service `{name}` is no longer in the file", "`stoker up` stops what the file does not have");
        var scaled = new Dictionary<string, ScaledDocument>(_scaled) { [name.Value] = new(replicas, spec.Replicas) };
        var planned = EstateWork.Plan(plan.Estate, request, request.Variables, Running, scaled.ToDictionary(s => new ServiceName(s.Key), s => s.Value.Replicas));
        if (planned.Diagnostics.FirstOrDefault(d => d.Severity == Severity.Error) is { } refusal)
            return new RequestOutcome.Refused(refusal.Message, refusal.Hint);
        _scaled = scaled;
        Publish(Whole(plan, planned, [name]));
        SaveApplied(request);
        doors.Journal.Write(name, null, "scaled", null, $"{name} is scaled to {replicas}", null);
        return supervisor.Scale(planned.Services[name]);
    }

    private async Task<bool> EndWhenAsync(Task gone)
    {
        await gone.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _wishing.WaitAsync();
        try
        {
            if (Ending.Task.IsCompleted) return true;
            // What came up meanwhile stays up, or another `down` is waiting for it.
            if (!_isDown || !supervisor.IsEmpty) return false;
            await RemoveNetworksAsync();
            Ending.TrySetResult(new DaemonEnd.Finished());
            return true;
        }
        finally
        {
            _wishing.Release();
        }
    }

    private async Task RemoveNetworksAsync()
    {
        if (Plan?.Local.FirstOrDefault(p => p.Runtime == RuntimeKind.Container) is not { Executable: { } tool }) return;
        if (await ContainerClient.RemoveNetworksAsync(new ContainerHandle(tool, ""), options.State.Path) is { } problem) doors.Journal.Write("networks_left", problem);
    }

    /// <returns>Completes when the status shows what each service was told.</returns>
    private async Task<Task> CarryOutAsync(EstatePlan plan, ApplyRequest request, IReadOnlyDictionary<ServiceName, LaunchContext> contexts, bool resume)
    {
        var left = Interlocked.Exchange(ref _adopted, AdoptedEstate.Nothing);
        // Naming services leaves the others as they are: what they were told stays part of the wish.
        var isMore = request.Names.Count > 0 && !_isDown && Plan is not null;
        var (whole, wish) = isMore ? (Whole(Plan!, plan, plan.Services.Keys), With(Request!, request, plan)) : (plan, request);
        _isDown = false;
        SaveApplied(wish);
        var standIns = plan.Local.Count(p => p.StandIn is not null);
        doors.Journal.Write("applied", $"{Path.GetFileName(request.Files[0])} is applied: {plan.Local.Count()} services{(standIns > 0 ? $", {standIns} of them stand-ins" : "")}");
        Publish(whole);
        var shown = supervisor.Apply(plan, contexts, left, resume, [.. request.Names.Select(n => new ServiceName(n))]);
        if (left.Running.Count > 0 && request.Names.Count == 0)
            await left.EndUndeclaredAsync(plan.Local.Select(p => p.Name).ToHashSet(), doors);
        return shown;
    }

    /// <summary>A plan in which all services but these are as they were told before.</summary>
    private static EstatePlan Whole(EstatePlan before, EstatePlan now, IEnumerable<ServiceName> told)
    {
        var services = before.Services.ToDictionary();
        foreach (var name in told) services[name] = now.Services[name];
        return now with { Services = services };
    }

    /// <summary>The wish that stands, with services that are asked for by name now.</summary>
    private static ApplyRequest With(ApplyRequest standing, ApplyRequest request, EstatePlan plan) => request with
    {
        Names = standing.Names,
        Profiles = standing.Profiles,
        Rehearse = standing.Rehearse || request.Rehearse,
        Beside = [.. standing.Beside.Union(plan.Services.Keys.Select(n => n.Value))],
    };

    private void Publish(EstatePlan plan)
    {
        Volatile.Write(ref _plan, plan);
        Gpus.Follow(plan);
        GatewayApply.WritePlan(plan, options.State.Path);
        StreamApply.WritePlans(plan, options.State.Path);
    }

    /// <summary>The gateway and the streams of this host have one store of keys.</summary>
    private void DeclareKeys(EstatePlan plan, EstateWork.Loaded loaded)
    {
        if (!GatewayApply.NeedsKeys(plan) && !StreamApply.NeedsKeys(plan)) return;
        KeyApply.Declare(
            [.. GatewayApply.DeclaredKeys(plan), .. StreamApply.DeclaredKeys(plan)], loaded.Variables, options.State.Path, doors.Clock.GetUtcNow(),
            SourcePosition.Whole(plan.Estate.File), loaded.Diagnostics);
    }

    private void SaveApplied(ApplyRequest request)
    {
        Request = request with { Scaled = _scaled };
        AppliedRequest.Write(options.State, Request);
    }

    /// <summary>Scaled services of which the file still says what it said then.</summary>
    private Dictionary<ServiceName, int> ScaleOf(EstateSpec estate)
    {
        _scaled = _scaled.Where(s => estate.Services.TryGetValue(new ServiceName(s.Key), out var spec) && spec.Replicas == s.Value.Declared).ToDictionary();
        return _scaled.ToDictionary(s => new ServiceName(s.Key), s => s.Value.Replicas);
    }

    private static ApplyResponse Answer(bool accepted, EstatePlan? plan, DiagnosticBag bag, bool quiet = false) => new(
        accepted,
        plan is null || quiet ? null : JsonSerializer.SerializeToElement(PlanDocument.From(plan), PlanJson.Default.PlanDocument),
        [.. bag.Sorted().Select(Protocol.DiagnosticDocument.From)])
    {
        ComesUp = accepted && plan is not null ? [.. plan.Changes.Where(c => c.Kind != ChangeKind.Stop && c.Reason != Changes.OnRequest).Select(c => c.Service.Value)] : [],
    };
}

internal abstract record DaemonEnd
{
    /// <summary>Nothing runs any more.</summary>
    internal sealed record Finished : DaemonEnd;

    /// <summary>The services go on without a daemon.</summary>
    internal sealed record LetGo : DaemonEnd;

    /// <summary>The services go on, and this program takes the daemon's place in the same process.</summary>
    internal sealed record Replaced(string Executable) : DaemonEnd;
}
