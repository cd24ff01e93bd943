namespace Stoker.Gateway.Routing;

/// <summary>An engine's own word about its load; null for what it does not say.</summary>
/// <param name="CacheUse">From 0 to 1.</param>
internal readonly record struct EngineSignal(int? Running, int? Waiting, double? CacheUse);

/// <summary>What does not change about a replica while it lives.</summary>
/// <param name="Spec">Where it is. Weight and share are those of the route's own, newer spec.</param>
internal sealed record ReplicaSettings(ReplicaSpec Spec)
{

    public RoutingOptions Routing { get; init; } = RoutingOptions.Default;

    public ReplicaHealthOptions Health { get; init; } = ReplicaHealthOptions.Default;

    /// <summary>Chance for the lengths of ejections.</summary>
    public ulong Seed { get; init; }

    /// <summary>Begins cold, with a small part of its weight.</summary>
    public bool IsNew { get; init; }
}

/// <summary>
/// What is true of one replica, shared by all event loops: requests and prompt tokens in flight, health, learned limit, the engine's last word. One
/// lock, held for nanoseconds and never while anything else is called. Times are steady ticks of 100 ns.
/// </summary>
internal sealed class ReplicaState
{
    private readonly Lock _access = new();
    private readonly ReplicaSettings _settings;
    private LeaseSlot[] _slots = new LeaseSlot[16];
    private int[] _free = new int[16];
    private int _freeCount;
    private int _requests;
    private long _tokens;
    private int? _declared;
    private LearnedLimit _learned = LearnedLimit.Fresh;
    private ReplicaHealth _health;
    private ulong _events;
    private bool _trialTaken;
    private volatile bool _isUsable;
    private ReplicaMode _mode;
    private long _modeSince;
    private long _lastUsed;
    private long _loadTime = -1;
    private EngineSignal _signal;
    private long _signalAt = long.MinValue;

    public ReplicaState(ReplicaSettings settings, long now)
    {
        _settings = settings;
        _health = ReplicaHealth.Fresh with { RecoveredAt = settings.IsNew ? now : long.MinValue, WindowBegan = now };
        _mode = settings.Spec.BeginsAs;
        _isUsable = _mode == ReplicaMode.Serving;
        _modeSince = _lastUsed = now;
        StableHash = settings.Spec.Id.StableHash;
        AddSlots(0);
    }

    public ReplicaId Id => _settings.Spec.Id;

    public string Address => _settings.Spec.Address;

    public int Port => _settings.Spec.Port;

    public string Engine => _settings.Spec.Engine;

    public ulong StableHash { get; }

    /// <summary>Its own place in the model's <see cref="PrefixMemory"/>; -1 when there was none left.</summary>
    public int Slot { get; init; } = -1;

    /// <summary>What it shares with the other replicas of its model; told and asked outside the lock. Null: alone.</summary>
    public RouteLife? Life { get; init; }

    /// <summary>Serves and is not ejected.</summary>
    public bool IsUsable => _isUsable;

    public int Requests
    {
        get
        {
            lock (_access) return _requests;
        }
    }

    /// <summary>What the outside wants it for.</summary>
    public ReplicaMode Mode
    {
        get
        {
            lock (_access) return _mode;
        }
    }

    /// <summary>When a request was last given to it, or ended; at first when it began.</summary>
    public long LastUsed
    {
        get
        {
            lock (_access) return _lastUsed;
        }
    }

    /// <summary>For <c>status</c> and metrics.</summary>
    public ReplicaHealth Health
    {
        get
        {
            lock (_access) return _health;
        }
    }

    /// <summary>The owner's limit; null: learned.</summary>
    public void SetLimit(int? declared)
    {
        lock (_access) _declared = declared;
    }

