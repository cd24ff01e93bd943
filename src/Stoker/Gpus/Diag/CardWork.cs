using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>Where a card is in its work.</summary>
/// <param name="Stage">One word, as in <c>memory</c> or <c>fp32</c>.</param>
/// <param name="Seconds">At arithmetic so far, with those of an earlier run.</param>
internal readonly record struct WorkStage(int Index, string Stage, double Seconds);

/// <summary>
/// One card's checks of the second and third level, on a thread of their own. What a card fails at ends its own work and no other's. Findings can be asked for at any time: what is not known
/// by then is told as not done, with why.
/// </summary>
internal sealed class CardWork
{
    private const int StackSize = 1 << 20;

    private readonly Lock _lock = new();
    private readonly GpuDevice _device;
    private readonly DiagSpec _spec;
    private readonly Func<GpuReading?> _look;
    private readonly Lock _link;
    private readonly List<DiagFinding> _told = [];
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LoadTotals _totals;
    private string _stage = "begins";
    private string? _ended;
    private int _capability;
    private long _steps;
    private bool _isLoaded;
    private bool _hasLooked;

    /// <param name="look">How the card is now; null: it is not told.</param>
    /// <param name="link">One for all cards: copies from and to the machine are made one after the other.</param>
    /// <param name="before">Of a run that was interrupted and goes on.</param>
    public CardWork(GpuDevice device, DiagSpec spec, Func<GpuReading?> look, Lock link, LoadTotals? before = null)
    {
        (_device, _spec, _look, _link, _totals) = (device, spec, look, link, before ?? LoadTotals.None);
    }

    public GpuDevice Device => _device;

    public Task End => _end.Task;

    /// <summary>Grows while the card gets on.</summary>
    public long Steps => Interlocked.Read(ref _steps);

    public WorkStage Stage
    {
        get
        {
            lock (_lock) return new WorkStage(_device.Index, _stage, _totals.Seconds);
        }
    }

    public LoadTotals Totals
    {
        get
        {
            lock (_lock) return _totals;
        }
    }

    /// <summary>In the order in which they are made.</summary>
    public static IEnumerable<(string Check, string Expected)> Checks(int level) => level switch
    {
        1 => [],
        2 => MemoryChecks.All,
        _ => [.. MemoryChecks.All, .. LoadChecks.All],
    };

    public static IEnumerable<DiagFinding> NotDone(int level, WorkRefusal refusal) => Checks(level).Select(c => DiagFinding.NotDone(c.Check, c.Expected, refusal.Why, refusal.Mend));

    /// <param name="open">Called on the work's thread.</param>
    public void Begin(ComputeDevice compute, Func<IGpuContext> open, CancellationToken stop)
    {
        var thread = new Thread(() => Do(compute, open, stop), StackSize) { IsBackground = true, Name = $"gpu {_device.Index}" };
        thread.Start();
    }

    public void Do(ComputeDevice compute, Func<IGpuContext> open, CancellationToken stop)
    {
        _capability = compute.Capability;
        try
        {
            using var context = open();
            context.Load(KernelTexts.Memory);
            MemoryChecks.Make(_device, context, _link, Enter, Tell, stop);
            if (_spec.Level < 3) return;
            if (compute.Capability >= KernelTexts.TensorCapability) context.Load(KernelTexts.Tensor);
            Load(context, compute, stop);
        }
        catch (OperationCanceledException)
        {
            lock (_lock) _ended ??= "it was interrupted";
        }
        catch (GpuComputeException wrong)
        {
            Fail("the card does what it is asked", wrong.Message, "`dmesg` says what the driver saw; reset the card");
        }
        catch (Exception bug)
        {
            Fail("the test itself is without fault", $"{bug.GetType().Name}: {bug.Message}", "this is a fault of Stoker; please report it");
        }
        finally
        {
            _end.TrySetResult();
        }
    }

    /// <summary>It is waited for no longer; its thread stays behind.</summary>
    public void Abandon(string why, bool isFault)
    {
        if (isFault) Fail("the card gets on with its work", why, "`dmesg` says what the driver saw; reset the card, or restart the machine");
        lock (_lock) _ended ??= why;
        _end.TrySetResult();
    }

    /// <summary>How the card is while it works; ignored where it is not at arithmetic.</summary>
    public void See(GpuReading now)
    {
        lock (_lock)
        {
            if (!_isLoaded || now.Lost is not null) return;
            (_totals, _hasLooked) = (_totals with { Sight = _totals.Sight.With(now) }, true);
        }
    }

    public IReadOnlyList<DiagFinding> Findings()
    {
        lock (_lock)
        {
            List<DiagFinding> known = [.. _told];
            var isWhole = _ended is null && _end.Task.IsCompleted;
            if (_spec.Level >= 3 && _totals.Kinds.Count > 0) known.AddRange(LoadChecks.Make(_device, _capability, _totals, isWhole ? null : Unfinished()));
            var found = Checks(_spec.Level).Select(c => known.Find(f => f.Check == c.Check) ?? DiagFinding.NotDone(c.Check, c.Expected, _ended ?? "it has not come to it", null)).ToList();
            found.AddRange(known.Where(f => !found.Exists(g => g.Check == f.Check)));
            return found;
        }
    }

    private string Unfinished() => _spec.For > TimeSpan.Zero
        ? $"{_ended ?? "it goes on"} after {LoadChecks.Length(_totals.Seconds)} of {LoadChecks.Length(_spec.For.TotalSeconds)}"
        : _ended ?? "it goes on";

    private void Load(IGpuContext context, ComputeDevice compute, CancellationToken stop)
    {
        List<ArithmeticKind> kinds = [.. LoadChecks.Kinds.Where(k => k == ArithmeticKind.Fp32 || compute.Capability >= KernelTexts.TensorCapability)];
        do
        {
            foreach (var kind in kinds)
            {
                stop.ThrowIfCancellationRequested();
                Enter(LoadChecks.Word(kind));
                lock (_lock) (_isLoaded, _hasLooked) = (true, false);
                try
                {
                    var outcome = Arithmetic.Run(context, compute.Multiprocessors, kind, kind == ArithmeticKind.Fp32 ? _spec.Rounds : Math.Max(1, _spec.Rounds / 8), _spec.Each, Part, stop);
                    lock (_lock) _totals = _totals.With(kind, outcome);
                }
                finally
                {
                    lock (_lock) _isLoaded = false;
                }
            }

            stop.ThrowIfCancellationRequested();
            lock (_lock) _totals = _totals with { Rounds = _totals.Rounds + 1 };
        }
        while (Totals.Seconds < _spec.For.TotalSeconds);
    }

    /// <summary>After each part. A kind that is over before anybody looked is looked at from here.</summary>
    private void Part()
    {
        Interlocked.Increment(ref _steps);
        if (!Volatile.Read(ref _hasLooked) && _look() is { } now) See(now);
    }

    private void Enter(string stage)
    {
        Interlocked.Increment(ref _steps);
        lock (_lock) _stage = stage;
    }

    private void Tell(DiagFinding finding)
    {
        Interlocked.Increment(ref _steps);
        lock (_lock) _told.Add(finding);
    }

    private void Fail(string expected, string found, string mend)
    {
        lock (_lock)
        {
            _told.Add(DiagFinding.Fail("work", expected, found, "a card that fails at simple work fails its programs", mend));
            _ended ??= "the card failed before";
        }
    }
}
