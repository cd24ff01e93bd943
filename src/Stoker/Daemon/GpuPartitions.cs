using Stoker.Estates;
using Stoker.Gpus;
using Stoker.Gpus.Mig;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Platform.Gpus;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>A card of the plan that is here, or simulated.</summary>
internal sealed record DividedCard(GpuPlan Plan, string Uuid, GpuDoor Door, bool IsSimulated)
{
    public string Name => $"GPU {Plan.Index} ({Plan.Model}{(IsSimulated ? ", simulated" : "")})";
}

/// <summary>
/// Divides cards by MIG as the plan says, each change a transaction, one after the other.
/// <code>
/// plan ─► what the card has ─► nothing to do ─────────────────────────────────────────────────► settled: its services may start
///                            └► a stranger holds it: refused, named, looked at again each second      ▲
///                            └► noted down ─► those concerned stop ─► changed ─► read back ───────────┤
///                                              they start again when it is over └► back to before ────┘ others wait, with the reason
/// </code>
/// Promises: no client starts on a card before it is as planned; who is not concerned goes on; what was begun is known to the next daemon, which goes on from what the card has, whatever that
/// is. Refuses: to end a process that is not the estate's.
/// </summary>
internal sealed class GpuPartitions
{
    private static readonly TimeSpan ChangePatience = TimeSpan.FromMinutes(2), StopSlack = TimeSpan.FromSeconds(30), CdiPatience = TimeSpan.FromSeconds(30);

    private readonly SupervisionDoors _doors;
    private readonly Supervisor _supervisor;
    private readonly Func<Task<GpusDocument>> _look;
    private readonly string _file;
    private readonly string _bootId;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Card> _cards = [];
    private MigRecords _records;
    private EstatePlan? _plan;
    private bool _isWorking;
    private bool _hasMore;

    /// <param name="look">Whose processes are on the cards at this moment.</param>
    /// <param name="file">Where it is noted what was begun.</param>
    public GpuPartitions(SupervisionDoors doors, Supervisor supervisor, Func<Task<GpusDocument>> look, string file, string bootId)
    {
        (_doors, _supervisor, _look, _file, _bootId) = (doors, supervisor, look, file, bootId);
        _records = MigRecords.Read(Files.ReadIfPresent(file));
        doors.Partitions = InstancesOf;
    }

    /// <summary>What a simulated card had when it was last looked at, in this run of the machine.</summary>
    public MigShape? ShapeOf(string uuid)
    {
        lock (_lock) return _records.Cards.TryGetValue(uuid, out var record) && record.BootId == _bootId ? record.Now : null;
    }

    /// <summary>From now on nobody starts on these cards before they are as the plan says. Does not wait for it.</summary>
    public void Follow(EstatePlan plan, IReadOnlyList<DividedCard> cards)
    {
        lock (_lock)
        {
            _plan = plan;
            foreach (var gone in _cards.Keys.Where(k => !cards.Any(c => c.Uuid == k)).ToList()) _cards.Remove(gone);
            foreach (var card in cards) _cards[card.Uuid] = new Card(card) { Told = _cards.GetValueOrDefault(card.Uuid)?.Told };
        }

        Work();
    }

    /// <summary>Another look at the cards that wait for something to pass.</summary>
    public void LookAgain()
    {
        lock (_lock)
        {
            if (!_cards.Values.Any(c => c.State is CardState.Waits)) return;
        }

        Work();
    }

    /// <summary>Completes when the card is settled, refused or waits for something.</summary>
    public Task DecidedAsync(string uuid)
    {
        lock (_lock) return _cards.TryGetValue(uuid, out var card) ? card.Decided.Task : Task.CompletedTask;
    }

