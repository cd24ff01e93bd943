using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Hosts.Checks;
using Stoker.Hosts.Layers;
using Stoker.Hosts.Layers.Shipped;
using Stoker.Platform;

namespace Stoker.Cli.HostVerbs;

internal static class LayersVerb
{
    private static readonly ExitCode[] Codes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Refused, ExitCode.Interrupted];

    public static Verb Create() => new Verb("layers", "bring this machine to what the estate's layers say, layer by layer, and back")
    {
        Example = "stoker host layers plan",
        Remarks = ["docs/hosts.md tells how layers are declared, what is journalled, and when a rollback is refused."],
        ExitCodes = Codes,
    }.With(Plan(), Apply(), Verify(), Rollback(), Shipped());

    private static Verb Shipped() => new Verb("shipped", "list the layers that Stoker has ready, with what they may be told")
    {
        Example = "stoker host layers shipped",
        Remarks = ["An estate uses one by its name: `layers: {keys: {use: ssh-keys-only}}`."],
    }.Does(run =>
    {
        if (run.Json) run.PrintJson(ShippedLayers.All.Select(ShippedDocument.Of).ToList(), HostJson.Readable.ListShippedDocument);
        else LayerLines.Print(run, ShippedLayers.All);
        return ExitCode.Done;
    });

    private static Verb Plan()
    {
        var names = Parameters.Names("only these layers");
        return new Verb("plan", "show what differs, layer by layer; nothing is changed")
        {
            Example = "stoker host layers plan base",
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong],
        }.With(names).Does(async run =>
        {
            if (LayerScene.Of(run, run.Get(names)!) is not { } scene) return LayerScene.Failure(run);
            var plans = new List<LayerPlan>();
            foreach (var layer in scene.Layers) plans.Add(await scene.Run.LookAsync(layer, scene.IsUnfinished(layer), CancellationToken.None));
            if (run.Json) run.PrintJson(new LayersDocument(scene.Host.Value, [.. plans.Select(LayerDocument.Of)]), HostJson.Readable.LayersDocument);
            else LayerLines.Print(run, plans);
            return plans.Exists(p => p.Problem is not null) ? ExitCode.NotAsItShouldBe : ExitCode.Done;
        });
    }

    private static Verb Apply()
    {
        var names = Parameters.Names("only these layers and those that they need");
        return new Verb("apply", "change what differs, layer by layer, and verify each; stops at the first failure, and goes on when run again")
        {
            Example = "stoker host layers apply",
            Remarks = ["Only root may. What is changed is in the journal of the state directory before it is changed, so that `rollback` returns exactly there."],
            ExitCodes = Codes,
        }.With(names).Does(async run => LayerScene.Of(run, run.Get(names)!, withNeeds: true) is { } scene
            ? await scene.LockedAsync(journal => ApplyAllAsync(scene, journal))
            : LayerScene.Failure(run));
    }

    private static async Task<ExitCode> ApplyAllAsync(LayerScene scene, LayerJournal journal)
    {
        var run = scene.Invocation;
        using var interrupts = run.World.Interrupts();
        var outcomes = new List<LayerOutcome>();
        foreach (var layer in scene.Layers)
        {
            var outcome = await scene.Run.ApplyAsync(layer, journal, words => run.Report.Say($"{layer.Name}: {words}"), interrupts.First);
            outcomes.Add(outcome);
            if (!run.Json) LayerLines.Print(run, outcome);
            if (outcome.Why is not null) break;
        }

        var left = scene.Layers.Skip(outcomes.Count).Select(l => l.Name).ToList();
        if (run.Json) run.PrintJson(new LayersDocument(scene.Host.Value, [.. outcomes.Select(LayerDocument.Of), .. left.Select(LayerDocument.NotBegun)]), HostJson.Readable.LayersDocument);
        else if (left.Count > 0) run.Output.WriteLine($"not begun: {string.Join(", ", left)}");
        return interrupts.First.IsCancellationRequested ? ExitCode.Interrupted : outcomes.Exists(o => o.Why is not null) ? ExitCode.NotAsItShouldBe : ExitCode.Done;
    }

    private static Verb Verify()
    {
        var names = Parameters.Names("only these layers");
        var output = new CheckOutput();
        return new Verb("verify", "make the checks of layers; nothing is changed")
        {
            Example = "stoker host layers verify --json",
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Interrupted],
        }.With(names, output.JUnit, output.Tap).Does(async run =>
        {
            if (LayerScene.Of(run, run.Get(names)!) is not { } scene) return LayerScene.Failure(run);
            // Names of checks are those of their layer; needs stay within it.
            var checks = scene.Layers.SelectMany(l => l.Verify.Select(c => c with
            {
                Name = $"{l.Name}/{c.Name}",
                Needs = [.. c.Needs.Select(n => n with { Value = $"{l.Name}/{n.Value}" })],
            })).ToList();
            return await output.RunAsync(run, scene.Host.Value, checks);
        });
    }

    private static Verb Rollback()
    {
        var names = Parameters.SomeNames("the layers");
        return new Verb("rollback", "take back what layers changed, the last change first")
        {
            Example = "stoker host layers rollback base",
            Remarks = ["Refused, with the difference, where something was changed since by others, and where a layer that needs it still stands. Nothing is touched then."],
            ExitCodes = Codes,
        }.With(names).Does(async run => LayerScene.Of(run, []) is { } scene ? await scene.LockedAsync(journal => RollbackAllAsync(scene, journal, run.Get(names)!)) : LayerScene.Failure(run));
    }

    private static async Task<ExitCode> RollbackAllAsync(LayerScene scene, LayerJournal journal, string[] names)
    {
        var run = scene.Invocation;
        foreach (var name in names)
        {
            if (scene.Layers.Any(l => l.Name == name) || journal.Standing.Any(c => c.Layer == name)) continue;
            run.Report.Error($"there is no layer `{name}`, and nothing of one in the journal", Suggestion.For(name, scene.Layers.Select(l => l.Name)));
            return ExitCode.Usage;
        }

        foreach (var layer in scene.Layers.Where(l => !names.Contains(l.Name) && journal.Standing.Any(c => c.Layer == l.Name)))
        {
            if (layer.Needs.Select(n => n.Value).FirstOrDefault(names.Contains) is not { } needed) continue;
            run.Report.Error($"layer `{needed}` is needed by `{layer.Name}`, of which changes stand", $"stoker host layers rollback {layer.Name} {string.Join(' ', names)}");
            return ExitCode.Refused;
        }

        var order = names.Distinct().OrderByDescending(n => scene.Layers.ToList().FindIndex(l => l.Name == n)).ToList();
        var outcome = await new LayerRollback(scene.Doors, journal).MakeAsync(order, scene.Layers, (layer, words) => run.Report.Say($"{layer}: {words}"));
        return LayerLines.Print(run, string.Join(", ", order), outcome);
    }
}

