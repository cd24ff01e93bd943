using Stoker.Hosts.Checks;

namespace Stoker.Hosts.Layers;

/// <summary>What a layer would change now.</summary>
/// <param name="Verify">Its checks, made now; those of a layer that is to be changed may fail.</param>
/// <param name="Problem">Why it cannot be looked at; null: it can.</param>
internal sealed record LayerPlan(LayerSpec Layer, IReadOnlyList<Planned> Changes, IReadOnlyList<CheckResult> Verify, string? Problem)
{
    public bool IsInPlace => Problem is null && Changes.Count == 0 && Verify.All(r => r.Verdict == Verdict.Passed);
}

/// <summary>What became of a layer.</summary>
/// <param name="Made">What was changed, in words.</param>
/// <param name="Why">Null: it is there, and verified.</param>
internal sealed record LayerOutcome(string Layer, IReadOnlyList<string> Made, IReadOnlyList<CheckResult> Verify, string? Why);

/// <summary>
/// Looks at layers and brings them there, one after the other: only what differs is changed, the first failure ends it, and what comes after is not begun. To do it again goes on where it
/// stopped, because what is as it should be does not differ any more.
/// </summary>
internal sealed class LayerRun(LayerDoors doors, TimeProvider clock)
{
    /// <summary>Paths that layers which were looked at would make.</summary>
    private readonly HashSet<string> _made = new(StringComparer.Ordinal);

    /// <summary>What would be changed after what was looked at before.</summary>
    /// <param name="isUnfinished">It was begun before and broken off.</param>
    public async Task<LayerPlan> LookAsync(LayerSpec layer, bool isUnfinished, CancellationToken cancel)
    {
        var changes = new List<Planned>();
        try
        {
            await foreach (var step in StepsOf(layer)) changes.AddRange(Unmade(await StepLook.LookAsync(step, doors, isUnfinished || changes.Count > 0)));
        }
        catch (Exception e) when (IsOfTheMachine(e))
        {
            return new LayerPlan(layer, changes, [], e.Message);
        }

        return new LayerPlan(layer, changes, await VerifyAsync(layer, cancel), null);
    }

    /// <param name="report">Told before each change.</param>
    public async Task<LayerOutcome> ApplyAsync(LayerSpec layer, LayerJournal journal, Action<string> report, CancellationToken cancel)
    {
        var made = new List<string>();
        try
        {
            var isUnfinished = journal.IsUnfinished(layer.Name);
            await SettleAsync(layer, journal);
            var hands = new StepDo(doors, journal, layer.Name);
            await foreach (var step in StepsOf(layer))
            {
                foreach (var planned in await StepLook.LookAsync(step, doors, isUnfinished || made.Count > 0))
                {
                    // Between two changes, never in one.
                    if (cancel.IsCancellationRequested) return Ended("it was interrupted; to apply again goes on from here");
                    report(planned.Words);
                    await hands.MakeAsync(planned);
                    made.Add(planned.Words);
                }
            }
        }
        catch (Exception e) when (IsOfTheMachine(e))
        {
            return Ended(e.Message);
        }

        var verified = await VerifyAsync(layer, cancel);
        var wrong = verified.Where(r => r.Verdict != Verdict.Passed).ToList();
        if (wrong.Count > 0) return Ended($"{string.Join(", ", wrong.Select(r => $"`{r.Name}`"))} {(wrong.Count == 1 ? "does" : "do")} not pass") with { Verify = verified };
        if (made.Count > 0 || journal.StateOf(layer.Name) is not { State: "applied" }) journal.Say(layer.Name, "applied");
        return new LayerOutcome(layer.Name, made, verified, null);

        LayerOutcome Ended(string why)
        {
            Tell(journal, layer.Name, why);
            return new LayerOutcome(layer.Name, made, [], why);
        }
    }

    public async Task<IReadOnlyList<CheckResult>> VerifyAsync(LayerSpec layer, CancellationToken cancel) =>
        await new CheckRun(doors.Machine, clock).MakeAsync(layer.Verify, budget: null, cancel);

    public static bool IsOfTheMachine(Exception e) => e is LayerFailedException or IOException or UnauthorizedAccessException;

    /// <summary>Those that depend on the machine are asked for when it is their turn, so that they see what those before them made.</summary>
    private async IAsyncEnumerable<LayerStep> StepsOf(LayerSpec layer)
    {
        foreach (var step in layer.Apply)
        {
            if (step is not LayerStep.OnMachine open)
            {
                yield return step;
                continue;
            }

            foreach (var made in await open.Steps(doors)) yield return made;
        }
    }

    /// <summary>Two steps in one directory that is not there would both make it.</summary>
    private List<Planned> Unmade(IReadOnlyList<Planned> planned)
    {
        var unmade = planned.Where(p => p is not Planned.File { IsOnTheWay: true } file || !_made.Contains(file.Path)).ToList();
        foreach (var file in unmade.OfType<Planned.File>()) _made.Add(file.Path);
        return unmade;
    }

    /// <summary>What was under way when an earlier run was killed: it is found out whether it was made.</summary>
    private async Task SettleAsync(LayerSpec layer, LayerJournal journal)
    {
        foreach (var change in journal.UnderWay.Where(c => c.Layer == layer.Name))
        {
            switch (change.Kind)
            {
                case "file":
                    var now = FileImage.Look(change.Subject);
                    if (now == change.FileBefore) journal.Undone(change);
                    // Written, and killed before its owner and mode were given: what is there is what was made of it.
                    else journal.Done(change with { FileAfter = now });
                    break;
                case "packages":
                    await new StepDo(doors, journal, layer.Name).EndPackagesAsync(change);
                    break;
                case "user" or "group":
                    var account = change.Kind == "user" ? StepDo.Account(change.Subject) : StepDo.Group(change.Subject);
                    if (Equals(account, change.AccountBefore)) journal.Undone(change);
                    else journal.Done(change with { AccountAfter = account });
                    break;
                default:
                    // Nobody knows how far a command came. It is run again, by its guard or because the layer is unfinished, and stands until it is taken back.
                    break;
            }
        }
    }

    /// <summary>A disk that is full takes the remark, and the reason is told anyway.</summary>
    private static void Tell(LayerJournal journal, string layer, string why)
    {
        try
        {
            journal.Say(layer, "failed", why);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The changes themselves were on the disk before they were made.
        }
    }
}
