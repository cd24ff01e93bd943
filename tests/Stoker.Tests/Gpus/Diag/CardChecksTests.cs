using Stoker.Gpus.Diag;
using Stoker.Gpus.Simulation;
using Stoker.Platform;
using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus.Diag;

public sealed class CardChecksTests
{
    private readonly DiagBed _bed = new();

    [Fact]
    public async Task A_healthy_RTX_5090_passes_all_that_it_can_tell_and_says_what_it_cannot()
    {
        var card = (await _bed.LookAsync()).Gpus[DiagBed.Rtx];
        Assert.Equal(DiagVerdict.Pass, card.Verdict);
        Assert.DoesNotContain(card.Findings, f => f.Verdict is DiagVerdict.Warn or DiagVerdict.Fail);
        Assert.Equal(["mig_mode", "ecc_errors", "remapped_rows", "retired_pages", "temperature"], card.Findings.Where(f => f.Verdict == DiagVerdict.Unknown).Select(f => f.Check));
    }

    [Fact]
    public async Task A_healthy_H100_passes_every_check()
    {
        var card = (await _bed.LookAsync()).Gpus[DiagBed.H100];
        Assert.All(card.Findings, f => Assert.Equal(DiagVerdict.Pass, f.Verdict));
        Assert.Equal(17, card.Findings.Count);
    }

    [Fact]
    public async Task A_card_that_fell_off_the_bus_fails_with_its_reason_and_the_other_is_judged_as_ever()
    {
        _bed.Cards.Raise(DiagBed.H100, 79);
        _bed.Log = ["NVRM: Xid (PCI:0000:21:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."];
        var report = await _bed.LookAsync();
        Assert.Equal((DiagVerdict.Pass, DiagVerdict.Fail, DiagVerdict.Fail), (report.Gpus[DiagBed.Rtx].Verdict, report.Gpus[DiagBed.H100].Verdict, report.Verdict));
        Assert.Equal(["GPU is lost (code 15)", "1x Xid 79 (GPU has fallen off the bus)"], report.Gpus[DiagBed.H100].Findings.Select(f => f.Found));
    }

    public static TheoryData<string, string, string> Altered => new()
    {
        { "persistence off", "persistence", "Warn: off" },
        { "prohibited", "compute_mode", "Fail: prohibited" },
        { "exclusive", "compute_mode", "Warn: exclusive_process" },
        { "mig pending", "mig_mode", "Warn: off now, on after a reset" },
        { "ecc pending", "ecc_mode", "Warn: on now, off after a reset" },
        { "ecc off", "ecc_mode", "Warn: off" },
        { "ecc wrong", "ecc_errors", "Fail: 2 since the driver was loaded; 7 mended" },
        { "ecc ever", "ecc_errors", "Warn: 5 in the card's life, none since the driver was loaded" },
        { "ecc mended", "ecc_errors", "Pass: none; 7 mended" },
        { "remap failed", "remapped_rows", "Fail: remapping failed; 0 for errors that ECC could not mend, 0 for others" },
        { "remap pending", "remapped_rows", "Fail: one waits for a reset; 0 for errors that ECC could not mend, 0 for others" },
        { "remapped", "remapped_rows", "Warn: 3 for errors that ECC could not mend, 0 for others" },
        { "retired", "retired_pages", "Warn: 59" },
        { "worn", "retired_pages", "Fail: 60" },
        { "narrow", "pcie_width", "Warn: x8" },
        { "slow link at work", "pcie_generation", "Warn: 3 while it works" },
        { "slow link at rest", "pcie_generation", "Pass: 1, as idle cards lower it; at work it may be faster" },
        { "replays", "pcie_replays", "Warn: 100" },
        { "power brake", "throttling", "Fail: hw_power_brake" },
        { "power cap", "throttling", "Warn: power_cap" },
        { "clocks set", "throttling", "Warn: clocks_setting" },
        { "capped", "power_limit", "Warn: 300 W" },
        { "raised", "power_limit", "Warn: 720 W" },
        { "warm", "temperature", "Warn: 84 °C, slows down at 89 °C" },
        { "hot", "temperature", "Fail: 89 °C, slows down at 89 °C" },
        { "silent sensor", "temperature", "Unknown: celsius: Unknown Error (code 999)" },
    };

    [Theory]
    [MemberData(nameof(Altered))]
    public async Task Each_fault_of_a_card_is_found_and_told(string fault, string check, string expected)
    {
        (_bed.Driver.OfDevice, _bed.Driver.OfReading) = (device => Worse(fault, device), reading => Worse(fault, reading));
        var found = await _bed.CardAsync(DiagBed.H100, check);
        Assert.Equal(expected, $"{found.Verdict}: {found.Found}");
        Assert.Equal(found.Verdict is DiagVerdict.Warn or DiagVerdict.Fail, found is { Why: not null, Mend: not null });
    }