    /// <summary>What keeps an owner from starting on a card, as what it waits for; null: nothing.</summary>
    public string? HoldsUp(string uuid, string owner)
    {
        lock (_lock)
        {
            if (!_cards.TryGetValue(uuid, out var card)) return null;
            var has = card.Of.Plan.Share != "mig" || GivenOn(uuid).Any(g => g.Owner == owner && g.Uuid is not null);
            return card.State switch
            {
                CardState.Pending => $"{card.Of.Name}, which is being divided",
                CardState.Waits waits => $"{card.Of.Name}, which is not as planned: {waits.Why}",
                CardState.Failed failed when !has || card.Of.Plan.Share != "mig" => $"{card.Of.Name}, which could not be divided as planned: {failed.Why}",
                _ => has ? null : $"{card.Of.Name}, which has no partition for it",
            };
        }
    }

    /// <summary>The instance of an owner, by its number on the card.</summary>
    public uint? InstanceOf(string uuid, string owner)
    {
        lock (_lock) return GivenOn(uuid).FirstOrDefault(g => g.Owner == owner)?.Instance;
    }

    private IReadOnlyList<string> InstancesOf(ServiceName service, int replica)
    {
        lock (_lock)
        {
            if (_plan is not { } plan) return [];
            List<string>? own = null;
            foreach (var (uuid, card) in _cards)
            {
                if (card.Of.Plan.Share != "mig") continue;
                foreach (var given in GivenOn(uuid))
                {
                    if (given.Uuid is { } device && IsFor(given.Owner, service.Value, replica, plan)) (own ??= []).Add(device);
                }
            }

            return own ?? [];
        }
    }

    public static bool IsFor(string owner, string service, int replica, EstatePlan plan) =>
        owner.Contains('/', StringComparison.Ordinal) ? owner == $"{service}/{replica}" : GpuStage.CoveredBy(owner, plan).Contains(service);

    private IReadOnlyList<MigGiven> GivenOn(string uuid) => _records.Cards.TryGetValue(uuid, out var record) ? record.Given : [];

    /// <summary>One works at a time, in the background; who comes meanwhile leaves it more to do.</summary>
    private void Work()
    {
        lock (_lock)
        {
            _hasMore = true;
            if (_isWorking) return;
            _isWorking = true;
        }

        _ = Task.Run(WorkAsync);
    }

    private async Task WorkAsync()
    {
        while (true)
        {
            lock (_lock)
            {
                if (!_hasMore)
                {
                    _isWorking = false;
                    return;
                }

                _hasMore = false;
            }

            while (Next() is { } card)
            {
                try
                {
                    await SettleAsync(card);
                }
                catch (Exception fault)
                {
                    Decide(card, new CardState.Failed(fault.Message));
                    _doors.Journal.Write("gpu_partitions_failed", $"{card.Of.Name}: a bug or a broken machine: {fault.GetType().Name}: {fault.Message}");
                }
            }
        }
    }

    /// <summary>Each card once; those that wait were there before, and are looked at again after them.</summary>
    private Card? Next()
    {
        lock (_lock)
        {
            var now = _doors.Clock.GetTimestamp();
            return _cards.Values.FirstOrDefault(c => c.State is CardState.Pending) ?? _cards.Values.FirstOrDefault(c => c.State is CardState.Waits waits && _doors.Clock.GetElapsedTime(waits.Since, now) >= GpusModule.Pace * 0.5);
        }
    }

    private async Task SettleAsync(Card card)
    {
        var (of, uuid) = (card.Of, card.Of.Uuid);
        switch (await of.Door.AskAsync(driver => Read(driver, uuid)))
        {
            case GpuReply<MigState?>.Told { Value: null }:
                Decide(card, of.Plan.Share == "mig" ? new CardState.Failed("it has no MIG; it can be shared by `mps`") : new CardState.Settled());
                return;
            case GpuReply<MigState?>.Told { Value: { } now }:
                await SettleAsync(card, now);
                return;
            case GpuReply<MigState?>.Silent silent:
                Wait(card, silent.Words);
                return;
            default:
                Wait(card, "no driver is there");
                return;
        }
    }

