using System.Text;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Yaml;
using Xunit;

namespace Stoker.Tests.Estates.Yaml;

/// <summary>Files in memory under <c>/e</c>, and the short way to load them.</summary>
internal sealed class FakeEstateFiles : IEstateFiles
{
    private readonly Dictionary<string, byte[]> _files = [];

    public Dictionary<string, string> Variables { get; } = [];

    public int Reads { get; private set; }

    public byte[] this[string path]
    {
        set => _files[Path.GetFullPath(path, "/e")] = value;
    }

    public FakeEstateFiles With(string path, string text)
    {
        this[path] = Encoding.UTF8.GetBytes(text);
        return this;
    }

    public FakeEstateFiles WithVariable(string name, string value)
    {
        Variables[name] = value;
        return this;
    }

    public byte[]? Read(string path, out string? problem)
    {
        Reads++;
        problem = _files.ContainsKey(path) ? null : "no such file";
        return _files.GetValueOrDefault(path);
    }

    public bool Exists(string path) => _files.ContainsKey(path);

    public LoadedEstate? Load(DiagnosticBag bag, string? environment, params string[] files)
    {
        string[] names = files.Length == 0 ? ["stoker.yaml"] : files;
        return EstateLoader.Load(new LoadRequest([.. names.Select(f => Path.GetFullPath(f, "/e"))], null, environment, Variables), this, bag);
    }

    /// <summary>Loads without a mistake and prints.</summary>
    public string Print(string? environment = null, params string[] files) => ConfigPrinter.Print(Accepted(environment, files).Root);

    public LoadedEstate Accepted(string? environment = null, params string[] files)
    {
        var bag = new DiagnosticBag();
        var estate = Load(bag, environment, files);
        Assert.Empty(bag.Sorted().Select(d => $"{d} ({d.Hint})"));
        return Assert.IsType<LoadedEstate>(estate);
    }

    /// <summary>Loads and gives the messages, hints left out.</summary>
    public string[] Messages(string? environment = null, params string[] files)
    {
        var bag = new DiagnosticBag();
        Load(bag, environment, files);
        return [.. bag.Sorted().Select(d => d.ToString())];
    }

    /// <summary>The root of one file without a mistake.</summary>
    public static MappingNode Parse(string text) => new FakeEstateFiles().With("stoker.yaml", text).Accepted().Root;
}
