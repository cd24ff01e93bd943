using Stoker.Estates;
using Stoker.Estates.Keys;
using Stoker.Estates.Yaml;

namespace Stoker.Cli;

internal static class ConfigCommand
{
    private static readonly ExitCode[] Codes = [ExitCode.EstateIsWrong];

    public static Verb Create() => new Verb("config", "what the estate's files say together, and who said it")
    {
        Example = "stoker config explain services.vision.environment.LOG_LEVEL",
        ExitCodes = Codes,
    }.With(Show(), Explain(), Schema());

    private static Verb Show() => new Verb("show", "print the merged and interpolated result as YAML")
    {
        Example = "stoker config show --env production",
        Remarks = ["Values that came from secrets' own content are hidden."],
        ExitCodes = Codes,
    }.Does(run =>
    {
        if (Load(run) is not { } loaded) return ExitCode.EstateIsWrong;
        run.Output.Write(ConfigPrinter.Print(loaded.Root, IsSecret));
        return ExitCode.Done;
    });

    private static Verb Explain()
    {
        var path = new System.CommandLine.Argument<string>("PATH") { Description = "dotted, [n] for items of lists, quotes around keys with dots" };
        return new Verb("explain", "tell a value, who set it, what it overrode, and what the key is for")
        {
            Example = "stoker config explain services.vision.environment.LOG_LEVEL",
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong],
        }.With(path).Does(run => Load(run) is { } loaded ? ExplainPath(run, loaded, run.Get(path)!) : ExitCode.EstateIsWrong);
    }

    private static Verb Schema() => new Verb("schema", "print the JSON Schema of the estate file, for completion in editors")
    {
        Example = "stoker config schema > stoker.schema.json",
    }.Does(run =>
    {
        run.Output.WriteLine(EstateSchema.Generate(Modules.Sections));
        return ExitCode.Done;
    });

    private static ExitCode ExplainPath(Invocation run, LoadedEstate loaded, string path)
    {
        var documentation = KeyDocumentation.For(path, Modules.Sections);
        switch (ConfigExplain.Find(loaded.Root, path))
        {
            case Explanation.Found found:
                var document = ExplainDocument.Of(path, found, documentation, IsSecret(path));
                if (run.Json) run.PrintJson(document, CliJson.Readable.ExplainDocument);
                else Print(run, document);
                return ExitCode.Done;
            case Explanation.Missing missing:
                var parent = missing.Parent.Length > 0 ? $"`{missing.Parent}`" : "the estate";
                run.Report.Error($"{parent} has no `{missing.Segment}`", missing.Hint ?? documentation?.Sentence);
                return ExitCode.NotAsItShouldBe;
            case Explanation.Malformed malformed:
                run.Report.Error($"`{path}` is no path: {malformed.Problem}", "services.vision.ports[0], or services.\"a.b\".image");
                return ExitCode.Usage;
            case var other:
                throw new InvalidOperationException($"no such explanation: {other}");
        }
    }

    private static void Print(Invocation run, ExplainDocument document)
    {
        var output = run.Output;
        output.WriteLine($"{run.Style.Paint(document.Path, Tone.Name)}: {document.Value}");
        output.WriteLine($"  set at {document.Where}");
        foreach (var earlier in document.Overrode) output.WriteLine($"  overrode {earlier.Value} at {earlier.Where}");
        if (document.Documentation is not { } text) return;
        output.WriteLine();
        foreach (var line in HelpPage.Wrap(text, Math.Min(run.Width, 100) - 2)) output.WriteLine($"  {line}");
    }

    private static LoadedEstate? Load(Invocation run)
    {
        if (run.Choice is not { } choice) return null;
        var reading = choice.Read(run.Env);
        // What the tree cannot be made of is said; mistakes of meaning are the business of `check`.
        if (reading.Loaded is null) DiagnosticPrinter.For(run, reading.Directory).Print(reading.Bag);
        return reading.Loaded;
    }

    /// <summary>Content that the file itself gives to a secret; other material names files and variables only.</summary>
    private static bool IsSecret(string path) => path.StartsWith("secrets.", StringComparison.Ordinal) && path.EndsWith(".content", StringComparison.Ordinal);
}

/// <summary>What <c>stoker config explain --json</c> prints.</summary>
/// <param name="Where"><c>file:line:col</c>.</param>
/// <param name="Overrode">Most recent first.</param>
internal sealed record ExplainDocument(string Path, string Value, string Where, IReadOnlyList<OverrodeDocument> Overrode, string? Documentation)
{
    public static ExplainDocument Of(string path, Explanation.Found found, KeyDocumentation? documentation, bool hidden) => new(
        path,
        hidden ? ConfigPrinter.Hidden : Text(found.Node),
        found.Node.Where.ToString(),
        [.. found.Overrode.Select(n => new OverrodeDocument(hidden ? ConfigPrinter.Hidden : Text(n), n.Where.ToString()))],
        documentation is null ? null : $"{documentation.Sentence}{(documentation.Support is { } support ? $" ({support})" : "")} Expects {documentation.Expectation}.");

    private static string Text(Node node) => node switch
    {
        ScalarNode scalar => scalar.Value ?? "null",
        SequenceNode list => $"[{string.Join(", ", list.Items.Select(Text))}]",
        MappingNode map => $"{{{string.Join(", ", map.Entries.Select(e => $"{e.Key.Value}: {Text(e.Value)}"))}}}",
        _ => throw new InvalidOperationException($"no such node: {node.GetType().Name}"),
    };
}

internal sealed record OverrodeDocument(string Value, string Where);