    private async Task SettleAsync(Card card, MigState now)
    {
        var (of, uuid) = (card.Of, card.Of.Uuid);
        var record = _records.Cards.GetValueOrDefault(uuid);
        TellOfBefore(card, record, now);
        List<MigAsk> asks = of.Plan.Share == "mig" ? [.. of.Plan.Holders.Select(h => new MigAsk(h.Owner, h.Memory?.Bytes))] : [];
        MigChange? change;
        if (asks.Count == 0)
        {
            change = MigChange.Off(now);
        }
        else
        {
            if (MigChange.TableOf(now, of.Plan.Model, of.Plan.Memory?.Bytes) is not { } table)
            {
                Decide(card, new CardState.Failed("it has no MIG; it can be shared by `mps`"));
                return;
            }

            var held = (record?.Given ?? []).Where(g => asks.Exists(a => a.Owner == g.Owner)).ToDictionary(g => (g.ProfileId, g.Start), g => g.Owner);
            change = MigChange.Of(table, asks, now, held);
            if (change is null)
            {
                Decide(card, new CardState.Failed(MigLayout.Why(table, asks)));
                return;
            }
        }

        if (change.IsNothing)
        {
            // What was never divided leaves no trace.
            if (record is not null || asks.Count > 0) Save(uuid, new MigRecord(_bootId, false, GivenBy(change, now), MigShape.Of(now), null));
            Decide(card, new CardState.Settled());
            return;
        }

        await TransactAsync(card, now, change, record is { IsChanging: true, Before: { } before } && record.BootId == _bootId ? before : MigShape.Of(now), record?.Given ?? []);
    }

    /// <summary>What an earlier daemon, or an earlier run of the machine, has left.</summary>
    private void TellOfBefore(Card card, MigRecord? record, MigState now)
    {
        if (record is null || card.HasToldOfBefore) return;
        card.HasToldOfBefore = true;
        var isOtherRun = record.BootId != _bootId;
        if (record.IsChanging)
            _doors.Journal.Write("gpu_partitions_resumed", $"{card.Of.Name}: {(isOtherRun ? "the machine was restarted" : "a daemon ended")} in the middle of a change of its partitions; it goes on from what the card has: {Words(now)}");
        else if (isOtherRun && record.Now.Instances.Count > 0 && now.Instances.Count < record.Now.Instances.Count)
            _doors.Journal.Write("gpu_partitions_lost", $"{card.Of.Name}: its partitions did not survive the restart of the machine; they are made again before anybody starts on it");
    }

    private async Task TransactAsync(Card card, MigState now, MigChange change, MigShape before, IReadOnlyList<MigGiven> given)
    {
        var (of, uuid) = (card.Of, card.Of.Uuid);
        var (holders, services) = Concerned(of, await _look(), change, given);
        if (holders.Count > 0)
        {
            Wait(card, $"{string.Join(", ", holders.Take(3))} {(holders.Count == 1 ? "is" : "are")} on {(change.Mode is null ? "what must be ended" : "it")}, and none of this estate: end {(holders.Count == 1 ? "it" : "them")}, and it is divided");
            return;
        }

        Save(uuid, new MigRecord(_bootId, true, given, MigShape.Of(now), before));
        var cause = _doors.Journal.Write("gpu_partitions_begun", $"{of.Name} is divided anew: {Words(change)}{(services.Count > 0 ? $"; {string.Join(", ", services)} {(services.Count == 1 ? "stops" : "stop")} for it" : "")}");
        foreach (var service in services)
        {
            _doors.Journal.Write(service, null, "gpu_drained", null, $"{service} stops while {of.Name} is divided anew, and starts again on its partition", cause);
            _supervisor.Restart(service, $"{of.Name} is divided anew");
        }

        if (!await AreStoppedAsync(services))
        {
            Return(card, now, given, cause, "its clients did not stop in time", null);
            return;
        }

        // Who came meanwhile, or was left behind by what stopped.
        if (Concerned(of, await _look(), change, given) is { Holders.Count: > 0 } late)
        {
            Return(card, now, given, cause, $"{string.Join(", ", late.Holders.Take(3))} is on it now", null);
            return;
        }

        switch (await of.Door.AskAsync(driver => MigSteps.Do((IGpuControl)driver, uuid, change, before), ChangePatience))
        {
            case GpuReply<MigSteps.Outcome>.Told { Value: { Problem: null, After: var after } }:
                var made = after ?? new MigState(false, [], []);
                Save(uuid, new MigRecord(_bootId, false, GivenBy(change, made), MigShape.Of(made), null));
                await RefreshCdiAsync(of);
                _doors.Journal.Write(null, null, "gpu_partitioned", null, $"{of.Name} {(change.Layout.Count == 0 ? "has no partitions any more" : $"is in partitions: {string.Join(", ", change.Layout.Select(p => $"{p.Profile.Name} for {p.Owner}"))}")}", cause);
                Decide(card, new CardState.Settled());
                break;
            case GpuReply<MigSteps.Outcome>.Told { Value: var outcome }:
                Return(card, outcome.After ?? now, given, cause, outcome.Problem!, outcome.Stuck);
                break;
            case GpuReply<MigSteps.Outcome>.Silent silent:
                // How far it came is not known: the note stays, and the card is asked when it answers again.
                Wait(card, silent.Words);
                break;
        }
    }

