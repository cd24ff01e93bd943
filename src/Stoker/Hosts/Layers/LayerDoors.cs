using Stoker.Estates;
using Stoker.Hosts.Facts;
using Stoker.Platform;

namespace Stoker.Hosts.Layers;

/// <summary>How layers change a machine beside its files: by the system's own tools.</summary>
/// <param name="ansible">Where playbooks of roles are written; null: nobody may, and Ansible cannot be asked.</param>
internal sealed class LayerDoors(FactDoors machine, string? ansible = null)
{
    private static readonly TimeSpan AccountLimit = TimeSpan.FromMinutes(1), PackageLimit = TimeSpan.FromMinutes(60);

    public FactDoors Machine => machine;

    /// <summary>Which host of the estate this machine is; null: nobody said.</summary>
    public HostName? Host { get; init; }

    /// <exception cref="LayerFailedException">Only root may use it.</exception>
    public string AnsibleDirectory => ansible ?? throw new LayerFailedException("only root can ask Ansible what it would change");

    /// <exception cref="LayerFailedException">It is not installed, did not end in time, or ended badly.</exception>
    public Task<string> AccountAsync(params IReadOnlyList<string> words) => RunAsync(words, AccountLimit);

    /// <summary>apt-get asks nobody, and keeps a configuration that was changed by hand.</summary>
    public Task<string> PackagesAsync(params IReadOnlyList<string> words) =>
        RunAsync(
            [
                "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-q", "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold",
                "-o", "DPkg::Lock::Timeout=120", .. words,
            ],
            PackageLimit,
            $"apt-get {string.Join(' ', words.Where(w => w[0] != '-'))}");

    /// <param name="shown">What it is called in messages; null: by its words.</param>
    /// <param name="reason">Finds in its output why it failed; null, or where there is none: the last line of its errors, else of its output.</param>
    public async Task<string> RunAsync(IReadOnlyList<string> words, TimeSpan limit, string? shown = null, Func<string, string?>? reason = null)
    {
        var text = shown ?? string.Join(' ', words);
        var tool = machine.Find(words[0]) ?? throw new LayerFailedException($"`{words[0]}` is not installed");
        return await machine.List(tool, [.. words.Skip(1)], limit) switch
        {
            ShortCommandOutcome.Ended { Status.IsSuccess: true } ended => ended.Output,
            ShortCommandOutcome.Ended ended => throw new LayerFailedException($"`{text}` {ended.Status}: {reason?.Invoke(ended.Output) ?? ended.LastError ?? Last(ended.Output)}"),
            var outcome => throw new LayerFailedException($"`{text}` {outcome.Words}"),
        };
    }

    /// <summary>Whether a command succeeds; one that is not installed does not.</summary>
    public async Task<bool> SucceedsAsync(IReadOnlyList<string> words, TimeSpan limit) =>
        machine.Find(words[0]) is { } tool && (await machine.Run(tool, [.. words.Skip(1)], limit)).IsSuccess;

    /// <summary>All installed packages, as they are now.</summary>
    public async Task<Dictionary<string, string>> PackagesNowAsync() => await new PackageDatabase(machine).AllAsync() switch
    {
        PackageAnswer.Read read => read.Packages.Values.ToDictionary(p => p.Name, p => p.Version, StringComparer.Ordinal),
        PackageAnswer.Unknown unknown => throw new LayerFailedException(unknown.Why),
        _ => throw new LayerFailedException("only Debian's packages can be changed by layers so far"),
    };

    private static string Last(string output) => output.Trim().Split('\n')[^1];
}

/// <summary>A step of a layer that could not be done, in words; the layer stops there.</summary>
internal sealed class LayerFailedException(string message) : Exception(message);
