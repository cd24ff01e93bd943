using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Models;

namespace Stoker.Cli;

internal static class ModelPullStatus
{
    public static Verb Create()
    {
        var names = Parameters.Names("only these models, by key");
        return new Verb("pull-status", "show what is there of each model's files on this machine, and whether it is all")
        {
            Example = "stoker model pull-status",
            Remarks =
            [
                "Needs no daemon. States: complete incomplete absent unknown. Safetensors are held against their index and their own headers, the caches "
                + "of Hugging Face and Ollama against their bookkeeping; unknown is what nothing says anything about. Weights are not read.",
            ],
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong],
        }.With(names).Does(run => Run(run, run.Get(names)!));
    }

    private static ExitCode Run(Invocation run, string[] names)
    {
        if (run.Choice is not { } choice) return ExitCode.EstateIsWrong;
        var reading = choice.Read(run.Env);
        if (reading.IsWrong)
        {
            run.Report.Error("the estate file is wrong", "`stoker check` lists its mistakes");
            return ExitCode.EstateIsWrong;
        }

        var models = reading.Spec!.Part<ModelsSpec>()?.Models ?? [];
        if (names.FirstOrDefault(n => models.All(m => m.Key != n)) is { } unknown)
        {
            run.Report.Error($"`{reading.Spec.Name}` has no model `{unknown}`", Suggestion.For(unknown, models.Select(m => m.Key)) ?? "its `models` are in the estate file");
            return ExitCode.Usage;
        }

        var files = new ModelFiles(run.World.Variables);
        var document = new PullStatusDocument(
            reading.Spec.Name,
            [.. models.Where(m => names.Length == 0 || names.Contains(m.Key)).Select(m => Document(m, files.Look(m)))]);
        if (run.Json) run.PrintJson(document, CliJson.Readable.PullStatusDocument);
        else Print(run, document);
        return document.Models.Any(m => m.State is "incomplete" or "absent") ? ExitCode.NotAsItShouldBe : ExitCode.Done;
    }

    private static PulledModel Document(ModelSpec model, FilesOutcome outcome) => outcome switch
    {
        FilesOutcome.Complete complete => new PulledModel(model.Key, "complete", complete.Path, complete.Bytes, complete.Why),
        FilesOutcome.Incomplete incomplete => new PulledModel(model.Key, "incomplete", incomplete.Path, incomplete.Bytes, incomplete.Missing),
        FilesOutcome.Absent absent => new PulledModel(model.Key, "absent", absent.Path, null, null),
        FilesOutcome.Unknown unknown => new PulledModel(model.Key, "unknown", unknown.Path, unknown.Bytes, unknown.Why),
        _ => throw new InvalidOperationException($"no such outcome: {outcome}"),
    };

    private static void Print(Invocation run, PullStatusDocument document)
    {
        if (document.Models.Count == 0)
        {
            run.Output.WriteLine($"{document.Estate} has no models");
            return;
        }

        List<TableColumn> columns = [new("MODEL"), new("FILES"), new("SIZE", Right: true), new("WHERE", Sacrifice: 1), new("WHY")];
        var rows = document.Models.Select(m => new TableRow(
        [
            new(m.Model, Tone.Name),
            new(m.State, m.State switch { "complete" => Tone.Good, "unknown" => Tone.Dim, _ => Tone.Bad }),
            new(m.Bytes is { } bytes ? new ByteSize(bytes).ToString() : ""),
            new(m.Path ?? ""),
            new(m.Why ?? ""),
        ]));
        foreach (var line in Table.Lay(columns, [.. rows], run.Width, run.Style)) run.Output.WriteLine(line);
    }
}

/// <summary>What <c>stoker model pull-status --json</c> prints.</summary>
internal sealed record PullStatusDocument(string Estate, IReadOnlyList<PulledModel> Models);

/// <param name="State"><c>complete</c>, <c>incomplete</c>, <c>absent</c> or <c>unknown</c>.</param>
/// <param name="Path">Where it was looked for.</param>
/// <param name="Bytes">Of what is there.</param>
/// <param name="Why">What it was told from, or what is missing.</param>
internal sealed record PulledModel(string Model, string State, string? Path, long? Bytes, string? Why);
