using System.Runtime.CompilerServices;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Estates.Yaml;
using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Estates;

/// <summary>
/// Estate files that a user could read. A case is <c>NAME.yaml</c>, or a directory <c>NAME/</c> with <c>stoker.yaml</c>. In
/// <c>bad/</c> the file beside it, <c>.diagnostics</c>, holds the exact output; in <c>good/</c> there is no output at all, and
/// <c>.merged</c>, where present, holds the tree as <c>config show</c> prints it. A first line <c># --env NAME</c> chooses an
/// environment. With ACCEPT_ESTATES=1 the expected files are written instead of compared.
/// </summary>
public sealed class EstateFileTests
{
    private static readonly string Folder = Here();

    public static TheoryData<string> Good() => Cases("good");

    public static TheoryData<string> Bad() => Cases("bad");

    [Theory]
    [MemberData(nameof(Good))]
    public void A_good_file_is_accepted_without_a_word(string name)
    {
        var path = Path.Combine(Folder, "good", name);
        var bag = new DiagnosticBag();
        var estate = Check(path, bag);
        Assert.Equal("", Shown(bag));
        Assert.NotNull(estate);
        var merged = Path.ChangeExtension(path, ".merged");
        if (File.Exists(merged)) Compare(merged, ConfigPrinter.Print(estate.Root));
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_bad_file_gets_exactly_its_diagnostics(string name)
    {
        var path = Path.Combine(Folder, "bad", name);
        var bag = new DiagnosticBag();
        Check(path, bag);
        Compare(Path.ChangeExtension(path, ".diagnostics"), Shown(bag));
    }

    /// <summary>The whole check of an estate file, with every section acted on but one: it may not depend on what exists so far.</summary>
    private static LoadedEstate? Check(string path, DiagnosticBag bag)
    {
        var first = File.ReadLines(path).FirstOrDefault() ?? "";
        var environment = first.StartsWith("# --env ", StringComparison.Ordinal) ? first[8..].Trim() : null;
        var variables = new Dictionary<string, string> { ["HOME"] = "/home/owner" };
        var files = new EstateFiles();
        var loaded = EstateLoader.Load(new LoadRequest([path], null, environment, variables), files, bag);
        if (loaded is null) return null;
        var sections = Modules.Sections.Select(s => s with { IsActedOn = s.Name != "dashboard" });
        var context = new ReadContext("estate", path, loaded.Directory, loaded.DirectoryOf, loaded.Variables, new VariableFiles(files, loaded.Variables), [.. sections]);
        EstateReader.Read(loaded.Root, context, bag);
        return loaded;
    }

    private static string Shown(DiagnosticBag bag) =>
        string.Concat(bag.Sorted().Select(d => d.Hint is null ? $"{d}\n" : $"{d}\n  hint: {d.Hint}\n"));

    private static void Compare(string expectedFile, string actual)
    {
        if (Environment.GetEnvironmentVariable("ACCEPT_ESTATES") == "1") File.WriteAllText(expectedFile, actual);
        Assert.Equal(File.ReadAllText(expectedFile), actual);
    }

    private static TheoryData<string> Cases(string folder)
    {
        var root = Path.Combine(Folder, folder);
        var files = Directory.GetFiles(root, "*.yaml").Concat(Directory.GetDirectories(root).Select(d => Path.Combine(d, "stoker.yaml")));
        return [.. files.Select(f => Path.GetRelativePath(root, f)).Order(StringComparer.Ordinal)];
    }

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
