namespace Stoker.Platform.Gpus;

/// <summary>NVML's reasons for clocks below the highest, as bits, with DCGM's words for them (nvml.h, <c>nvmlClocksEventReasons</c>).</summary>
internal static class ThrottleReasons
{
    public const long Idle = 0x1, AppClocks = 0x2, PowerCap = 0x4, HwSlowdown = 0x8, SyncBoost = 0x10, SwThermal = 0x20, HwThermal = 0x40, PowerBrake = 0x80, Display = 0x100;

    private static readonly (long Bit, string Word)[] Words =
    [
        (Idle, "gpu_idle"), (AppClocks, "clocks_setting"), (PowerCap, "power_cap"), (HwSlowdown, "hw_slowdown"), (SyncBoost, "sync_boost"), (SwThermal, "sw_thermal"),
        (HwThermal, "hw_thermal"), (PowerBrake, "hw_power_brake"), (Display, "display_clocks"),
    ];

    /// <summary>Those that cost speed: being idle does not.</summary>
    public static IReadOnlyList<string> Of(long? reasons) => reasons is { } bits ? [.. Words.Where(w => w.Bit != Idle && (bits & w.Bit) != 0).Select(w => w.Word)] : [];
}
