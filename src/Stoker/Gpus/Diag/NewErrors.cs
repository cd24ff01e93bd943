using System.Globalization;
using Stoker.Gpus.Healing;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>Errors that a card's own counters and the kernel's log have since it was put to work.</summary>
internal static class NewErrors
{
    public const string Check = "new_errors";

    private const string Expected = "none since it was put to work";

    public static DiagFinding NotDone(WorkRefusal refusal) => DiagFinding.NotDone(Check, Expected, refusal.Why, refusal.Mend);

    public static async Task<DiagFinding> LookAsync(GpuDevice device, GpuReading before, MachineSight machine, GpuDoor door, DiagDoors doors)
    {
        var reply = await door.AskAsync(driver => driver.ReadNow());
        var now = (reply as GpuReply<IReadOnlyList<GpuReading>>.Told)?.Value.FirstOrDefault(r => r.Index == device.Index);
        var xidsBefore = machine.Xids?.Count(x => IsOurs(x, device));
        var xidsAfter = doors.XidLines()?.Select(KernelLine.Parse).Count(x => x is not null && IsOurs(x, device));
        return Judge(device, before, now, xidsBefore, xidsAfter);
    }

    /// <param name="after">Null: the driver did not tell.</param>
    /// <param name="xidsBefore">Of this card; null where the log may not be read.</param>
    public static DiagFinding Judge(GpuDevice device, GpuReading before, GpuReading? after, int? xidsBefore, int? xidsAfter)
    {
        const string why = "an error under load comes again under load", mend = "`nvidia-smi -q` and `dmesg` say more; if it comes again, have the card looked at";
        if (after?.Lost is { } lost)
        {
            return DiagFinding.Fail(Check, Expected, lost, "the card was lost while it worked",
                "reset it (`nvidia-smi --gpu-reset`), else restart the machine; see its power and its cooling");
        }

        if (after is null) return DiagFinding.Unknown(Check, Expected, "the driver does not tell how the card is now");
        List<string> worse = [], minor = [];
        if (after.EccUncorrected > before.EccUncorrected) worse.Add(Text($"{after.EccUncorrected - before.EccUncorrected} that ECC could not mend"));
        if (after.RemapPending == true && before.RemapPending == false) worse.Add("a row of memory waits to be remapped");
        if (xidsAfter > xidsBefore) worse.Add(Text($"{xidsAfter - xidsBefore} lines of Xid in the kernel's log"));
        if (after.EccCorrected > before.EccCorrected) minor.Add(Text($"{after.EccCorrected - before.EccCorrected} that ECC mended"));
        if (after.PcieReplays > before.PcieReplays) minor.Add(Text($"{after.PcieReplays - before.PcieReplays} packets that PCIe sent again"));
        if (worse.Count > 0) return DiagFinding.Fail(Check, Expected, string.Join(", ", worse.Concat(minor)), why, mend);
        if (minor.Count > 0) return DiagFinding.Warn(Check, Expected, string.Join(", ", minor), why, mend);
        List<string> seen = [];
        if (after.EccUncorrected is not null && before.EccUncorrected is not null) seen.Add("ECC");
        if (after.PcieReplays is not null && before.PcieReplays is not null) seen.Add("PCIe");
        if (xidsAfter is not null && xidsBefore is not null && !device.Simulated) seen.Add("the kernel's log");
        return seen.Count == 0
            ? DiagFinding.Unknown(Check, Expected, "the card counts no errors, and the kernel's log may not be read")
            : DiagFinding.Pass(Check, Expected, $"none by {string.Join(", ", seen)}");
    }

    private static bool IsOurs(KernelLine line, GpuDevice device) => device.PciBusId is { } bus && line.IsAbout(bus);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
