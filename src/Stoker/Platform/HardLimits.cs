using System.Globalization;

namespace Stoker.Platform;

/// <summary>The highest limits that a process without privileges may set for its children.</summary>
internal static class HardLimits
{
    /// <summary>What /proc/self/limits calls each limit of <c>ulimits:</c>.</summary>
    private static readonly (string Title, string Name)[] Rows =
    [
        ("Max cpu time", "cpu"), ("Max file size", "fsize"), ("Max data size", "data"), ("Max stack size", "stack"), ("Max core file size", "core"),
        ("Max resident set", "rss"), ("Max processes", "nproc"), ("Max open files", "nofile"), ("Max locked memory", "memlock"),
        ("Max address space", "as"), ("Max file locks", "locks"), ("Max pending signals", "sigpending"), ("Max msgqueue size", "msgqueue"),
        ("Max nice priority", "nice"), ("Max realtime priority", "rtprio"), ("Max realtime timeout", "rttime"),
    ];

    /// <summary>CAP_SYS_RESOURCE, which root has outside of most containers.</summary>
    public static bool MayBeRaised { get; } = HasCapability(24);

    /// <summary>By name as in <c>ulimits:</c>; -1 is unlimited.</summary>
    public static IReadOnlyDictionary<string, long> Own() => Parse(ProcFile.ReadText("/proc/self/limits") ?? "");

    /// <summary>Lines like <c>Max open files            1024                 4096                 files</c>.</summary>
    internal static IReadOnlyDictionary<string, long> Parse(string text)
    {
        var limits = new Dictionary<string, long>();
        foreach (var line in text.Split('\n'))
        {
            var row = Rows.FirstOrDefault(r => line.StartsWith(r.Title, StringComparison.Ordinal));
            if (row.Name is null) continue;
            var fields = line[row.Title.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 2) continue;
            limits[row.Name] = long.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out var hard) ? hard : -1;
        }

        return limits;
    }

    /// <summary>The line <c>CapEff:	000001ffffffffff</c> of /proc/self/status.</summary>
    private static bool HasCapability(int bit)
    {
        var line = (ProcFile.ReadText("/proc/self/status") ?? "").Split('\n').FirstOrDefault(l => l.StartsWith("CapEff:", StringComparison.Ordinal));
        return line is not null && ulong.TryParse(line["CapEff:".Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var effective) && (effective >> bit & 1) == 1;
    }
}
