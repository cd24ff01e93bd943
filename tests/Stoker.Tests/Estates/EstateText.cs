using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Estates.Yaml;
using Stoker.Tests.Estates.Yaml;
using Xunit;

namespace Stoker.Tests.Estates;

/// <summary>Reads an estate from text, as the tests of the readers need it: no includes, no variables.</summary>
internal static class EstateText
{
    public const string Directory = "/srv/estate";

    public static (EstateSpec Spec, IReadOnlyList<Diagnostic> Diagnostics) Read(string yaml, IReadOnlyDictionary<string, string>? files = null)
    {
        var bag = new DiagnosticBag();
        var parsed = Assert.IsType<ParsedFile>(NodeParser.Parse(yaml, "stoker.yaml", bag));
        var spec = EstateReader.Read(parsed.Root, Context(files), bag);
        return (spec!, bag.Sorted());
    }

    /// <summary>The estate, when nothing at all is said against it.</summary>
    public static EstateSpec Good(string yaml, IReadOnlyDictionary<string, string>? files = null)
    {
        var (spec, diagnostics) = Read(yaml, files);
        Assert.Empty(diagnostics.Select(d => d.ToString()));
        return spec;
    }

    /// <summary>The one service of an estate, given by its keys, when nothing is said against it.</summary>
    public static ServiceSpec Service(params string[] keys) => Good(ServiceYaml("a", keys)).Services[new ServiceName("a")];

    public static string ServiceYaml(string name, params string[] keys) =>
        $"services:\n  {name}:\n" + string.Concat(keys.Select(k => $"    {k.Replace("\n", "\n    ", StringComparison.Ordinal)}\n"));

    private static ReadContext Context(IReadOnlyDictionary<string, string>? files)
    {
        var variables = new Dictionary<string, string> { ["HOME"] = "/home/owner", ["KNOWN"] = "known" };
        var door = new FakeEstateFiles();
        foreach (var (path, text) in files ?? new Dictionary<string, string>()) door.With(path, text);
        return new ReadContext(
            "Estate 1", "stoker.yaml", Directory, file => file == "stoker.yaml" ? Directory : $"{Directory}/included", variables,
            new VariableFiles(door, variables), [.. Modules.Sections.Select(s => s with { IsActedOn = true })]);
    }
}
