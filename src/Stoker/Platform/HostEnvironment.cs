using System.Collections;

namespace Stoker.Platform;

/// <summary>What the machine and the shell tell this process.</summary>
internal static class HostEnvironment
{
    private const int OnlineProcessors = 84, PhysicalPages = 85;

    /// <summary>The environment the program was started with.</summary>
    public static IReadOnlyDictionary<string, string> Variables { get; } = ReadVariables();

    /// <summary>Null when it is not set; empty when it is set to nothing.</summary>
    public static string? Variable(string name) => Variables.TryGetValue(name, out var value) ? value : null;

    public static uint UserId => Libc.EffectiveUser();

    public static uint GroupId => Libc.EffectiveGroup();

    public static bool IsRoot => UserId == 0;

    /// <summary>CAP_SYS_RESOURCE, which root in a container often lacks.</summary>
    public static bool MayRaiseLimits => HasCapability(24);

    public static string HostName => Environment.MachineName;

    /// <summary>Processors this process may use: taskset and cgroup quotas counted in.</summary>
    public static int ProcessorCount => Environment.ProcessorCount;

    /// <summary>Processors of the machine.</summary>
    public static int MachineProcessorCount => (int)Libc.Configuration(OnlineProcessors);

    /// <summary>Bytes of memory of the machine.</summary>
    public static long TotalMemory => (long)((ulong)Libc.Configuration(PhysicalPages) * Ticks.PageSize);

    /// <summary>Different after every boot, so that pids and start times of an earlier one are not believed.</summary>
    public static string BootId { get; } = ProcFile.ReadText("/proc/sys/kernel/random/boot_id")?.Trim() ?? "";

    public static string CurrentDirectory => Environment.CurrentDirectory;

    public static int ProcessId => Environment.ProcessId;

    /// <summary>The file that runs; after an upgrade in place the path of the new one.</summary>
    public static string ExecutablePath =>
        Environment.ProcessPath ?? throw new InvalidOperationException("the path of the running program is not known");

    /// <summary>Ends the program now, with this exit code.</summary>
    public static void Exit(int code) => Environment.Exit(code);

    private static bool HasCapability(int number)
    {
        const string field = "CapEff:";
        var line = (ProcFile.ReadText("/proc/thread-self/status") ?? "").Split('\n').FirstOrDefault(text => text.StartsWith(field, StringComparison.Ordinal));
        return line is not null && (Convert.ToUInt64(line[field.Length..].Trim(), 16) >> number & 1) == 1;
    }

    // A plain loop: LINQ over DictionaryEntry would be compiled anew at every start of the program.
    private static Dictionary<string, string> ReadVariables()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables()) variables[(string)entry.Key] = (string?)entry.Value ?? "";
        return variables;
    }
}