/// <summary>The layers that a verb is about, on the host that this machine is.</summary>
internal sealed record LayerScene(Invocation Invocation, HostName Host, IReadOnlyList<LayerSpec> Layers, LayerDoors Doors, LayerRun Run)
{
    /// <summary>Null when it cannot be said, which has been said then.</summary>
    public static LayerScene? Of(Invocation run, IReadOnlyList<string> names, bool withNeeds = false)
    {
        if (HostReading.Of(run) is not var (spec, host)) return null;
        var all = (spec.Part<LayersSpec>()?.Layers ?? []).Where(l => l.IsFor(host.Name)).ToList();
        if (names.FirstOrDefault(n => !all.Exists(l => l.Name == n)) is { } unknown)
        {
            var declared = all.Count == 0 ? "declare it in `layers`" : $"its layers are {string.Join(", ", all.Select(l => l.Name))}";
            run.Report.Error($"`{host.Name}` has no layer `{unknown}`", Suggestion.For(unknown, all.Select(l => l.Name)) ?? declared);
            return null;
        }

        var wanted = names.ToHashSet();
        // The list has needs before those that need them.
        for (var i = all.Count - 1; withNeeds && i >= 0; i--)
        {
            if (wanted.Contains(all[i].Name)) wanted.UnionWith(all[i].Needs.Select(n => n.Value));
        }

        var doors = new LayerDoors(run.World.Facts(), run.World.IsRoot && run.State is { } state ? Path.Combine(state.Layers, "ansible") : null) { Host = host.Name };
        return new LayerScene(run, host.Name, names.Count == 0 ? all : [.. all.Where(l => wanted.Contains(l.Name))], doors, new LayerRun(doors, run.World.Clock));
    }

    /// <summary>An apply of it was broken off, so that commands which follow changes are still to be run. Only root can see that.</summary>
    public bool IsUnfinished(LayerSpec layer) =>
        Invocation.World.IsRoot && Invocation.State is { } state && LayerJournal.Open(state.Layers, Invocation.World.Clock).IsUnfinished(layer.Name);

    public static ExitCode Failure(Invocation run) => run.Choice is { } choice && !choice.Read(run.Env).IsWrong ? ExitCode.Usage : ExitCode.EstateIsWrong;

    /// <summary>With the journal, and nobody else at it.</summary>
    public async Task<ExitCode> LockedAsync(Func<LayerJournal, Task<ExitCode>> work)
    {
        if (!Invocation.World.IsRoot)
        {
            Invocation.Report.Error("only root may change what layers are about", "`stoker host layers plan` shows what would be changed");
            return ExitCode.Refused;
        }

        if (Invocation.State is not { } state) return ExitCode.EstateIsWrong;
        Files.CreateDirectory(state.Layers);
        using var held = FileLock.TryTake(Path.Combine(state.Layers, "lock"), $"pid {HostEnvironment.ProcessId}", out var holder);
        if (held is null)
        {
            Invocation.Report.Error($"another `stoker host layers` is at work: {holder}", "wait for it");
            return ExitCode.Refused;
        }

        return await work(LayerJournal.Open(state.Layers, Invocation.World.Clock));
    }
}