    /// <summary>False when it has no room now, does not serve, or is on trial with another request.</summary>
    /// <param name="despiteEjection">The decision was made in panic: all are ejected.</param>
    public bool TryTake(long promptTokens, long now, bool despiteEjection, out Lease lease)
    {
        lock (_access)
        {
            lease = default;
            if (_mode != ReplicaMode.Serving || _requests >= Limit) return false;
            var trial = _health.PhaseAt(now) == HealthPhase.Trial && !_trialTaken;
            if (_health.IsEjected && !trial && !despiteEjection) return false;
            _trialTaken |= trial;
            if (_freeCount == 0) AddSlots(_slots.Length);
            var slot = _free[--_freeCount];
            ref var entry = ref _slots[slot];
            entry = new LeaseSlot
            {
                Generation = entry.Generation + 1,
                Tokens = promptTokens,
                PromptTokens = (int)Math.Min(promptTokens, int.MaxValue),
                TakenAt = now,
                IsTrial = trial,
                DespiteEjection = _health.IsEjected && !trial,
            };
            _requests++;
            _lastUsed = now;
            _tokens += promptTokens;
            lease = new Lease(this, slot, entry.Generation);
            return true;
        }
    }

    /// <summary>The engine has computed the prompt: its tokens weigh no more, and the limit learns from the time it took.</summary>
    public void FirstByte(in Lease lease, long now)
    {
        lock (_access)
        {
            ref var entry = ref _slots[lease.Slot];
            if (entry.Generation != lease.Generation || entry.HasBegun) return;
            entry.HasBegun = true;
            _tokens -= entry.Tokens;
            entry.Tokens = 0;
            Learn(now - entry.TakenAt, entry.PromptTokens, now);
        }
    }

    /// <summary>Gives the place back, exactly once however often it is called, and learns from how it ended.</summary>
    /// <returns>True the first time.</returns>
    public bool End(in Lease lease, ReplicaFact fact, long now, TimeSpan? retryAfter)
    {
        var peers = HasUsablePeer(fact);
        bool emptied;
        lock (_access)
        {
            ref var entry = ref _slots[lease.Slot];
            if (entry.Generation != lease.Generation) return false;
            // Odd while taken, even while free; a stale lease matches neither this nor the next request.
            entry.Generation++;
            if (fact is ReplicaFact.Busy or ReplicaFact.TimedOutBeforeFirstByte) Learn(-1, entry.PromptTokens, now);
            _tokens -= entry.Tokens;
            _requests--;
            _lastUsed = now;
            _free[_freeCount++] = lease.Slot;
            if (entry.IsTrial) _trialTaken = false;
            // What goes well in a panic is as good as a trial; what fails then is no news.
            var isTrial = entry.IsTrial || (entry.DespiteEjection && !fact.IsFailure());
            emptied = Decide(new HealthEvent(fact, now, peers, NextSeed()) { IsTrial = isTrial, RetryAfter = retryAfter });
        }

        if (emptied) Life?.Forget(this);
        Life?.Queue.Freed(now);
        return true;
    }

    /// <summary>A health probe's answer.</summary>
    public void Probe(bool succeeded, long now)
    {
        var fact = succeeded ? ReplicaFact.ProbeSucceeded : ReplicaFact.ProbeFailed;
        var peers = HasUsablePeer(fact);
        lock (_access) Decide(new HealthEvent(fact, now, peers, NextSeed()));
        if (succeeded) Life?.Queue.Signal(now);
    }

    public void Observe(EngineSignal signal, long now)
    {
        lock (_access) (_signal, _signalAt) = (signal, now);
        Life?.Queue.Signal(now);
    }

    /// <summary>What the outside wants it for. From loading to serving is measured, for the next one that waits; what then serves begins cold.</summary>
    public void SetMode(ReplicaMode mode, long now)
    {
        var emptied = false;
        lock (_access)
        {
            if (mode == _mode) return;
            if (mode == ReplicaMode.Serving)
            {
                if (_mode == ReplicaMode.Loading) _loadTime = _loadTime < 0 ? now - _modeSince : (_loadTime + now - _modeSince) / 2;
                // An engine that has loaded anew is not the one whose failures were counted. A drain that is called off changes nothing.
                emptied = _mode != ReplicaMode.Draining;
                if (emptied) _health = ReplicaHealth.Fresh with { RecoveredAt = now, WindowBegan = now };
            }

            (_mode, _modeSince) = (mode, now);
            _isUsable = mode == ReplicaMode.Serving && !_health.IsEjected;
        }

        if (emptied) Life?.Forget(this);
        Life?.Queue.Signal(now);
    }

