using System.Buffers.Text;
using System.Text;

namespace Stoker.Platform;

/// <summary>How busy the machine's processors are and how full its memory, as /proc tells it. Null where it does not.</summary>
/// <param name="Busy">Ticks of all processors that were not idle, since the start of the machine.</param>
/// <param name="Ticks">All of them.</param>
internal sealed record MachineLoad(long? Busy, long? Ticks, long? MemoryTotal, long? MemoryAvailable)
{
    public static MachineLoad Read()
    {
        var (busy, ticks) = Cpu(ProcFile.ReadText("/proc/stat"));
        var memory = ProcFile.ReadText("/proc/meminfo");
        return new MachineLoad(busy, ticks, Kibibytes(memory, "MemTotal:"), Kibibytes(memory, "MemAvailable:"));
    }

    /// <summary>Of all processors, in percent; null before the second look.</summary>
    public double? PercentSince(MachineLoad? before) =>
        before is { Busy: { } was, Ticks: { } then } && Busy is { } busy && Ticks is { } now && now > then ? Math.Clamp((busy - was) * 100.0 / (now - then), 0, 100) : null;

    /// <summary><c>cpu  user nice system idle iowait irq softirq steal …</c>; waiting for a disk is idle.</summary>
    private static (long? Busy, long? All) Cpu(string? stat)
    {
        if (stat?.Split('\n')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries) is not ["cpu", .. var fields] || fields.Length < 5) return (null, null);
        long all = 0, idle = 0;
        for (var i = 0; i < Math.Min(fields.Length, 8); i++)
        {
            if (!long.TryParse(fields[i], out var ticks)) return (null, null);
            all += ticks;
            if (i is 3 or 4) idle += ticks;
        }

        return (all - idle, all);
    }

    private static long? Kibibytes(string? meminfo, string name)
    {
        var at = meminfo?.IndexOf(name, StringComparison.Ordinal) ?? -1;
        if (at < 0) return null;
        var digits = Encoding.UTF8.GetBytes(meminfo!.AsSpan(at + name.Length).TrimStart().ToString().Split(' ')[0]);
        return Utf8Parser.TryParse(digits, out long kibibytes, out _) ? kibibytes << 10 : null;
    }
}
