using Stoker.Gpus.Diag;
using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus.Diag;

public sealed class LoadChecksTests
{
    private static readonly GpuDevice Device = new(0) { Name = "NVIDIA GeForce RTX 4090", Memory = 24L << 30, SmClockMax = 3105, SlowdownCelsius = 90 };

    private static readonly GpuReading Well = new(0) { SmClock = 2600, Watts = 440, PowerLimit = 450, Celsius = 70, Throttle = ThrottleReasons.PowerCap };

    public static TheoryData<string, string, string> Seen => new()
    {
        { "well", "load_clocks", "Pass: 2600 MHz, 2600 to 2600 of 3105, 440 W of 450 W" },
        { "well", "load_throttling", "Pass: power_cap in 100 % of the time, as is usual under full load" },
        { "well", "load_temperature", "Pass: 70 °C at most; slows down at 90 °C" },
        { "slow", "load_clocks", "Warn: 1500 MHz, 1500 to 1500 of 3105, 440 W of 450 W" },
        { "hot", "load_temperature", "Fail: 90 °C at most; slows down at 90 °C" },
        { "warm", "load_temperature", "Warn: 86 °C at most; slows down at 90 °C" },
        { "held by heat", "load_throttling", "Warn: sw_thermal in 100 % of the time" },
        { "clocks set", "load_throttling", "Warn: clocks_setting in 100 % of the time" },
        { "braked", "load_throttling", "Fail: hw_power_brake in 100 % of the time" },
        { "silent", "load_clocks", "Unknown: not told while it worked" },
        { "silent", "load_throttling", "Unknown: not told while it worked" },
        { "silent", "load_temperature", "Unknown: not told while it worked" },
    };

    [Theory]
    [MemberData(nameof(Seen))]
    public void What_is_seen_of_a_card_at_work_is_judged(string how, string check, string expected)
    {
        var now = how switch
        {
            "slow" => Well with { SmClock = 1500 },
            "hot" => Well with { Celsius = 90 },
            "warm" => Well with { Celsius = 86 },
            "held by heat" => Well with { Throttle = ThrottleReasons.SwThermal },
            "clocks set" => Well with { Throttle = ThrottleReasons.AppClocks },
            "braked" => Well with { Throttle = ThrottleReasons.PowerBrake | ThrottleReasons.Idle },
            "silent" => new GpuReading(0),
            _ => Well,
        };
        var found = LoadChecks.Make(Device, 89, Totals(LoadSight.None.With(now)), null).Single(f => f.Check == check);
        Assert.Equal(expected, $"{found.Verdict}: {found.Found}");
    }

    [Fact]
    public void Extremes_and_shares_of_the_time_are_of_all_looks()
    {
        var sight = LoadSight.None;
        for (var i = 0; i < 4; i++) sight = sight.With(Well with { SmClock = 2400 + (i * 100), Celsius = 60 + i, Throttle = i == 0 ? ThrottleReasons.SwThermal : 0 });
        var found = LoadChecks.Make(Device, 89, Totals(sight), null).ToDictionary(f => f.Check);
        Assert.Equal("2550 MHz, 2400 to 2700 of 3105, 440 W of 450 W", found["load_clocks"].Found);
        Assert.Equal("sw_thermal in 25 % of the time", found["load_throttling"].Found);
        Assert.StartsWith("63 °C at most", found["load_temperature"].Found, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_ended_before_its_time_never_passes_and_a_fault_stays_a_fault()
    {
        var totals = Totals(LoadSight.None.With(Well)).With(ArithmeticKind.Bf16, new ArithmeticOutcome(150, 150, 3, TimeSpan.FromSeconds(10)));
        var found = LoadChecks.Make(Device, 89, totals, "it was interrupted").ToList();
        Assert.DoesNotContain(found, f => f.Verdict == DiagVerdict.Pass);
        Assert.Equal(DiagVerdict.Fail, found.Single(f => f.Check == "bf16_results").Verdict);
        Assert.Equal("it was interrupted; until then none wrong in 10 s", found.Single(f => f.Check == "fp32_results").Found);
    }

    [Fact]
    public void Speed_is_of_all_rounds_by_their_length()
    {
        var totals = Totals(LoadSight.None).With(ArithmeticKind.Fp32, new ArithmeticOutcome(40, 20, 0, TimeSpan.FromSeconds(30)));
        var found = LoadChecks.Make(Device, 89, totals, null).Single(f => f.Check == "fp32_speed");
        // 10 s at 80 and 30 s at 40.
        Assert.Equal((DiagVerdict.Fail, "50 TFLOPS, 61 %; the slowest part 20"), (found.Verdict, found.Found));
        Assert.Equal(new DiagFigure(50, "TFLOPS", 82.6, 0.605, "NVIDIA Ada GPU Architecture"), found.Figure);
    }

    public static TheoryData<string, string> Errors => new()
    {
        { "none", "Pass: none by ECC, PCIe, the kernel's log" },
        { "replays", "Warn: 7 packets that PCIe sent again" },
        { "mended", "Warn: 2 that ECC mended" },
        { "wrong", "Fail: 1 that ECC could not mend" },
        { "xid", "Fail: 2 lines of Xid in the kernel's log" },
        { "lost", "Fail: GPU is lost" },
        { "silent", "Unknown: the driver does not tell how the card is now" },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public void Errors_since_a_card_was_put_to_work_are_found(string what, string expected)
    {
        var before = new GpuReading(0) { EccCorrected = 5, EccUncorrected = 1, PcieReplays = 3, RemapPending = false };
        var after = what switch
        {
            "replays" => before with { PcieReplays = 10 },
            "mended" => before with { EccCorrected = 7 },
            "wrong" => before with { EccUncorrected = 2 },
            "lost" => new GpuReading(0) { Lost = "GPU is lost" },
            "silent" => null,
            _ => before,
        };
        var found = NewErrors.Judge(Device, before, after, 1, what == "xid" ? 3 : 1);
        Assert.Equal(expected, $"{found.Verdict}: {found.Found}");
    }

    private static LoadTotals Totals(LoadSight sight) => (LoadTotals.None with { Sight = sight }).With(ArithmeticKind.Fp32, new ArithmeticOutcome(80, 79, 0, TimeSpan.FromSeconds(10)));
}