    private void Return(Card card, MigState now, IReadOnlyList<MigGiven> given, long cause, string problem, string? stuck)
    {
        List<MigGiven> kept = [];
        foreach (var had in given)
        {
            if (now.Instances.FirstOrDefault(i => i.ProfileId == had.ProfileId && i.Start == had.Start) is { } there) kept.Add(had with { Instance = there.Id, Uuid = there.Uuid });
        }

        Save(card.Of.Uuid, new MigRecord(_bootId, false, kept, MigShape.Of(now), null));
        var text = $"{card.Of.Name} could not be divided anew: {problem}; {(stuck is null ? "it is as it was before" : $"nor could it be brought back: {stuck}")}";
        _doors.Journal.Write(null, null, "gpu_partitions_rolled_back", null, text, cause);
        Decide(card, new CardState.Failed(stuck is null ? problem : $"{problem}; nor could it be brought back: {stuck}"));
    }

    /// <summary>Who is on what a change ends: strangers in words, and services that must stop.</summary>
    private (IReadOnlyList<string> Holders, IReadOnlyList<ServiceName> Services) Concerned(DividedCard of, GpusDocument gpus, MigChange change, IReadOnlyList<MigGiven> given)
    {
        var holders = new List<string>();
        var services = new SortedSet<string>(StringComparer.Ordinal);
        var ends = change.Ends.Select(i => (int)i.Id).ToHashSet();
        foreach (var client in gpus.Gpus.FirstOrDefault(g => g.Device.Uuid == of.Uuid)?.Clients ?? [])
        {
            if (change.Mode is null && (client.Instance is not { } instance || !ends.Contains(instance))) continue;
            if (client.Owner == "service") services.Add(client.Service!);
            else holders.Add($"pid {client.Pid}, {client.Command ?? "not visible here"} ({client.OwnerText})");
        }

        EstatePlan plan;
        lock (_lock) plan = _plan!;
        // Those too whose programs have not come to the card yet.
        if (change.Mode is not null) services.UnionWith(GpuStage.ServicesOf(of.Plan, plan));
        foreach (var owner in given.Where(g => ends.Contains((int)g.Instance))) services.UnionWith(GpuStage.CoveredBy(owner.Owner, plan));
        return (holders, [.. services.Select(s => new ServiceName(s)).Where(IsUp)]);
    }

    private bool IsUp(ServiceName service) => _doors.Board.Statuses.TryGetValue(service, out var status) && status.Replicas.Any(r => r.Pid is not null);

    private async Task<bool> AreStoppedAsync(IReadOnlyList<ServiceName> services)
    {
        if (services.Count == 0) return true;
        var grace = services.Max(s => _supervisor.Plans.TryGetValue(s, out var plan) ? plan.Spec.StopGracePeriod : TimeSpan.Zero);
        var until = _doors.Clock.GetUtcNow() + grace + StopSlack;
        while (true)
        {
            var changed = _doors.Board.Changed;
            if (!services.Any(IsUp)) return true;
            var left = until - _doors.Clock.GetUtcNow();
            if (left <= TimeSpan.Zero) return false;
            await Task.WhenAny(changed, Task.Delay(left, _doors.Clock));
        }
    }

