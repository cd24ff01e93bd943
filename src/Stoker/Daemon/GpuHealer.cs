using Stoker.Estates;
using Stoker.Gpus;
using Stoker.Gpus.Healing;
using Stoker.Platform;
using Stoker.Platform.Gpus;
using Stoker.Supervision;

namespace Stoker.Daemon;

/// <summary>Does what <see cref="HealingPolicy"/> decides when a card fails, and writes down why, for each service it touches.</summary>
internal sealed class GpuHealer(SupervisionDoors doors, Supervisor supervisor)
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ResetPatience = TimeSpan.FromMinutes(1);

    private HealingState _state = HealingState.Fresh;

    /// <param name="reset">How a simulated card is reset; null: as a real one.</param>
    public void Meet(GpuDocument gpu, GpuIncident incident, string? share, HealingMode mode, Action? reset)
    {
        var name = $"GPU {gpu.Index} ({gpu.Name}{(gpu.Simulated ? ", simulated" : "")})";
        if (incident.Kind != GpuEventKind.Xid)
        {
            doors.Journal.Write("gpu_event", $"{name}: {Words(incident.Kind)}");
            return;
        }

        // A card that is lost has no processes any more: those that were given it are its clients too.
        var fact = new HealingFact(doors.Clock.GetUtcNow(), gpu.Device.Uuid ?? name, name, incident.Data, [.. gpu.Services.Where(IsUp)], CulpritOf(gpu, incident.Data), share);
        (_state, var decision) = HealingPolicy.Decide(_state, fact, mode);
        var cause = doors.Journal.Write("gpu_xid", decision.Text);
        foreach (var service in decision.Action == XidAction.Nothing ? fact.Clients : decision.Services)
            doors.Journal.Write(new ServiceName(service), null, decision.Action == XidAction.Nothing ? "gpu_fault" : "gpu_healing", null, decision.Text, cause);
        _ = CarryOutAsync(decision, gpu, name, reset, cause);
    }

    private async Task CarryOutAsync(HealingDecision decision, GpuDocument gpu, string name, Action? reset, long cause)
    {
        List<ServiceName> services = [.. decision.Services.Select(s => new ServiceName(s))];
        switch (decision.Action)
        {
            case XidAction.RestartService or XidAction.RestartClients:
                foreach (var service in services) supervisor.Restart(service);
                break;
            case XidAction.Drain:
                foreach (var service in services) supervisor.Stop(service);
                break;
            case XidAction.ResetGpu:
                foreach (var service in services) supervisor.Stop(service);
                if (!await AreStoppedAsync(services))
                {
                    doors.Journal.Write(null, null, "gpu_reset", null, $"{name} is not reset: its clients did not stop within {StopPatience.TotalSeconds:0} s", cause);
                    break;
                }

                var problem = await ResetAsync(gpu, reset);
                doors.Journal.Write(null, null, "gpu_reset", null, problem is null ? $"{name} was reset" : $"{name} could not be reset: {problem}; its clients stay stopped", cause);
                if (problem is not null) break;
                foreach (var service in services) supervisor.Start(service);
                break;
        }
    }

    private static async Task<string?> ResetAsync(GpuDocument gpu, Action? reset)
    {
        if (reset is not null)
        {
            reset();
            return null;
        }

        if (Executables.Find("nvidia-smi", HostEnvironment.Variable("PATH"), "/") is not { } tool) return "`nvidia-smi` is not installed";
        var outcome = await ShortCommand.RunAsync(tool, ["--gpu-reset", "-i", gpu.Device.Uuid ?? $"{gpu.Device.Index}"], HostEnvironment.Variables, ResetPatience);
        return outcome.IsSuccess ? null : outcome.Words;
    }

    private async Task<bool> AreStoppedAsync(List<ServiceName> services)
    {
        var until = doors.Clock.GetUtcNow() + StopPatience;
        while (true)
        {
            var changed = doors.Board.Changed;
            if (services.TrueForAll(s => !doors.Board.Statuses.TryGetValue(s, out var status) || status.Replicas.All(r => r.Pid is null))) return true;
            var left = until - doors.Clock.GetUtcNow();
            if (left <= TimeSpan.Zero) return false;
            await Task.WhenAny(changed, Task.Delay(left, doors.Clock));
        }
    }

    private bool IsUp(string service) => doors.Board.Statuses.TryGetValue(new ServiceName(service), out var status) && status.Replicas.Any(r => r.Pid is not null);

    /// <summary>The one service on the card is the one; among several the kernel's log may say.</summary>
    private static string? CulpritOf(GpuDocument gpu, long xid)
    {
        if (gpu.Clients.Where(c => c.Owner == "service").Select(c => c.Service).Distinct().ToList() is [var only]) return only;
        if (gpu.Simulated) return null;
        var line = KernelLog.Read(text => text.Contains("NVRM: Xid", StringComparison.Ordinal)).Select(KernelLine.Parse)
            .LastOrDefault(l => l is not null && l.Xid == xid && l.IsAbout(gpu.Device.PciBusId));
        return line?.Pid is { } pid ? gpu.Clients.FirstOrDefault(c => c.Pid == pid && c.Owner == "service")?.Service : null;
    }

    private static string Words(GpuEventKind kind) => kind switch
    {
        GpuEventKind.Xid => "an Xid",
        GpuEventKind.EccCorrected => "a memory error was corrected",
        GpuEventKind.EccUncorrected => "a memory error could not be corrected",
        GpuEventKind.PowerSource => "its source of power changed",
        GpuEventKind.EccStorm => "memory errors come in a storm",
        GpuEventKind.MemoryRetired => "a part of its memory was retired",
        GpuEventKind.RetirementFailed => "a part of its memory could not be retired",
        GpuEventKind.Unavailable => "it is not available",
        GpuEventKind.RecoveryAction => "the driver recommends another recovery: `nvidia-smi -q` tells which",
        GpuEventKind.Other => "an event that this version of Stoker does not know",
    };
}
