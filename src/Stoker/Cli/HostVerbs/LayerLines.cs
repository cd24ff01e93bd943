using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Hosts.Checks;
using Stoker.Hosts.Layers;
using Stoker.Hosts.Layers.Shipped;

namespace Stoker.Cli.HostVerbs;

/// <summary>Layers for people: what differs, what was done, and why not.</summary>
internal static class LayerLines
{
    public static void Print(Invocation run, IReadOnlyList<LayerPlan> plans)
    {
        foreach (var plan in plans)
        {
            var state = plan.Problem is not null ? run.Style.Paint("cannot be looked at", Tone.Bad)
                : plan.IsInPlace ? run.Style.Paint("in place", Tone.Good)
                : plan.Changes.Count > 0 ? run.Style.Paint(plan.Changes.Count == 1 ? "1 change" : $"{plan.Changes.Count} changes", Tone.Busy)
                : run.Style.Paint("nothing to change, but not verified", Tone.Bad);
            run.Output.WriteLine($"{run.Style.Paint(plan.Layer.Name, Tone.Strong)}  {state}{(plan.Layer.Description is { } description ? $"  {description}" : "")}");
            foreach (var change in plan.Changes)
            {
                run.Output.WriteLine($"  {run.Style.Paint("~", Tone.Busy)} {TextWidth.OneLine(change.Words)}");
                if (change.CannotBeUndone is { } why && plan.Layer.Rollback.Count == 0)
                {
                    run.Output.WriteLine($"      {run.Style.Paint($"cannot be taken back: {why}, and the layer no `rollback`", Tone.Dim)}");
                }

                foreach (var line in change.Detail) run.Output.WriteLine($"      {run.Style.Paint(TextWidth.OneLine(line), line[0] == '-' ? Tone.Bad : line[0] == '+' ? Tone.Good : Tone.Dim)}");
            }

            if (plan.Problem is { } problem) run.Output.WriteLine($"  {run.Style.Paint("!", Tone.Bad)} {TextWidth.OneLine(problem)}");
            // What is to be changed may well not pass before.
            if (plan.Changes.Count == 0) Verified(run, plan.Verify);
        }

        if (plans.Count == 0) run.Output.WriteLine("there are no layers for this host");
    }

    public static void Print(Invocation run, IReadOnlyList<ShippedLayer> layers)
    {
        foreach (var layer in layers)
        {
            run.Output.WriteLine($"{run.Style.Paint(layer.Name, Tone.Strong)}  {layer.Summary}");
            foreach (var parameter in layer.Parameters) run.Output.WriteLine($"  {parameter.Name}: {parameter.Summary}");
        }
    }

    public static void Print(Invocation run, LayerOutcome outcome)
    {
        var count = outcome.Made.Count == 0 ? "was in place" : outcome.Made.Count == 1 ? "1 change made" : $"{outcome.Made.Count} changes made";
        var verified = outcome.Verify.Count > 0 ? $"{outcome.Verify.Count} verified" : "nothing to verify is declared";
        run.Output.WriteLine(outcome.Why is { } why
            ? $"{run.Style.Paint(outcome.Layer, Tone.Strong)}  {run.Style.Paint("failed", Tone.Bad)}, {count}: {TextWidth.OneLine(why)}"
            : $"{run.Style.Paint(outcome.Layer, Tone.Strong)}  {run.Style.Paint("applied", Tone.Good)}, {count}, {verified}");
        Verified(run, outcome.Verify);
    }

    public static ExitCode Print(Invocation run, string name, RollbackOutcome outcome)
    {
        switch (outcome)
        {
            case RollbackOutcome.Nothing:
                run.Output.WriteLine($"{run.Style.Paint(name, Tone.Strong)}  nothing that was changed stands");
                return ExitCode.Done;
            case RollbackOutcome.Refused refused:
                run.Report.Error($"the rollback of {name} is refused, and nothing was changed: not all is as the layers left it", "undo by hand what was changed by hand, or keep it and the layer");
                foreach (var reason in refused.Reasons) run.Report.Say($"  {TextWidth.OneLine(reason)}");
                return ExitCode.Refused;
            case RollbackOutcome.Stopped stopped:
                run.Report.Error($"the rollback of {name} stopped after {stopped.Undone.Count}: {stopped.Why}", "mend that, and run it again: it goes on from here");
                return ExitCode.NotAsItShouldBe;
            case RollbackOutcome.RolledBack done:
                run.Output.WriteLine($"{run.Style.Paint(name, Tone.Strong)}  {run.Style.Paint("rolled back", Tone.Good)}, {done.Undone.Count} undone");
                return ExitCode.Done;
            default:
                throw new InvalidOperationException($"no such outcome: {outcome}");
        }
    }

    private static void Verified(Invocation run, IReadOnlyList<CheckResult> results)
    {
        foreach (var result in results.Where(r => r.Verdict != Verdict.Passed))
        {
            var words = string.Join("; ", result.Findings.Where(f => f.Verdict != Verdict.Passed).Select(CheckReport.Sentence));
            var verdict = result.Verdict == Verdict.Failed ? run.Style.Paint("failed", Tone.Bad) : run.Style.Paint("unknown", Tone.Busy);
            run.Output.WriteLine($"  {verdict} {result.Name}: {TextWidth.OneLine(words)}");
        }
    }
}

/// <summary>What <c>stoker host layers plan --json</c> and <c>apply --json</c> print.</summary>
internal sealed record LayersDocument(string Host, IReadOnlyList<LayerDocument> Layers);

/// <param name="State"><c>in_place</c>, <c>differs</c>, <c>unknown</c> of a plan; <c>applied</c>, <c>failed</c>, <c>not_begun</c> of an apply.</param>
/// <param name="Changes">That would be made, or were.</param>
internal sealed record LayerDocument(string Layer, string State, IReadOnlyList<LayerChangeDocument> Changes, IReadOnlyList<CheckResult> Verify, string? Why)
{
    public static LayerDocument Of(LayerPlan plan) => new(
        plan.Layer.Name,
        plan.Problem is not null ? "unknown" : plan.IsInPlace ? "in_place" : "differs",
        [.. plan.Changes.Select(c => new LayerChangeDocument(c.Words, c.Detail))],
        plan.Verify,
        plan.Problem);

    public static LayerDocument Of(LayerOutcome outcome) => new(
        outcome.Layer,
        outcome.Why is null ? "applied" : "failed",
        [.. outcome.Made.Select(m => new LayerChangeDocument(m, []))],
        outcome.Verify,
        outcome.Why);

    public static LayerDocument NotBegun(string layer) => new(layer, "not_begun", [], [], null);
}

/// <summary>What <c>stoker host layers shipped --json</c> prints a list of.</summary>
/// <param name="With">What it may be told, by name.</param>
internal sealed record ShippedDocument(string Name, string Summary, IReadOnlyDictionary<string, string> With)
{
    public static ShippedDocument Of(ShippedLayer layer) => new(layer.Name, layer.Summary, layer.Parameters.ToDictionary(p => p.Name, p => p.Summary));
}

internal sealed record LayerChangeDocument(string Words, IReadOnlyList<string> Detail);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(LayersDocument))]
[JsonSerializable(typeof(List<ShippedDocument>))]
internal sealed partial class HostJson : JsonSerializerContext
{
    public static HostJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
