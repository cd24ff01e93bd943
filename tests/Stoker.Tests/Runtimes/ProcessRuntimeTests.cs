using Stoker.Estates;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Runtimes;

namespace Stoker.Tests.Runtimes;

public sealed class ProcessRuntimeTests : RuntimeConformance
{
    private protected override IRuntime Runtime { get; } = new ProcessRuntime(new TreeScanner());

    private protected override IReadOnlyList<string> OwnVariables { get; } =
        ["HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "STOKER_STATE", ProcessTree.MarkerVariable];

    private protected override ServicePlan PlanOf(ServiceSpec spec) => new(spec, "") { Executable = spec.Command![0] };
}
