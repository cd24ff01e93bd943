using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>By what a local service runs.</summary>
/// <param name="StandIn">Why a stand-in runs in its place; null for the real thing.</param>
internal sealed record RuntimeChoice(RuntimeKind Kind, string? StandIn, string? Executable)
{
    /// <summary>A process where its command is installed, a container where a tool is; in a rehearsal a stand-in for what is missing.</summary>
    public static RuntimeChoice For(PlacedService service, GpuGrant gpus, bool rehearse, Observed observed, DiagnosticBag bag)
    {
        var kind = service.Spec.IsContainer ? RuntimeKind.Container : RuntimeKind.Process;
        if (!service.IsLocal) return new RuntimeChoice(kind, null, null);
        var (executable, missing) = service.Spec.IsContainer
            ? ContainerTool(service, rehearse, observed, bag)
            : Command(service, rehearse, observed, bag);
        if (!rehearse) return new RuntimeChoice(kind, null, executable);

        var noGpu = gpus.Missing
            ?? (gpus.Absent.Any()
                ? $"{Words.Plain(gpus.Absent.Select(c => c.Name))} {(gpus.Absent.Count() == 1 ? "is" : "are")} not in this machine"
                : null);
        var reason = missing is null ? noGpu : noGpu is null ? missing : $"{missing}; {noGpu}";
        return reason is null ? new RuntimeChoice(kind, null, executable) : new RuntimeChoice(RuntimeKind.StandIn, reason, null);
    }

    private static (string? Executable, string? Missing) ContainerTool(PlacedService service, bool rehearse, Observed observed, DiagnosticBag bag)
    {
        if (observed.ContainerTool is { } tool) return (tool.Executable, null);
        var what = service.Spec.Image is { } image ? $"image {image}" : $"build {service.Spec.Build!.Context}";
        var problem = observed.ContainerToolProblem ?? "no container tool is installed";
        if (!rehearse)
        {
            bag.Add(
                PlanDiagnostics.NoContainerTool,
                service.Spec.Where,
                $"service `{service.Name}` runs in a container ({what}), and {problem}",
                observed.ContainerToolProblem is null
                    ? "install podman or docker, or rehearse without it: `--rehearse`"
                    : "put it in order, or install podman, which needs no engine, or rehearse without it: `--rehearse`");
        }

        return (null, $"{problem} ({what})");
    }

    private static (string? Executable, string? Missing) Command(PlacedService service, bool rehearse, Observed observed, DiagnosticBag bag)
    {
        // Without a command and an image it cannot run; the reader refuses such a service.
        if (CommandWords.Of(service.Spec) is not [var command, ..]) return (null, null);
        if (!observed.Executables.TryGetValue(command, out var path))
            throw new ArgumentException($"the command `{command}` was not looked up before planning; see CommandWords.ToLookUp", nameof(observed));
        if (path is not null) return TunnelChecks.Check(service, rehearse, observed, bag) is { } problem && rehearse ? (null, problem) : (path, null);
        if (!rehearse)
        {
            bag.Add(
                PlanDiagnostics.NotInstalled,
                service.Spec.CommandWhere ?? service.Spec.Where,
                command.Contains('/', StringComparison.Ordinal)
                    ? $"service `{service.Name}` runs `{command}`, which is not there or not executable"
                    : $"service `{service.Name}` runs `{command}`, which is not in any directory of PATH",
                "install it, or add its directory to PATH, or rehearse without it: `--rehearse`");
        }

        return (null, $"`{command}` is not installed");
    }

    /// <summary>Docker keeps secrets and configs for a swarm only, and none of its commands gives one to a container.</summary>
    public static void CheckExternalMaterials(EstateSpec estate, IEnumerable<PlacedService> services, Observed observed, DiagnosticBag bag)
    {
        if (observed.ContainerTool is not { Name: "docker" }) return;
        foreach (var service in services.Where(s => s.IsLocal && s.Spec.IsContainer))
        {
            Check(service, service.Spec.Secrets, estate.Secrets, "secret");
            Check(service, service.Spec.Configs, estate.Configs, "config");
        }

        void Check(PlacedService service, IReadOnlyList<MaterialUse> uses, IReadOnlyDictionary<string, MaterialSpec> declared, string noun)
        {
            foreach (var use in uses.Where(u => declared.GetValueOrDefault(u.Source) is { External: true }))
            {
                bag.Add(PlanDiagnostics.ExternalWithDocker, use.Where, $"service `{service.Name}` uses external {noun} `{use.Source}`, and Docker keeps {noun}s for a swarm only",
                    $"give the {noun} a `file` or an `environment`, or install podman, which keeps secrets by itself");
            }
        }
    }

    /// <summary>Outside a rehearsal a declared GPU that is not there is an error, once for each card.</summary>
    public static void CheckGpusArePresent(GpuFit fit, bool rehearse, string? problem, DiagnosticBag bag)
    {
        if (rehearse) return;
        foreach (var slot in fit.Slots.Where(s => s.Card.Real is null && s.Holders.Count > 0))
        {
            bag.Add(
                PlanDiagnostics.GpuAbsent,
                slot.Holders[0].Where,
                $"{slot.Card.Name} of host `{slot.Card.Host}` {(problem is null ? "is not in this machine" : "cannot be found")}, and {Words.List(slot.Holders.Select(h => h.Owner))} "
                    + (slot.Holders.Count == 1 ? "asks for it" : "ask for it")
                    + (problem is null ? "" : $": {problem}"),
                "check it with `nvidia-smi -L`, correct `hosts:`, or rehearse without it: `--rehearse`");
        }
    }
}
