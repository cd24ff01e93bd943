using Stoker.Estates;
using Stoker.Planning;
using Stoker.Runtimes;
using Stoker.Tests.Runtimes;
using Xunit;

namespace Stoker.Drills.Containers;

/// <summary>The promises of every runtime, kept by containers of a real Podman.</summary>
public sealed class PodmanRuntimeTests : RuntimeConformance
{
    public PodmanRuntimeTests() => Assert.SkipWhen(PodmanBox.Missing is not null, PodmanBox.Missing ?? "");

    private protected override IRuntime Runtime { get; } = new ContainerRuntime(new TreeScanner(), TimeProvider.System);

    private protected override IReadOnlyList<string> OwnVariables { get; } = ["HOME", "HOSTNAME", "TERM", "container"];

    private protected override ServicePlan PlanOf(ServiceSpec spec) => new(Contained(spec), "") { Executable = PodmanBox.Podman, Runtime = RuntimeKind.Container };

    private protected override Task<IReadOnlyList<string>> RemainsAsync(string runId) => Task.FromResult<IReadOnlyList<string>>(
        PodmanBox.Run("container", "ls", "-aq", $"--filter=label={ContainerCommand.RunLabel}={runId}").Split('\n', StringSplitOptions.RemoveEmptyEntries));

    private static ServiceSpec Contained(ServiceSpec spec) => spec with
    {
        Image = PodmanBox.Image,
        ContainerName = $"stoker-drill-{Guid.NewGuid():n}",
        ContainerRuntime = PodmanBox.OciRuntime,
        ContainerOptions = [.. spec.ContainerOptions, "--network=host"],
        Ulimits = [new UlimitSpec("nofile", 10000, 10000, default), new UlimitSpec("nproc", 10000, 10000, default)],
    };
}
