namespace Stoker.Gpus.Healing;

internal enum HealingMode
{
    Act,

    /// <summary>What would be done is said, and not done.</summary>
    DryRun,

    Off,
}

/// <summary>A fault of a card.</summary>
/// <param name="Gpu">As people call it: <c>GPU 0 (NVIDIA GeForce RTX 4090)</c>.</param>
/// <param name="Clients">Services that have processes on the card.</param>
/// <param name="Culprit">The one whose program it was; null when nobody says.</param>
/// <param name="Share">How the card is shared; null when nobody has it by the plan.</param>
internal sealed record HealingFact(DateTimeOffset At, string Uuid, string Gpu, long Xid, IReadOnlyList<string> Clients, string? Culprit, string? Share);

/// <summary>What is to be done, and why.</summary>
/// <param name="Services">That are restarted, or stopped.</param>
/// <param name="Text">The whole in words, for the journal and for <c>why</c>.</param>
internal sealed record HealingDecision(XidAction Action, IReadOnlyList<string> Services, string Text);

/// <summary>What was done, so that the same is not done without end.</summary>
internal sealed record HealingState(IReadOnlyList<(DateTimeOffset At, string Uuid, XidAction Action, string Service)> Done)
{
    public static HealingState Fresh { get; } = new([]);
}

/// <summary>
/// From a fault to what is done about it. Pure: no clock, no driver. The same fault again and again is not mended by doing the same again and again: each service is restarted three times in ten
/// minutes at most, each card reset once an hour; then a person is asked for.
/// </summary>
internal static class HealingPolicy
{
    public const int RestartsAtMost = 3, ResetsAtMost = 1;

    public static readonly TimeSpan RestartWindow = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan ResetWindow = TimeSpan.FromHours(1);

    /// <summary>One fault comes as several Xids; what is being done for the first is done for all.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);

    public static (HealingState State, HealingDecision Decision) Decide(HealingState state, HealingFact fact, HealingMode mode)
    {
        var row = XidTable.Find(fact.Xid);
        if (row is null) return (state, Leave(fact, "which is not in the table of what to do"));
        if (fact.Share == "mps") row = XidTable.UnderMps(row);
        var what = $"Xid {fact.Xid} ({row.Means}) on {fact.Gpu}";
        if (row.Action == XidAction.Nothing) return Nothing($"nothing is to be done ({row.Source})");
        var services = row.Action == XidAction.RestartService && fact.Culprit is { } culprit ? [culprit] : fact.Clients;
        var isRestart = row.Action is XidAction.RestartService or XidAction.RestartClients;
        if (services.Count == 0 && isRestart) return Nothing("no service of this estate is on it");
        if (mode == HealingMode.Off) return Nothing($"healing is off; it would {Would(row.Action, services)}");
        if (mode == HealingMode.DryRun) return Nothing($"dry run; it would {Would(row.Action, services)} ({row.Source})");
        if (InHand(state, fact, row.Action) is { } before) return Nothing($"already in hand since {before.ToLocalTime():HH:mm:ss}");
        if (row.Action == XidAction.ResetGpu && Count(state, fact, XidAction.ResetGpu, null, ResetWindow) >= ResetsAtMost)
            return Nothing("it was reset within the hour already; a person is to look at it");
        List<string> within = isRestart ? [.. services.Where(s => Restarts(state, fact, s) < RestartsAtMost)] : [.. services];
        if (within.Count == 0 && isRestart)
        {
            var restarted = $"{Names(services)} {(services.Count == 1 ? "was" : "were")} restarted {RestartsAtMost} times in {RestartWindow.TotalMinutes:0} minutes";
            return Nothing($"{restarted} for it already; a person is to look at it");
        }

        var done = state.Done.Where(d => fact.At - d.At < ResetWindow).Concat((within.Count == 0 ? [""] : within).Select(s => (fact.At, fact.Uuid, row.Action, s)));
        var unsure = row.Action == XidAction.RestartService && fact.Culprit is null && services.Count > 1 ? ", because nobody says whose program it was" : "";
        return (new HealingState([.. done]), new HealingDecision(row.Action, within, $"{what}: {Does(row.Action, within)}{unsure} ({row.Source})"));

        (HealingState State, HealingDecision Decision) Nothing(string why) => (state, new HealingDecision(XidAction.Nothing, [], $"{what}: {why}"));
    }

    private static HealingDecision Leave(HealingFact fact, string why) => new(XidAction.Nothing, [], $"Xid {fact.Xid} on {fact.Gpu}, {why}");

    private static DateTimeOffset? InHand(HealingState state, HealingFact fact, XidAction action)
    {
        foreach (var done in state.Done)
        {
            // What does more is not held up by what does less.
            if (done.Uuid == fact.Uuid && done.Action >= action && fact.At - done.At < Settling) return done.At;
        }

        return null;
    }

    private static int Restarts(HealingState state, HealingFact fact, string service) =>
        Count(state, fact, XidAction.RestartService, service, RestartWindow) + Count(state, fact, XidAction.RestartClients, service, RestartWindow);

    private static int Count(HealingState state, HealingFact fact, XidAction action, string? service, TimeSpan window) =>
        state.Done.Where(d => d.Action == action && fact.At - d.At < window && (service is null ? d.Uuid == fact.Uuid : d.Service == service)).Select(d => d.At).Distinct().Count();

    private static string Does(XidAction action, IReadOnlyList<string> services) => action switch
    {
        XidAction.RestartService or XidAction.RestartClients => $"{Names(services)} {Is(services)} restarted",
        XidAction.ResetGpu => services.Count == 0 ? "it is reset" : $"{Names(services)} {Is(services)} stopped, it is reset, and {(services.Count == 1 ? "it starts" : "they start")} again",
        XidAction.Drain => services.Count == 0
            ? "nobody is to use it until the machine was restarted"
            : $"{Names(services)} {Is(services)} stopped, because only a person or a restart of the machine brings it back",
        XidAction.Nothing => "nothing is done",
    };

    private static string Would(XidAction action, IReadOnlyList<string> services) => action switch
    {
        XidAction.RestartService or XidAction.RestartClients => $"restart {Names(services)}",
        XidAction.ResetGpu => services.Count == 0 ? "reset it" : $"stop {Names(services)}, reset it and start them again",
        XidAction.Drain => services.Count == 0 ? "take it out of use" : $"stop {Names(services)}",
        XidAction.Nothing => "do nothing",
    };

    private static string Is(IReadOnlyList<string> services) => services.Count == 1 ? "is" : "are";

    private static string Names(IReadOnlyList<string> services) => services.Count switch
    {
        0 => "nobody",
        1 => services[0],
        <= 5 => $"{string.Join(", ", services.Take(services.Count - 1))} and {services[^1]}",
        _ => $"{string.Join(", ", services.Take(4))} and {services.Count - 4} more",
    };
}