    [Fact]
    public async Task A_card_at_full_load_and_without_its_fan_is_found_to_slow_down()
    {
        _bed.Cards.Strain(DiagBed.Rtx, load: 1, cooling: 0.3);
        _bed.Pass(TimeSpan.FromMinutes(10));
        var found = await _bed.CardAsync(DiagBed.Rtx, "throttling");
        Assert.Equal((DiagVerdict.Warn, "see its cooling"), (found.Verdict, found.Mend));
        Assert.Contains("sw_thermal", found.Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_processes_are_named_and_the_tool_itself_is_none()
    {
        _bed.Cards.Place(DiagBed.Rtx, [new SimulatedClient(4711, 5L << 30, 0.1), new SimulatedClient(815, 1L << 30, 0), new SimulatedClient(99, 1 << 20, 0)]);
        var found = await _bed.CardAsync(DiagBed.Rtx, "processes");
        Assert.Equal((DiagVerdict.Warn, "pid 4711 (python3, compute, 5120 MiB), pid 815 (not seen from here, compute, 1024 MiB)"), (found.Verdict, found.Found));
    }

    [Fact]
    public async Task A_device_that_the_container_hides_fails_for_its_card_alone()
    {
        _bed.Devices["/dev/nvidia1"] = new DeviceAccess.Refused("the rules of this container or cgroup do not let anybody in", ByContainer: true);
        Assert.Equal(DiagVerdict.Pass, (await _bed.CardAsync(DiagBed.Rtx, "device")).Verdict);
        Assert.Equal(DiagVerdict.Fail, (await _bed.CardAsync(DiagBed.H100, "device")).Verdict);
    }

    [Fact]
    public async Task Faults_in_the_kernels_log_are_counted_and_judged_by_the_worst()
    {
        _bed.Log = ["NVRM: Xid (PCI:0000:01:00): 31, pid=4711, name=python3, Ch 00000008", "NVRM: Xid (PCI:0000:01:00): 31, pid=4711, name=python3, Ch 00000008", "no line of the driver"];
        Assert.Equal((DiagVerdict.Warn, "2x Xid 31 (GPU memory page fault)"), Of(await _bed.CardAsync(DiagBed.Rtx, "kernel_log")));
        _bed.Log = [.. _bed.Log, "NVRM: Xid (PCI:0000:01:00): 95, pid=4711, Uncontained ECC error"];
        Assert.Equal((DiagVerdict.Fail, "1x Xid 95 (uncontained memory error), 2x Xid 31 (GPU memory page fault)"), Of(await _bed.CardAsync(DiagBed.Rtx, "kernel_log")));
        Assert.Equal(DiagVerdict.Pass, (await _bed.CardAsync(DiagBed.H100, "kernel_log")).Verdict);
        _bed.Log = null;
        Assert.Equal(DiagVerdict.Unknown, (await _bed.CardAsync(DiagBed.Rtx, "kernel_log")).Verdict);
    }

    [Fact]
    public async Task A_card_of_which_nothing_is_told_fails_in_the_drivers_words()
    {
        _bed.Driver.OfDevice = device => new GpuDevice(device.Index) { Problems = ["Unknown Error (code 999)"] };
        _bed.Driver.OfReading = reading => reading with { Index = reading.Index + 7 };
        Assert.Equal((DiagVerdict.Fail, "Unknown Error (code 999)"), Of(await _bed.CardAsync(DiagBed.Rtx, "answers")));
    }

    [Fact]
    public async Task A_Jetson_is_unknown_where_it_has_no_such_thing_and_never_fails_for_it()
    {
        _bed.Opening = new GpuOpening.Opened(new SimulatedGpuDriver([new SimulatedCard("Jetson AGX Orin", null, null, null, 0)], TimeProvider.System));
        var card = Assert.Single((await _bed.LookAsync()).Gpus);
        Assert.DoesNotContain(card.Findings, f => f.Verdict is DiagVerdict.Fail or DiagVerdict.Warn);
        Assert.Equal(DiagVerdict.Unknown, card.Findings.Single(f => f.Check == "pcie_width").Verdict);
    }

    private static (DiagVerdict, string) Of(DiagFinding finding) => (finding.Verdict, finding.Found);

    private static GpuDevice Worse(string fault, GpuDevice device) => fault switch
    {
        "persistence off" => device with { Persistence = false },
        "prohibited" => device with { ComputeMode = "prohibited" },
        "exclusive" => device with { ComputeMode = "exclusive_process" },
        "mig pending" => device with { MigPending = true },
        "ecc pending" => device with { EccPending = false },
        "ecc off" => device with { Ecc = false, EccPending = false },
        _ => device,
    };

    private static GpuReading Worse(string fault, GpuReading reading) => fault switch
    {
        "ecc wrong" => reading with { EccUncorrected = 2, EccCorrected = 7 },
        "ecc ever" => reading with { EccUncorrectedEver = 5 },
        "ecc mended" => reading with { EccCorrected = 7 },
        "remap failed" => reading with { RemapFailed = true },
        "remap pending" => reading with { RemapPending = true },
        "remapped" => reading with { RemappedUncorrectable = 3 },
        "retired" => reading with { RetiredBySingleBit = 40, RetiredByDoubleBit = 19 },
        "worn" => reading with { RetiredBySingleBit = 40, RetiredByDoubleBit = 20 },
        "narrow" => reading with { PcieWidth = 8 },
        "slow link at work" => reading with { PcieGeneration = 3, GpuPercent = 80 },
        "slow link at rest" => reading with { PcieGeneration = 1, GpuPercent = 0 },
        "replays" => reading with { PcieReplays = 100 },
        "power brake" => reading with { Throttle = ThrottleReasons.PowerBrake },
        "power cap" => reading with { Throttle = ThrottleReasons.PowerCap },
        "clocks set" => reading with { Throttle = ThrottleReasons.AppClocks },
        "capped" => reading with { PowerLimit = 300 },
        "raised" => reading with { PowerLimit = 720 },
        "warm" => reading with { Celsius = 84 },
        "hot" => reading with { Celsius = 89 },
        "silent sensor" => reading with { Celsius = null, Problems = ["celsius: Unknown Error (code 999)"] },
        _ => reading,
    };
}
