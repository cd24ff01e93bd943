using Stoker.Platform;

namespace Stoker.Hosts.Facts;

/// <summary>An installed package.</summary>
internal sealed record InstalledPackage(string Name, string Version);

/// <summary>
/// Which packages a machine has, by the database of its package manager: dpkg's is a text that is read here, rpm's is asked through <c>rpm</c>. Read
/// once and then kept.
/// </summary>
internal sealed class PackageDatabase(FactDoors doors)
{
    private const string Debian = "/var/lib/dpkg/status";

    private readonly Lock _opening = new();
    private Task<PackageAnswer>? _all;

    public Task<PackageAnswer> AllAsync()
    {
        lock (_opening) return _all ??= Task.Run(ReadAsync);
    }

    /// <summary>Paragraphs of fields; only what is <c>install ok installed</c> is there.</summary>
    public static Dictionary<string, InstalledPackage> ParseDebian(string text)
    {
        var packages = new Dictionary<string, InstalledPackage>(StringComparer.Ordinal);
        string? name = null, version = null;
        var isInstalled = false;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.StartsWith("Package: ")) name = line[9..].ToString();
            else if (line.StartsWith("Version: ")) version = line[9..].ToString();
            else if (line.StartsWith("Status: ")) isInstalled = line.EndsWith(" installed");
            else if (line.IsEmpty) End();
        }

        End();
        return packages;

        void End()
        {
            // A package of several architectures stands once for each, with one version.
            if (isInstalled && name is not null && version is not null) packages[name] = new InstalledPackage(name, version);
            (name, version, isInstalled) = (null, null, false);
        }
    }

    private async Task<PackageAnswer> ReadAsync()
    {
        switch (doors.Files.Read(Debian))
        {
            case TreeFile.Found found:
                return new PackageAnswer.Read("dpkg", ParseDebian(found.Text));
            case TreeFile.Refused refused:
                return new PackageAnswer.Unknown($"`{Debian}` {refused.Why}");
        }

        if (doors.Find("rpm") is not { } rpm) return new PackageAnswer.Unknown("neither dpkg's nor rpm's database is here");
        // One short answer rather than all: the output of a tool is kept to its end only.
        return await doors.Run(rpm, ["-q", "rpm", "--qf", "%{NAME}"], FactDoors.ToolLimit) is { IsSuccess: true }
            ? new PackageAnswer.Asked("rpm", name => AskAsync(rpm, name))
            : new PackageAnswer.Unknown("`rpm` does not answer");
    }

    private async Task<InstalledPackage?> AskAsync(string rpm, string name) =>
        await doors.Run(rpm, ["-q", name, "--qf", "%{VERSION}-%{RELEASE} "], FactDoors.ToolLimit) is ShortCommandOutcome.Ended { Status.IsSuccess: true } ended
            ? new InstalledPackage(name, ended.Output.Trim().Split(' ')[^1])
            : null;
}

/// <summary>What the package manager says.</summary>
internal abstract record PackageAnswer
{
    private PackageAnswer()
    {
    }

    internal sealed record Read(string Tool, IReadOnlyDictionary<string, InstalledPackage> Packages) : PackageAnswer;

    internal sealed record Asked(string Tool, Func<string, Task<InstalledPackage?>> Ask) : PackageAnswer;

    internal sealed record Unknown(string Why) : PackageAnswer;

    /// <summary>Null: not installed, or not to be told.</summary>
    public async Task<InstalledPackage?> FindAsync(string name) => this switch
    {
        Read read => read.Packages.GetValueOrDefault(name),
        Asked asked => await asked.Ask(name),
        _ => null,
    };
}
