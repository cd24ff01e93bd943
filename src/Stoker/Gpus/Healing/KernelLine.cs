using System.Globalization;

namespace Stoker.Gpus.Healing;

/// <summary>What the driver writes to the kernel's log, which says more than NVML's event: whose program it was.</summary>
/// <param name="PciBusId">As in <c>0000:01:00</c>.</param>
/// <param name="Pid">Null where the line names none, or an unknown one.</param>
internal sealed record KernelLine(string PciBusId, int Xid, int? Pid)
{
    /// <summary><c>NVRM: Xid (PCI:0000:01:00): 31, pid=4711, name=python3, Ch 00000008, intr …</c>; null for any other line.</summary>
    public static KernelLine? Parse(string line)
    {
        const string begin = "NVRM: Xid (PCI:";
        var at = line.IndexOf(begin, StringComparison.Ordinal);
        if (at < 0) return null;
        var rest = line.AsSpan(at + begin.Length);
        var end = rest.IndexOf("):");
        if (end < 0) return null;
        var bus = rest[..end].ToString();
        rest = rest[(end + 2)..].TrimStart();
        var digits = rest.IndexOfAnyExceptInRange('0', '9') is var stop && stop < 0 ? rest : rest[..stop];
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var xid)) return null;
        return new KernelLine(bus, xid, PidIn(rest));
    }

    /// <summary>The card that it is about has this bus id by NVML: <c>00000000:01:00.0</c>.</summary>
    public bool IsAbout(string? pciBusId) => pciBusId is not null && pciBusId.Contains(PciBusId.Split('.')[0], StringComparison.OrdinalIgnoreCase);

    /// <summary><c>pid=4711</c>, <c>pid='4711'</c> or <c>pid='&lt;unknown&gt;'</c>.</summary>
    private static int? PidIn(ReadOnlySpan<char> text)
    {
        var at = text.IndexOf("pid=");
        if (at < 0) return null;
        var rest = text[(at + 4)..].TrimStart('\'');
        var stop = rest.IndexOfAnyExceptInRange('0', '9');
        return int.TryParse(stop < 0 ? rest : rest[..stop], NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && pid > 0 ? pid : null;
    }
}
