using Stoker.Estates;
using Stoker.Gpus;
using Stoker.Gpus.Mig;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Platform.Gpus;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>One change of one card: who is concerned stops, the card is changed and read back, or goes back to what it had.</summary>
/// <param name="look">Whose processes are on the cards at this moment.</param>
internal sealed class PartitionTransaction(SupervisionDoors doors, Supervisor supervisor, Func<Task<GpusDocument>> look, PartitionNotes notes)
{
    private const int MostNamed = 3;

    private static readonly TimeSpan ChangePatience = TimeSpan.FromMinutes(2), StopSlack = TimeSpan.FromSeconds(30), CdiPatience = TimeSpan.FromSeconds(30);

    /// <param name="before">Where it goes back to.</param>
    /// <param name="given">Who had which instance until now.</param>
    public async Task<PartitionState> DoAsync(DividedCard card, MigState now, MigChange change, MigShape before, IReadOnlyList<MigGiven> given, EstatePlan plan)
    {
        var concerned = Concerned(card, await look(), change, given, plan);
        if (concerned.Refusal is { } refusal) return new PartitionState.Waits(refusal);
        notes.Begin(card.Uuid, given, now, before);
        var stopping = concerned.Restart;
        var stops = stopping.Count > 0 ? $"; {string.Join(", ", stopping)} {(stopping.Count == 1 ? "stops" : "stop")} for it" : "";
        var cause = doors.Journal.Write("gpu_partitions_begun", $"{card.Name} is divided anew: {Words(change)}{stops}");
        foreach (var service in stopping)
        {
            doors.Journal.Write(service, null, "gpu_drained", null, $"{service} stops while {card.Name} is divided anew, and starts again on its partition", cause);
            supervisor.Restart(service, $"{card.Name} is divided anew");
        }

        if (!await AreStoppedAsync(stopping)) return Return(card, now, given, cause, "its clients did not stop in time", null);
        // Who came meanwhile, or was left behind by what stopped.
        if (Concerned(card, await look(), change, given, plan).Refusal is { } late) return Return(card, now, given, cause, late, null);
        switch (await card.Door.AskAsync(driver => MigSteps.Do((IGpuControl)driver, card.Uuid, change, before), ChangePatience))
        {
            case GpuReply<MigSteps.Outcome>.Told { Value: { Problem: null, After: var after } }:
                var made = after ?? new MigState(false, [], []);
                notes.Settle(card.Uuid, GivenBy(change, made), made);
                await RefreshCdiAsync(card);
                var partitions = change.Layout.Count == 0
                    ? "has no partitions any more"
                    : $"is in partitions: {string.Join(", ", change.Layout.Select(p => $"{p.Profile.Name} for {p.Owner}"))}";
                doors.Journal.Write(null, null, "gpu_partitioned", null, $"{card.Name} {partitions}", cause);
                return new PartitionState.Settled();
            case GpuReply<MigSteps.Outcome>.Told { Value: var outcome }:
                return Return(card, outcome.After ?? now, given, cause, outcome.Problem!, outcome.Stuck);
            case GpuReply<MigSteps.Outcome>.Silent silent:
                // How far it came is not known: the note stays, and the card is asked when it answers again.
                return new PartitionState.Waits(silent.Words);
            default:
                return new PartitionState.Waits("no driver is there any more");
        }
    }

    public static IReadOnlyList<MigGiven> GivenBy(MigChange change, MigState now)
    {
        var given = new List<MigGiven>();
        foreach (var place in change.Layout)
        {
            if (now.Instances.FirstOrDefault(i => i.ProfileId == place.Profile.Id && i.Start == place.Start) is { } there)
                given.Add(new MigGiven(place.Owner, place.Profile.Name, place.Profile.Id, place.Start, there.Id, there.Uuid));
        }

        return given;
    }

    private PartitionState.Failed Return(DividedCard card, MigState now, IReadOnlyList<MigGiven> given, long cause, string problem, string? stuck)
    {
        List<MigGiven> kept = [];
        foreach (var had in given)
        {
            if (now.Instances.FirstOrDefault(i => i.ProfileId == had.ProfileId && i.Start == had.Start) is { } there) kept.Add(had with { Instance = there.Id, Uuid = there.Uuid });
        }

        notes.Settle(card.Uuid, kept, now);
        var text = $"{card.Name} could not be divided anew: {problem}; {(stuck is null ? "it is as it was before" : $"nor could it be brought back: {stuck}")}";
        doors.Journal.Write(null, null, "gpu_partitions_rolled_back", null, text, cause);
        return stuck is null ? new PartitionState.Failed(problem, MayPass: true) : new PartitionState.Failed($"{problem}; nor could it be brought back: {stuck}");
    }

    /// <summary>Who is on what a change ends.</summary>
    /// <param name="Refusal">Somebody whom nobody may stop, who would not stay away, or who is on his way out, in words.</param>
    /// <param name="Restart">Services of the card: they stop, and cannot start before it is settled.</param>
    private sealed record Those(string? Refusal, IReadOnlyList<ServiceName> Restart);

