using System.Globalization;
using Stoker.Gpus.Healing;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>Whether a card's settings are as they should be, who is on it, and what the kernel's log has of it. What wears out is <see cref="CardHealth"/>'s.</summary>
internal static class CardChecks
{
    /// <summary>Lines of it that a finding repeats.</summary>
    private const int MostXids = 4;

    /// <param name="now">Null: the driver did not tell.</param>
    public static IEnumerable<DiagFinding> Make(GpuDevice device, GpuReading? now, MachineSight machine, DiagDoors doors)
    {
        yield return Answers(device, now);
        if (now is null or { Lost: not null })
        {
            // What the log has is the best evidence of why it was lost.
            if (!device.Simulated) yield return Xids(device, machine);
            yield break;
        }

        if (device is { Simulated: false, Minor: { } minor }) yield return MachineChecks.Device("device", $"/dev/nvidia{minor}", machine, doors);
        yield return Persistence(device);
        yield return ComputeMode(device);
        yield return Partitions(device);
        foreach (var finding in CardHealth.Make(device, now)) yield return finding;
        yield return Processes(now, doors);
        if (!device.Simulated) yield return Xids(device, machine);
    }

    /// <summary>Why a field is not known: the card has no such thing, or it was asked and not answered.</summary>
    public static string Silence(GpuDevice device, string field) => Silence(device.NotSupported, device.Problems, field);

    public static string Silence(GpuReading now, string field) => Silence(now.NotSupported, now.Problems, field);

    private static string Silence(IReadOnlyList<string> notSupported, IReadOnlyList<string> problems, string field)
    {
        if (notSupported.Contains(field)) return "the card or its driver does not tell it";
        return problems.FirstOrDefault(p => p.StartsWith(field, StringComparison.Ordinal)) ?? "the driver does not tell it";
    }

    private static DiagFinding Answers(GpuDevice device, GpuReading? now)
    {
        const string check = "answers", expected = "the card answers", why = "a card that does not answer computes nothing";
        if (now?.Lost is { } lost)
        {
            return DiagFinding.Fail(check, expected, lost, why,
                "reset it (`nvidia-smi --gpu-reset`), else restart the machine; if it comes again, see its seat, its power and its cooling");
        }

        if (now is null) return DiagFinding.Fail(check, expected, device.Problems.Count > 0 ? device.Problems[0] : "nothing is told of how it is", why, "`dmesg` says what the driver could not do");
        List<string> problems = [.. device.Problems.Concat(now.Problems).Distinct()];
        return problems.Count == 0
            ? DiagFinding.Pass(check, expected, "it does")
            : DiagFinding.Warn(check, expected, $"not to all that it was asked: {string.Join("; ", problems)}", "what it does not answer is not judged",
                "`nvidia-smi -q` shows whether the driver's own tool fares better");
    }

    private static DiagFinding Persistence(GpuDevice device)
    {
        const string check = "persistence", expected = "on";
        return device.Persistence switch
        {
            true => DiagFinding.Pass(check, expected, "on"),
            false => DiagFinding.Warn(check, expected, "off",
                "the driver sets the card up anew for each first program, which takes seconds, and forgets power limits and clocks",
                "enable nvidia-persistenced, or `nvidia-smi -pm 1`"),
            null => DiagFinding.Unknown(check, expected, Silence(device, "persistence")),
        };
    }

    private static DiagFinding ComputeMode(GpuDevice device)
    {
        const string check = "compute_mode", expected = "default", mend = "`nvidia-smi -c DEFAULT`";
        return device.ComputeMode switch
        {
            null => DiagFinding.Unknown(check, expected, Silence(device, "compute_mode")),
            "default" => DiagFinding.Pass(check, expected, "default"),
            "prohibited" => DiagFinding.Fail(check, expected, "prohibited", "no program may compute on the card", mend),
            var mode => DiagFinding.Warn(check, expected, mode, "one program at a time may use the card, which is right under MPS and else refuses the second", $"{mend}, unless MPS is used"),
        };
    }

    private static DiagFinding Partitions(GpuDevice device)
    {
        const string check = "mig_mode", expected = "as it will be after a reset";
        if (device.Mig is not { } now || device.MigPending is not { } pending) return DiagFinding.Unknown(check, expected, Silence(device, "mig"));
        return now == pending
            ? DiagFinding.Pass(check, expected, now ? "on" : "off")
            : DiagFinding.Warn(check, expected, $"{OnOff(now)} now, {OnOff(pending)} after a reset", "the next reset changes what services find",
                "reset the card when it is convenient, or set the mode back");
    }

    public static string OnOff(bool isOn) => isOn ? "on" : "off";

    private static DiagFinding Processes(GpuReading now, DiagDoors doors)
    {
        const string check = "processes", expected = "none";
        if (now.NotSupported.Contains("processes")) return DiagFinding.Unknown(check, expected, Silence(now, "processes"));
        var others = now.Processes.Where(p => p.Pid != doors.OwnPid).ToList();
        if (others.Count == 0) return DiagFinding.Pass(check, expected, "none");
        var names = string.Join(", ", others.Select(p => Name(p, doors)));
        return DiagFinding.Warn(check, expected, names, "what they use is not free, and figures that are measured beside them are too low",
            "stop them for a diagnosis that measures; `stoker gpu ledger` says whose they are");
    }

    private static string Name(GpuProcess process, DiagDoors doors)
    {
        var memory = process.Memory is { } bytes ? string.Create(CultureInfo.InvariantCulture, $", {bytes >> 20} MiB") : "";
        return string.Create(CultureInfo.InvariantCulture, $"pid {process.Pid} ({doors.CommandOf(process.Pid) ?? "not seen from here"}, {process.Kind}{memory})");
    }

    private static DiagFinding Xids(GpuDevice device, MachineSight machine)
    {
        const string check = "kernel_log", expected = "no Xid of this card";
        if (machine.Xids is not { } lines) return DiagFinding.Unknown(check, expected, "the kernel's log may not be read", "ask as root, or let this user: `sysctl kernel.dmesg_restrict=0`");
        if (device.PciBusId is null) return DiagFinding.Unknown(check, expected, "the card does not tell its place on PCI, by which the log names it");
        var ours = lines.Where(line => line.IsAbout(device.PciBusId)).ToList();
        if (ours.Count == 0) return DiagFinding.Pass(check, expected, "none in what the kernel still has");
        var worst = ours.Max(line => XidTable.Find(line.Xid)?.Action ?? XidAction.Nothing);
        var kinds = ours.GroupBy(line => line.Xid).OrderByDescending(g => XidTable.Find(g.Key)?.Action ?? XidAction.Nothing).ThenBy(g => g.Key).ToList();
        var found = string.Join(", ", kinds.Take(MostXids).Select(g => $"{g.Count()}x Xid {g.Key} ({XidTable.Find(g.Key)?.Means ?? "not in the table"})"))
            + (kinds.Count > MostXids ? $" and {kinds.Count - MostXids} more kinds" : "");
        return worst >= XidAction.ResetGpu
            ? DiagFinding.Fail(check, expected, found, "by NVIDIA's catalogue the card needs a reset, or a person", "reset it, or restart the machine; the log keeps the lines until then")
            : DiagFinding.Warn(check, expected, found, "programs of this card failed since the machine started; it may have been their own doing", "`dmesg | grep Xid` names the processes");
    }
}
