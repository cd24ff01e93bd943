using Xunit;

namespace Stoker.Tests.Architecture;

/// <summary>The checkout that the tests run from, as text.</summary>
internal static class Repository
{
    /// <summary>Set to write the generated pages of <c>docs/</c> anew instead of comparing them.</summary>
    private const string WriteSwitch = "STOKER_WRITE_DOCS";

    public static string Root { get; } = FindRoot();

    /// <summary>Every C# file of the program: path from <c>src/Stoker</c>, and lines.</summary>
    public static IReadOnlyList<SourceFile> Sources { get; } = Read("src/Stoker");

    public static IReadOnlyList<SourceFile> Tests { get; } = [.. Read("tests"), .. Read("bench")];

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    public static string ReadText(string relative) => File.ReadAllText(PathOf(relative));

    /// <summary>Text files of the repository that git knows or would add, from the root.</summary>
    public static IEnumerable<string> Files(string pattern) =>
        Directory.EnumerateFiles(Root, pattern, SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file))
            .Where(file => !file.StartsWith("artifacts/", StringComparison.Ordinal) && !file.StartsWith(".git/", StringComparison.Ordinal)
                && !file.Contains("node_modules/", StringComparison.Ordinal));

    /// <summary>Holds a generated page to what the program says; with the switch, writes it.</summary>
    public static void HoldPage(string relative, string generated)
    {
        if (Environment.GetEnvironmentVariable(WriteSwitch) == "1") File.WriteAllText(PathOf(relative), generated);
        var written = File.Exists(PathOf(relative)) ? ReadText(relative) : "";
        Assert.True(generated == written, $"{relative} is not what the program says; write it anew with {WriteSwitch}=1 ./test Architecture");
    }

    private static List<SourceFile> Read(string folder) =>
        !Directory.Exists(PathOf(folder)) ? [] :
        [
            .. Directory.EnumerateFiles(PathOf(folder), "*.cs", SearchOption.AllDirectories)
                .Select(file => new SourceFile(Path.GetRelativePath(PathOf(folder), file), File.ReadAllLines(file)))
                .OrderBy(file => file.Path, StringComparer.Ordinal),
        ];

    private static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Stoker.slnx"))) return at.FullName;
        }

        throw new InvalidOperationException($"no Stoker.slnx above {AppContext.BaseDirectory}");
    }
}

internal sealed record SourceFile(string Path, string[] Lines)
{
    /// <summary>The capability it belongs to; empty for files at the root.</summary>
    public string Folder => Path.Contains('/') ? Path[..Path.IndexOf('/')] : "";

    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);
}
