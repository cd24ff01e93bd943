using Stoker.Diagnostics;
using Stoker.Estates.Yaml;

namespace Stoker.Cli;

/// <summary>Which estate a verb is about.</summary>
/// <param name="files">Absolute paths, in the order of merging.</param>
internal sealed class EstateChoice(Surroundings world, IReadOnlyList<string> files)
{
    private EstateReading? _reading;
    private string? _env;
    private string? _name;

    public IReadOnlyList<string> Files => files;

    /// <summary><c>-f</c>, else what lies here, else in the nearest directory above that has one. Null when there is none, which is said.</summary>
    public static EstateChoice? Find(Surroundings world, string[] asked, Report report)
    {
        if (asked.Length > 0) return new EstateChoice(world, [.. asked.Select(f => Path.GetFullPath(f, world.CurrentDirectory))]);
        if (EstateLoader.Discover(world.CurrentDirectory, world.Files) is { } found) return new EstateChoice(world, found);
        report.Error(
            $"no estate file: there is no stoker.yaml or compose.yaml in {world.CurrentDirectory} or above",
            "name one with `-f FILE`, or the running estate with `--state DIR`");
        return null;
    }

    /// <summary>The files, read. Once only.</summary>
    public EstateReading Read(string? env)
    {
        if (_reading is null || _env != env) _reading = EstateReading.Of(world, this, env);
        _env = env;
        return _reading;
    }

    /// <summary>
    /// The estate's name, by which its state directory is found; null when only a file with mistakes could tell it, which are said.
    /// </summary>
    /// <remarks>Found once: an invocation has one environment.</remarks>
    public string? Name(string? env, Report report) => _name ??= FindName(env, report);

    private string? FindName(string? env, Report report)
    {
        // An overlay may rename the estate, which only a real reading shows.
        if (env is null && files.Count == 1 && world.Files.Read(files[0], out _) is { } content && EstateNameScan.Scan(content) is EstateNameScan.Outcome.Named named)
            return named.Name;
        var reading = Read(env);
        if (reading.Spec is { } spec) return spec.Name;
        new DiagnosticPrinter(report, null, reading.Directory, int.MaxValue).Print(reading.Bag);
        report.Hint("`--state DIR` finds the daemon without the file");
        return null;
    }
}
