using System.Text.RegularExpressions;
using Stoker.Platform;

namespace Stoker.Hosts.Facts;

/// <summary>
/// What services run on: container engines, languages, model servers. A version is that of the package which the program came in, and where it came in none, what the program
/// says itself.
/// </summary>
internal static partial class RuntimeReader
{
    private static readonly Runtime[] Known =
    [
        new("docker", ["docker-ce-cli", "docker-ce", "docker.io"]), new("podman", ["podman"]), new("containerd", ["containerd.io", "containerd"]), new("runc", ["runc", "containerd.io"]),
        new("crun", ["crun"]), new("nvidia-ctk", ["nvidia-container-toolkit-base", "nvidia-container-toolkit"]), new("systemctl", ["systemd"]), new("dotnet", []) { Told = OfDotnet },
        new("node", ["nodejs"]), new("java", []) { Told = OfJava }, new("go", ["golang-go"]) { Words = ["version"] }, new("ollama", ["ollama"]),
        new("llama-server", []), new("uv", []), new("conda", ["conda"]), new("nvcc", ["nvidia-cuda-toolkit"]), new("ansible-playbook", ["ansible-core"]),
    ];

    public static async Task<IReadOnlyList<RuntimeFacts>> ReadAsync(FactDoors doors, FactSource source, PackageDatabase packages)
    {
        var answer = await packages.AllAsync();
        if (answer is PackageAnswer.Unknown unknown) source.Note("packages", unknown.Why);
        var found = await Task.WhenAll(Known.Select(async runtime => doors.Find(runtime.Command) is { } path ? new RuntimeFacts(runtime.Name, path, await VersionAsync(runtime, path)) : null));
        return [.. found.OfType<RuntimeFacts>()];

        async Task<string?> VersionAsync(Runtime runtime, string path)
        {
            if (runtime.Told?.Invoke(source, path) is { } told) return told;

            // What lies elsewhere than packages put their programs is another than the package's.
            if (path.StartsWith("/usr/bin/", StringComparison.Ordinal) || path.StartsWith("/usr/sbin/", StringComparison.Ordinal))
            {
                foreach (var package in runtime.Packages)
                {
                    if (await answer.FindAsync(package) is { } installed) return installed.Version;
                }
            }

            var outcome = await doors.Run(path, runtime.Words, FactDoors.ToolLimit);
            if (outcome is ShortCommandOutcome.Ended ended && Number().Match(ended.Output.Length > 0 ? ended.Output : ended.LastError ?? "") is { Success: true } match) return match.Value;
            source.Note($"runtimes.{runtime.Name}.version", $"`{path} {string.Join(' ', runtime.Words)}` {(outcome.IsSuccess ? "tells no number" : outcome.Words)}");
            return null;
        }
    }

    /// <summary>Beside its <c>bin</c> a JDK has <c>release</c>, with <c>JAVA_VERSION="17.0.15"</c>.</summary>
    private static string? OfJava(FactSource source, string path) =>
        source.Follow(path) is { } program && Path.GetDirectoryName(Path.GetDirectoryName(program)) is { } home
            ? TextFields.Assignments(source.Text($"{home}/release") ?? "").GetValueOrDefault("JAVA_VERSION")
            : null;

    /// <summary>Beside the program are its SDKs, each in a directory of its version: the newest.</summary>
    private static string? OfDotnet(FactSource source, string path) =>
        source.Follow(path) is { } program && Path.GetDirectoryName(program) is { } home
            ? source.List($"{home}/sdk").Concat(source.List($"{home}/shared/Microsoft.NETCore.App")).Where(v => Version.TryParse(v.Split('-')[0], out _)).MaxBy(v => Version.Parse(v.Split('-')[0]))
            : null;

    [GeneratedRegex(@"\d+(\.\d+)+[-+.\w]*")]
    private static partial Regex Number();

    /// <param name="Packages">That it may come in, in order.</param>
    private sealed record Runtime(string Command, string[] Packages)
    {
        public string Name => Command == "systemctl" ? "systemd" : Command == "nvidia-ctk" ? "nvidia-container-toolkit" : Command;

        public string[] Words { get; init; } = ["--version"];

        /// <summary>How its version is read without running it; null: it has to be run.</summary>
        public Func<FactSource, string, string?>? Told { get; init; }
    }
}