    public ReplicaSnapshot Snapshot(ReplicaSpec spec, double weight, long now)
    {
        lock (_access)
        {
            return new ReplicaSnapshot
            {
                Id = StableHash,
                Requests = _requests,
                Tokens = _tokens,
                Limit = Limit,
                LimitIsDeclared = _declared is not null,
                Weight = weight,
                Canary = spec.CanaryShare ?? 0,
                Warmth = _health.WarmthAt(now, _settings.Routing),
                Mode = _mode,
                ReadyIn = ReadyIn(now),
                Phase = _health.PhaseAt(now),
                TrialTaken = _trialTaken,
                Failures = _health.Failures > 0 && now - _health.LastFailure <= _settings.Health.RecentFailure.Ticks ? _health.Failures : 0,
                BusyFor = Math.Max(0, _health.BusyUntil - now),
                Running = _signal.Running ?? -1,
                Waiting = _signal.Waiting ?? -1,
                CacheUse = _signal.CacheUse ?? -1,
                SignalAge = _signalAt == long.MinValue ? long.MaxValue : Math.Max(0, now - _signalAt),
            };
        }
    }

    private int Limit => _declared ?? _learned.Whole;

    private long ReadyIn(long now) => _mode switch
    {
        ReplicaMode.Serving => 0,
        ReplicaMode.Asleep => _loadTime,
        ReplicaMode.Loading when _loadTime >= 0 => Math.Max(0, _loadTime - (now - _modeSince)),
        _ => -1,
    };

    private void Learn(long firstByte, int promptTokens, long now)
    {
        if (_declared is not null) return;
        var waiting = _signalAt != long.MinValue && now - _signalAt <= _settings.Routing.StalenessCut.Ticks ? _signal.Waiting ?? -1 : -1;
        _learned = ConcurrencyPolicy.Decide(_learned, new ConcurrencySample(now, firstByte, promptTokens, _requests, waiting), _settings.Routing);
    }

    /// <summary>True when it has come back from where nobody could reach it: restarted, most likely, and with an empty cache.</summary>
    private bool Decide(in HealthEvent happened)
    {
        var before = _health;
        _health = ReplicaHealthPolicy.Decide(before, happened, _settings.Health);
        _isUsable = _mode == ReplicaMode.Serving && !_health.IsEjected;
        return before.IsEjected && !_health.IsEjected && before.EjectedBy.IsUnreachable();
    }

    // Asked before the own lock is taken: the peers answer without theirs, but may be about to.
    private bool HasUsablePeer(ReplicaFact fact) => fact.IsFailure() && (Life is null || Life.HasUsablePeer(this));

    private ulong NextSeed() => Mixing.Combine(_settings.Seed ^ StableHash, ++_events);

    private void AddSlots(int from)
    {
        if (from > 0)
        {
            Array.Resize(ref _slots, from * 2);
            Array.Resize(ref _free, from * 2);
        }

        for (var i = _slots.Length - 1; i >= from; i--) _free[_freeCount++] = i;
    }

    private struct LeaseSlot
    {
        public int Generation;
        public long Tokens;
        public int PromptTokens;
        public long TakenAt;
        public bool IsTrial;
        public bool DespiteEjection;
        public bool HasBegun;
    }
}

/// <summary>
/// A place at a replica, held until the last byte of the answer is through, not only until its headers are (sglang#9484). May be copied: the place
/// is given back by the first <see cref="End"/> only.
/// </summary>
internal readonly struct Lease(ReplicaState replica, int slot, int generation)
{
    /// <summary>Null of a lease that is none.</summary>
    public ReplicaState? Replica => replica;

    internal int Slot => slot;

    internal int Generation => generation;

    /// <summary>The first byte of the answer has come.</summary>
    public void FirstByte(long now) => replica?.FirstByte(this, now);

    /// <param name="retryAfter">With <see cref="ReplicaFact.Busy"/>: what the engine said.</param>
    /// <returns>True the first time.</returns>
    public bool End(ReplicaFact fact, long now, TimeSpan? retryAfter = null) => replica is not null && replica.End(this, fact, now, retryAfter);
}
