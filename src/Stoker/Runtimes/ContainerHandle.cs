using Stoker.Platform;

namespace Stoker.Runtimes;

/// <summary>A container by its name, and the tool that has it.</summary>
/// <param name="Tool">Absolute path of <c>podman</c> or <c>docker</c>.</param>
internal sealed record ContainerHandle(string Tool, string Name)
{
    /// <summary>What the tool's client is run with.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = ContainerEnvironment.OfClient(HostEnvironment.Variables);

    public ContainerDialect Dialect => Dialects.Of(Tool);
}

/// <summary>The tools agree on nearly everything; where they do not, this decides.</summary>
internal enum ContainerDialect
{
    Podman,
    Docker,
}

internal static class Dialects
{
    public static ContainerDialect Of(string tool) => Path.GetFileName(tool) == "docker" ? ContainerDialect.Docker : ContainerDialect.Podman;
}
