using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>
/// Is a GPU as it should be? Asked of nothing but the driver, so that it works on GeForce cards, where DCGM stops at its first level.
/// <code>
/// DiagDoors (kernel's files, log, processes) ─► MachineSight ─► MachineChecks ─┐
/// GpuDoor ─► GpuSystem, GpuDevice, GpuReading ────────────────► CardChecks ────┴─► DiagFinding: pass, warn, fail, unknown ─► DiagReport
/// </code>
/// Promises: each finding says what was expected, what was found, why it matters and how to mend it; what could not be read is unknown and never passed; a card that
/// fails takes no other card's findings with it. Refuses: to change anything; to call a machine without a GPU well.
/// </summary>
internal static class DiagModule
{
    /// <summary>Software and settings: nothing runs on the cards.</summary>
    public static DiagReport Look(GpuDoor door, DiagDoors doors, TimeProvider clock)
    {
        var machine = MachineSight.Read(doors);
        var reply = door.Ask(driver => new DriverSight(driver.System, driver.ReadDevices(), driver.ReadNow()));
        var sight = (reply as GpuReply<DriverSight>.Told)?.Value;
        var silent = (reply as GpuReply<DriverSight>.Silent)?.Words;
        List<DiagFinding> ofMachine = [.. MachineChecks.Make(machine, sight, silent, doors)];
        List<DiagCard> cards = [];
        foreach (var device in sight?.Devices ?? [])
        {
            var now = sight!.Now.FirstOrDefault(r => r.Index == device.Index);
            List<DiagFinding> findings = [.. CardChecks.Make(device, now, machine, doors)];
            cards.Add(new DiagCard(device.Index, device.Name, device.Uuid, device.Simulated, DiagReport.Worst(findings), findings));
        }

        return DiagReport.Of(clock.GetUtcNow(), sight?.System, ofMachine, cards);
    }
}

/// <summary>What the driver told in one look.</summary>
internal sealed record DriverSight(GpuSystem System, IReadOnlyList<GpuDevice> Devices, IReadOnlyList<GpuReading> Now);
