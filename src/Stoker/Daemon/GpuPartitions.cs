using Stoker.Estates;
using Stoker.Gpus;
using Stoker.Gpus.Mig;
using Stoker.Planning;
using Stoker.Platform.Gpus;
using Stoker.Supervision;

namespace Stoker.Daemon;

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
    /// <summary>Before a change that failed is tried again. Each try stops services, so there are few; then it is the owner's to say.</summary>
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10)];

    private readonly SupervisionDoors _doors;
    private readonly PartitionNotes _notes;
    private readonly PartitionTransaction _transaction;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Card> _cards = [];
    private EstatePlan? _plan;
    private bool _isWorking;
    private bool _hasMore;

    /// <param name="look">Whose processes are on the cards at this moment.</param>
    /// <param name="file">Where it is noted what was begun.</param>
    public GpuPartitions(SupervisionDoors doors, Supervisor supervisor, Func<Task<GpusDocument>> look, string file, string bootId)
    {
        (_doors, _notes) = (doors, new PartitionNotes(file, bootId));
        _transaction = new PartitionTransaction(doors, supervisor, look, _notes);
        doors.Partitions = InstancesOf;
    }

    /// <summary>What a simulated card had when it was last looked at, in this run of the machine.</summary>
    public MigShape? ShapeOf(string uuid) => _notes.Of(uuid) is { } record && _notes.IsOfThisRun(record) ? record.Now : null;

    /// <summary>From now on nobody starts on these cards before they are as the plan says. Does not wait for it.</summary>
    public void Follow(EstatePlan plan, IReadOnlyList<DividedCard> cards)
    {
        lock (_lock)
        {
            _plan = plan;
            foreach (var gone in _cards.Keys.Where(k => !cards.Any(c => c.Uuid == k)).ToList()) _cards.Remove(gone);
            foreach (var card in cards) _cards[card.Uuid] = new Card(card, _cards.GetValueOrDefault(card.Uuid));
        }

        Work();
    }

    /// <summary>Another look at the cards that wait for something to pass.</summary>
    public void LookAgain()
    {
        lock (_lock)
        {
            if (!_cards.Values.Any(c => c.State is PartitionState.Waits || IsDueAgain(c))) return;
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
            var has = !card.Of.IsByMig || _notes.GivenOn(uuid).Any(g => g.Owner == owner && g.Uuid is not null);
            return card.State switch
            {
                PartitionState.Pending => $"{card.Of.Name}, which is being {(card.Of.IsByMig ? "divided" : "looked at")}",
                PartitionState.Waits waits => $"{card.Of.Name}, which is not as planned: {waits.Why}",
                PartitionState.Failed failed when !has || !card.Of.IsByMig => $"{card.Of.Name}, which could not be divided as planned: {failed.Why}{NextTry(card, failed)}",
                _ => has ? null : $"{card.Of.Name}, which has no partition for it",
            };
        }
    }

    /// <summary>The instance of an owner, by its number on the card.</summary>
    public uint? InstanceOf(string uuid, string owner) => _notes.GivenOn(uuid).FirstOrDefault(g => g.Owner == owner)?.Instance;

    private IReadOnlyList<string> InstancesOf(ServiceName service, int replica)
    {
        lock (_lock)
        {
            if (_plan is not { } plan) return [];
            List<string>? own = null;
            foreach (var (uuid, card) in _cards)
            {
                if (!card.Of.IsByMig) continue;
                foreach (var given in _notes.GivenOn(uuid))
                {
                    if (given.Uuid is { } device && IsFor(given.Owner, service.Value, replica, plan)) (own ??= []).Add(device);
                }
            }

            return own ?? [];
        }
    }

    public static bool IsFor(string owner, string service, int replica, EstatePlan plan) =>
        owner.Contains('/', StringComparison.Ordinal) ? owner == $"{service}/{replica}" : GpuStage.CoveredBy(owner, plan).Contains(service);

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
                    Put(card, await SettleAsync(card));
                }
                catch (Exception fault)
                {
                    Put(card, new PartitionState.Failed($"a bug or a broken machine: {fault.GetType().Name}: {fault.Message}"));
                }
            }
        }
    }

    /// <summary>Each card once; those that wait were there before, and are looked at again after them, as those are that are tried again.</summary>
    private Card? Next()
    {
        lock (_lock)
        {
            // Nobody starts on it while it is tried again.
            foreach (var card in _cards.Values.Where(IsDueAgain)) card.State = new PartitionState.Pending();
            return _cards.Values.FirstOrDefault(c => c.State is PartitionState.Pending) ??
                _cards.Values.FirstOrDefault(c => c.State is PartitionState.Waits && _doors.Clock.GetElapsedTime(c.Since) >= GpusModule.Pace * 0.5);
        }
    }

    private bool IsDueAgain(Card card) => PauseOf(card) is { } pause && _doors.Clock.GetElapsedTime(card.Since) >= pause;

    /// <summary>Before what failed is tried again; null: not before the next plan.</summary>
    private static TimeSpan? PauseOf(Card card) => card.State is PartitionState.Failed { MayPass: true } && card.Failures <= Pauses.Length ? Pauses[card.Failures - 1] : null;

    private async Task<PartitionState> SettleAsync(Card card)
    {
        var uuid = card.Of.Uuid;
        return await card.Of.Door.AskAsync(driver => Read(driver, uuid)) switch
        {
            GpuReply<MigState?>.Told { Value: { } now } => await SettleAsync(card, now),
            GpuReply<MigState?>.Told => card.Of.IsByMig ? NoMig() : new PartitionState.Settled(),
            GpuReply<MigState?>.Silent silent => new PartitionState.Waits(silent.Words),
            _ => new PartitionState.Waits("no driver is there"),
        };
    }

    private async Task<PartitionState> SettleAsync(Card card, MigState now)
    {
        var (of, uuid, asks) = (card.Of, card.Of.Uuid, card.Of.Asks);
        var record = _notes.Of(uuid);
        TellOfBefore(card, record, now);
        var change = MigChange.Off(now);
        if (asks.Count > 0)
        {
            if (MigChange.TableOf(now, of.Plan.Model, of.Plan.Memory?.Bytes) is not { } table) return NoMig();
            if (MigChange.Of(table, asks, now, record?.HeldBy(asks)) is not { } found) return new PartitionState.Failed(MigLayout.Why(table, asks));
            change = found;
        }

        if (change.IsNothing)
        {
            // What was never divided leaves no trace.
            if (record is not null || asks.Count > 0) _notes.Settle(uuid, PartitionTransaction.GivenBy(change, now), now);
            return new PartitionState.Settled();
        }

        var before = record is { IsChanging: true, Before: { } earlier } && _notes.IsOfThisRun(record) ? earlier : MigShape.Of(now);
        EstatePlan plan;
        lock (_lock) plan = _plan!;
        return await _transaction.DoAsync(of, now, change, before, record?.Given ?? [], plan);
    }

    /// <summary>What an earlier daemon, or an earlier run of the machine, has left.</summary>
    private void TellOfBefore(Card card, MigRecord? record, MigState now)
    {
        if (record is null || card.HasToldOfBefore) return;
        card.HasToldOfBefore = true;
        var isOtherRun = !_notes.IsOfThisRun(record);
        if (record.IsChanging)
        {
            var ended = isOtherRun ? "the machine was restarted" : "a daemon ended";
            _doors.Journal.Write(
                "gpu_partitions_resumed",
                $"{card.Of.Name}: {ended} in the middle of a change of its partitions; it goes on from what the card has: {Words(now)}");
        }
        else if (isOtherRun && record.Now.Instances.Count > 0 && now.Instances.Count < record.Now.Instances.Count)
        {
            _doors.Journal.Write(
                "gpu_partitions_lost",
                $"{card.Of.Name}: its partitions did not survive the restart of the machine; they are made again before anybody starts on it");
        }
    }

    private void Put(Card card, PartitionState state)
    {
        lock (_lock)
        {
            card.Failures = state switch { PartitionState.Failed => card.Failures + 1, PartitionState.Settled => 0, _ => card.Failures };
            (card.State, card.Since) = (state, _doors.Clock.GetTimestamp());
        }

        card.Decided.TrySetResult();
        // Of a reason that comes back each second with other seconds in it, the first is told.
        var told = (state as PartitionState.Waits)?.Why.Split(" (for ")[0];
        if (state is PartitionState.Failed failed)
        {
            _doors.Journal.Write("gpu_partitions_failed", $"{card.Of.Name} is not as planned: {failed.Why}{NextTry(card, failed)}");
        }
        else if (state is PartitionState.Waits waits && told != card.Told)
        {
            var problem = card.Of.IsByMig ? "is not divided" : "cannot be used yet";
            _doors.Journal.Write("gpu_partitions_refused", $"{card.Of.Name} {problem}: {waits.Why}");
        }

        card.Told = told;
    }

    private static string NextTry(Card card, PartitionState.Failed failed) =>
        PauseOf(card) is { } pause ? $"; it is tried again after {DurationWords.Of(pause)}" : failed.MayPass ? $"; after {card.Failures} tries it is left to the next `stoker up`" : "";

    private static PartitionState.Failed NoMig() => new("it has no MIG; it can be shared by `mps`");

    private static MigState? Read(IGpuDriver driver, string uuid)
    {
        driver.ReadDevices();
        return (driver as IGpuControl)?.ReadMig(uuid);
    }

    private static string Words(MigState now) => !now.IsOn ? "MIG is off" : now.Instances.Count == 0 ? "MIG is on, and nothing is made" : $"{now.Instances.Count} partitions";

    private sealed class Card(DividedCard of, Card? earlier)
    {
        public DividedCard Of => of;

        public PartitionState State { get; set; } = new PartitionState.Pending();

        /// <summary>When it was put into its state.</summary>
        public long Since { get; set; }

        /// <summary>Changes in a row that failed.</summary>
        public int Failures { get; set; }

        public TaskCompletionSource Decided { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The last refusal that was written down.</summary>
        public string? Told { get; set; } = earlier?.Told;

        public bool HasToldOfBefore { get; set; } = earlier?.HasToldOfBefore ?? false;
    }
}
