using Stoker.Drills.Shared;
using Stoker.Runtimes;

namespace Stoker.Drills.Containers;

/// <summary>An estate with a name of its own, whose containers, networks, volumes and images are gone when it is disposed.</summary>
internal sealed class PodmanEstate : IDisposable
{
    private Machine? _machine;

    public string Name { get; } = $"drill{Guid.NewGuid():n}"[..13];

    /// <summary>What a build machine needs of every container, in Compose's own keys.</summary>
    public static string Here => $"{(PodmanBox.OciRuntime is { } runtime ? $"runtime: {runtime}\n    " : "")}ulimits: {{nofile: 10000, nproc: 10000}}";

    public Machine Begin(string estate) => _machine = new Machine(estate);

    /// <summary>A service of one line that runs until it is told to stop.</summary>
    public const string Waiting = """command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.05; done"]""";

    public string[] Containers() => Lines("container", "ls", "-aq", $"--filter=label={ContainerCommand.EstateLabel}={Name}");

    public void Dispose()
    {
        if (PodmanBox.Missing is not null) return;
        _machine?.Dispose();
        // One may go by itself meanwhile.
        foreach (var container in Containers()) PodmanBox.Run("rm", "-f", "-i", "-t", "0", container);
        if (Lines("network", "ls", "-q", $"--filter=label={ContainerCommand.EstateLabel}={Name}") is { Length: > 0 } networks) PodmanBox.Run(["network", "rm", .. networks]);
        if (Lines("volume", "ls", "-q", $"--filter=name={Name}_") is { Length: > 0 } volumes) PodmanBox.Run(["volume", "rm", .. volumes]);
        // Of its own names only: Podman fails to list an image that another estate removes just then.
        if (Lines("image", "ls", $"--filter=reference=localhost/{Name}-*", "--format={{.Repository}}:{{.Tag}}") is { Length: > 0 } images) PodmanBox.Run(["rmi", "-f", .. images]);
    }

    private static string[] Lines(params string[] question) => PodmanBox.Run(question).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
