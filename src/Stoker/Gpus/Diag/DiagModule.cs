using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>
/// Is a GPU as it should be? Asked of nothing but the driver, so that it works on GeForce cards, where DCGM stops at its first level.
/// <code>
/// DiagDoors (kernel's files, log, processes) ─► MachineSight ─► MachineChecks ─┐
/// GpuDoor ─► GpuSystem, GpuDevice, GpuReading ────────────────► CardChecks ────┼─► DiagFinding: pass, warn, fail, unknown, not done ─► DiagReport
/// DiagDoors.Compute ─► a thread a card: CardWork ─► MemoryChecks, LoadChecks ──┘
///                                       ▲ GpuReading each second while it computes
/// </code>
/// Promises: each finding says what was expected, what was found, why it matters and how to mend it; what could not be read is unknown, what was asked for and not made is not done, and neither is
/// passed; a card that fails takes no other card's findings with it; what was found is kept when somebody interrupts. Refuses: to change a setting; to call a machine without a GPU well; to work
/// on a card that somebody uses, unless told to; to know a card by anything but its UUID.
/// </summary>
internal static class DiagModule
{
    /// <summary>Between two looks at cards that work.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    /// <summary>For whoever was interrupted to end: a kernel cannot be interrupted, and takes milliseconds.</summary>
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(10);

    /// <param name="watcher">Told each second how far the cards are.</param>
    public static async Task<DiagReport> MakeAsync(GpuDoor door, DiagDoors doors, TimeProvider clock, DiagSpec spec, DiagWatcher watcher, CancellationToken stop)
    {
        var machine = MachineSight.Read(doors);
        var reply = await door.AskAsync(driver => new DriverSight(driver.System, driver.ReadDevices(), driver.ReadNow()));
        var sight = (reply as GpuReply<DriverSight>.Told)?.Value;
        var silent = (reply as GpuReply<DriverSight>.Silent)?.Words;
        List<DiagFinding> ofMachine = [.. MachineChecks.Make(machine, sight, silent, doors)];
        var looked = (sight?.Devices ?? []).Select(device => (Device: device, Now: sight!.Now.FirstOrDefault(r => r.Index == device.Index))).ToList();
        // Before anything works: what is looked at is how the cards are found.
        var settings = looked.ToDictionary(l => l.Device.Index, l => CardChecks.Make(l.Device, l.Now, machine, doors).ToList());
        var worked = spec.Level > 1 && sight is not null ? await WorkAsync(looked, machine, door, doors, clock, spec, watcher, stop) : [];
        List<DiagCard> cards = [];
        foreach (var (device, _) in looked)
        {
            List<DiagFinding> findings = [.. settings[device.Index], .. worked.GetValueOrDefault(device.Index) ?? []];
            cards.Add(new DiagCard(device.Index, device.Name, device.Uuid, device.Simulated, DiagReport.Worst(findings), findings));
        }

        var training = spec.Training is { } how ? await TrainingCheck.MakeAsync(how, spec, looked, door, doors, clock, stop) : null;
        return DiagReport.Of(clock.GetUtcNow(), spec.Level, sight?.System, ofMachine, cards, stop.IsCancellationRequested, training);
    }

    /// <summary>All cards at once, each on a thread of its own; from here they are watched.</summary>
    private static async Task<Dictionary<int, IReadOnlyList<DiagFinding>>> WorkAsync(
        List<(GpuDevice Device, GpuReading? Now)> looked, MachineSight machine, GpuDoor door, DiagDoors doors, TimeProvider clock, DiagSpec spec, DiagWatcher watcher, CancellationToken stop)
    {
        var found = new Dictionary<int, IReadOnlyList<DiagFinding>>();
        var ofMachine = WorkRefusal.OfMachine(doors, out var compute);
        using var _ = compute;
        List<CardWork> works = [];
        var link = new Lock();
        foreach (var (device, now) in looked)
        {
            ComputeDevice? cuda = null;
            if ((ofMachine ?? WorkRefusal.Of(device, now, spec, doors, compute!, out cuda)) is { } refusal)
            {
                found[device.Index] = [.. CardWork.NotDone(spec.Level, refusal), NewErrors.NotDone(refusal)];
                continue;
            }

            var work = new CardWork(device, spec, () => Told(door.Ask(driver => driver.ReadNow())).FirstOrDefault(r => r.Index == device.Index), link, watcher.Before(device));
            works.Add(work);
            work.Begin(cuda!, () => compute!.Open(cuda!), stop);
        }

        await WatchAsync(works, door, clock, spec, watcher, stop);
        foreach (var work in works)
        {
            var before = looked.First(l => l.Device.Index == work.Device.Index).Now!;
            found[work.Device.Index] = [.. work.Findings(), await NewErrors.LookAsync(work.Device, before, machine, door, doors)];
        }

        return found;
    }

    private static async Task WatchAsync(List<CardWork> works, GpuDoor door, TimeProvider clock, DiagSpec spec, DiagWatcher watcher, CancellationToken stop)
    {
        var all = Task.WhenAll(works.Select(w => w.End));
        var moved = works.ToDictionary(w => w, w => (w.Steps, At: clock.GetTimestamp()));
        while (!await EndsAsync(all, Pace))
        {
            if (stop.IsCancellationRequested)
            {
                if (await EndsAsync(all, LastPatience)) break;
                foreach (var work in works.Where(w => !w.End.IsCompleted)) work.Abandon("it was interrupted, and does not come back", isFault: false);
                break;
            }

            var now = await ReadAsync(door);
            foreach (var work in works.Where(w => !w.End.IsCompleted))
            {
                if (now.FirstOrDefault(r => r.Index == work.Device.Index) is { } reading) work.See(reading);
                if (work.Steps != moved[work].Steps) moved[work] = (work.Steps, clock.GetTimestamp());
                else if (clock.GetElapsedTime(moved[work].At) > spec.Patience) work.Abandon($"it does not come back from its work for {LoadChecks.Length(spec.Patience.TotalSeconds)}", isFault: true);
            }

            watcher.See(works);
        }

        watcher.End(works);
    }

    public static async Task<IReadOnlyList<GpuReading>> ReadAsync(GpuDoor door) => Told(await door.AskAsync(driver => driver.ReadNow()));

    /// <returns>Whether it has ended, however, by then.</returns>
    public static async Task<bool> EndsAsync(Task task, TimeSpan within)
    {
        await task.WaitAsync(within).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompleted;
    }

    private static IReadOnlyList<GpuReading> Told(GpuReply<IReadOnlyList<GpuReading>> reply) => reply is GpuReply<IReadOnlyList<GpuReading>>.Told { Value: var now } ? now : [];
}

/// <summary>What the driver told in one look.</summary>
internal sealed record DriverSight(GpuSystem System, IReadOnlyList<GpuDevice> Devices, IReadOnlyList<GpuReading> Now);

/// <summary>Who is told how far the cards are, and knows how far an earlier run came.</summary>
internal sealed record DiagWatcher
{
    public static DiagWatcher None { get; } = new();

    /// <summary>What an earlier run came to with a card; null: it begins anew.</summary>
    public Func<GpuDevice, LoadTotals?> Before { get; init; } = _ => null;

    /// <summary>Each second while cards work.</summary>
    public Action<IReadOnlyList<CardWork>> See { get; init; } = _ => { };

    /// <summary>Once, when no card works any more.</summary>
    public Action<IReadOnlyList<CardWork>> End { get; init; } = _ => { };
}