    private Those Concerned(DividedCard card, GpusDocument gpus, MigChange change, IReadOnlyList<MigGiven> given, EstatePlan plan)
    {
        List<string> strangers = [], others = [], leaving = [];
        var services = new SortedSet<string>(StringComparer.Ordinal);
        var ends = change.Ends.Select(i => (int)i.Id).ToHashSet();
        var own = GpuStage.ServicesOf(card.Plan, plan);
        foreach (var client in gpus.Gpus.FirstOrDefault(g => g.Device.Uuid == card.Uuid)?.Clients ?? [])
        {
            if (change.Mode is null && (client.Instance is not { } instance || !ends.Contains(instance))) continue;
            if (client.Owner != "service") strangers.Add($"pid {client.Pid}, {client.Command ?? "not visible here"} ({client.OwnerText})");
            else if (own.Contains(client.Service!)) services.Add(client.Service!);
            else (IsLeaving(new ServiceName(client.Service!), plan) ? leaving : others).Add($"{client.OwnerText} (pid {client.Pid})");
        }

        // Those too whose programs have not come to the card yet, and those who move, if nobody needs what they leave.
        if (change.Mode is not null) services.UnionWith(own);
        foreach (var had in given.Where(g => ends.Contains((int)g.Instance) || change.Moves(g))) services.UnionWith(GpuStage.CoveredBy(had.Owner, plan).Where(own.Contains));
        var place = change.Mode is null ? "in what must be ended" : "on it";
        var refusal = strangers.Count > 0 ? $"{Named(strangers)} {place}, and none of this estate: end {(strangers.Count == 1 ? "it" : "them")}, and it is divided"
            : others.Count > 0 ? $"{Named(others)} {place}, and was not given it: stop it, or give it the GPU"
            : leaving.Count > 0 ? $"{Named(leaving)} {place} still, and about to stop" : null;
        return new Those(refusal, [.. services.Select(s => new ServiceName(s)).Where(IsUp)]);
    }

    private static string Named(List<string> some) =>
        $"{string.Join(", ", some.Take(MostNamed))}{(some.Count > MostNamed ? $" and {some.Count - MostNamed} more" : "")} {(some.Count == 1 ? "is" : "are")}";

    private bool IsLeaving(ServiceName service, EstatePlan plan) => !plan.Services.ContainsKey(service) || doors.Board.Statuses.GetValueOrDefault(service)?.State == ServiceState.Stopping;

    private bool IsUp(ServiceName service) => doors.Board.Statuses.TryGetValue(service, out var status) && status.Replicas.Any(r => r.Pid is not null);

    private async Task<bool> AreStoppedAsync(IReadOnlyList<ServiceName> services)
    {
        if (services.Count == 0) return true;
        var grace = services.Max(s => supervisor.Plans.TryGetValue(s, out var plan) ? plan.Spec.StopGracePeriod : TimeSpan.Zero);
        var until = doors.Clock.GetUtcNow() + grace + StopSlack;
        while (true)
        {
            var changed = doors.Board.Changed;
            if (!services.Any(IsUp)) return true;
            var left = until - doors.Clock.GetUtcNow();
            if (left <= TimeSpan.Zero) return false;
            await Task.WhenAny(changed, Task.Delay(left, doors.Clock));
        }
    }

    /// <summary>Container tools find instances by a file that names them, which is made anew after each change where it is in use.</summary>
    private async Task RefreshCdiAsync(DividedCard card)
    {
        if (card.IsSimulated || Executables.Find("nvidia-ctk", HostEnvironment.Variable("PATH"), "/") is not { } tool) return;
        foreach (var file in (ReadOnlySpan<string>)["/etc/cdi/nvidia.yaml", "/var/run/cdi/nvidia.yaml"])
        {
            if (!Files.Exists(file)) continue;
            var outcome = await ShortCommand.RunAsync(tool, ["cdi", "generate", $"--output={file}"], HostEnvironment.Variables, CdiPatience);
            if (!outcome.IsSuccess) doors.Journal.Write("gpu_cdi_stale", $"{file} could not be made anew, and containers may not find their partitions: {outcome.Words}");
            return;
        }
    }

    private static string Words(MigChange change)
    {
        var words = new List<string>();
        if (change.Mode is { } on) words.Add($"MIG is turned {(on ? "on" : "off")}");
        if (change.Ends.Count > 0) words.Add($"{change.Ends.Count} {(change.Ends.Count == 1 ? "partition is" : "partitions are")} ended");
        if (change.Makes.Count > 0) words.Add($"{string.Join(", ", change.Makes.Select(p => $"{p.Profile.Name} for {p.Owner}"))} {(change.Makes.Count == 1 ? "is" : "are")} made");
        return string.Join(", ", words);
    }
}