    /// <summary>Container tools find instances by a file that names them, which is made anew after each change where it is in use.</summary>
    private async Task RefreshCdiAsync(DividedCard of)
    {
        if (of.IsSimulated || Executables.Find("nvidia-ctk", HostEnvironment.Variable("PATH"), "/") is not { } tool) return;
        foreach (var file in (ReadOnlySpan<string>)["/etc/cdi/nvidia.yaml", "/var/run/cdi/nvidia.yaml"])
        {
            if (!Files.Exists(file)) continue;
            var outcome = await ShortCommand.RunAsync(tool, ["cdi", "generate", $"--output={file}"], HostEnvironment.Variables, CdiPatience);
            if (!outcome.IsSuccess) _doors.Journal.Write("gpu_cdi_stale", $"{file} could not be made anew, and containers may not find their partitions: {outcome.Words}");
            return;
        }
    }

    private void Save(string uuid, MigRecord record)
    {
        lock (_lock)
        {
            _records = _records.With(uuid, record);
            Files.Replace(_file, _records.ToBytes());
        }
    }

    private void Wait(Card card, string why)
    {
        lock (_lock) card.State = new CardState.Waits(why, _doors.Clock.GetTimestamp());
        card.Decided.TrySetResult();
        // Of one that comes back each second with other seconds in it, the first is told.
        var key = why.Split(" (for ")[0];
        if (card.Told == key) return;
        card.Told = key;
        _doors.Journal.Write("gpu_partitions_refused", $"{card.Of.Name} is not divided: {why}");
    }

    private void Decide(Card card, CardState state)
    {
        lock (_lock) card.State = state;
        card.Told = null;
        card.Decided.TrySetResult();
        if (state is CardState.Failed failed && card.Of.Plan.Share == "mig") _doors.Journal.Write("gpu_partitions_failed", $"{card.Of.Name} is not as planned: {failed.Why}");
    }

    private static List<MigGiven> GivenBy(MigChange change, MigState now)
    {
        var given = new List<MigGiven>();
        foreach (var place in change.Layout)
        {
            if (now.Instances.FirstOrDefault(i => i.ProfileId == place.Profile.Id && i.Start == place.Start) is { } there)
                given.Add(new MigGiven(place.Owner, place.Profile.Name, place.Profile.Id, place.Start, there.Id, there.Uuid));
        }

        return given;
    }

    private static MigState? Read(IGpuDriver driver, string uuid)
    {
        driver.ReadDevices();
        return (driver as IGpuControl)?.ReadMig(uuid);
    }

    private static string Words(MigState now) => !now.IsOn ? "MIG is off" : now.Instances.Count == 0 ? "MIG is on, and nothing is made" : $"{now.Instances.Count} partitions";

    private static string Words(MigChange change)
    {
        var words = new List<string>();
        if (change.Mode is { } on) words.Add($"MIG is turned {(on ? "on" : "off")}");
        if (change.Ends.Count > 0) words.Add($"{change.Ends.Count} {(change.Ends.Count == 1 ? "partition is" : "partitions are")} ended");
        if (change.Makes.Count > 0) words.Add($"{string.Join(", ", change.Makes.Select(p => $"{p.Profile.Name} for {p.Owner}"))} {(change.Makes.Count == 1 ? "is" : "are")} made");
        return string.Join(", ", words);
    }

    private abstract record CardState
    {
        internal sealed record Pending : CardState;

        internal sealed record Settled : CardState;

        internal sealed record Waits(string Why, long Since) : CardState;

        internal sealed record Failed(string Why) : CardState;
    }

    private sealed class Card(DividedCard of)
    {
        public DividedCard Of => of;

        public CardState State { get; set; } = new CardState.Pending();

        public TaskCompletionSource Decided { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The last refusal that was written down.</summary>
        public string? Told { get; set; }

        public bool HasToldOfBefore { get; set; }
    }
}
