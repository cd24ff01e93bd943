using Stoker.Gpus.Diag;
using Stoker.Gpus.Simulation;
using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus.Diag;

[Collection("fake CUDA")]
public sealed class CardWorkTests
{
    private static readonly string[] OfLevel2 = ["memory_test", "copy_within", "copy_to_card", "copy_from_card", "new_errors"];

    private static readonly string[] OfLevel3 =
    [
        "memory_test", "copy_within", "copy_to_card", "copy_from_card", "fp32_results", "fp32_speed", "bf16_results", "bf16_speed", "fp16_results", "fp16_speed", "load_clocks", "load_throttling", "load_temperature",
        "new_errors",
    ];

    private readonly DiagBed _bed = new();

    public CardWorkTests() => _bed.Compute = () => new SimulatedCompute(_bed.Workers);

    [Theory]
    [InlineData(DiagBed.Rtx)]
    [InlineData(DiagBed.H100)]
    public async Task Cards_that_are_well_pass_all_that_is_known_of_them_and_are_told_apart_by_their_UUID(int index)
    {
        var found = (await _bed.WorkedAsync(index, 3)).SkipWhile(f => f.Check != "memory_test").ToList();
        Assert.Equal(OfLevel3, found.Select(f => f.Check));
        Assert.DoesNotContain(found, f => f.Verdict is DiagVerdict.Fail or DiagVerdict.Warn or DiagVerdict.NotDone);
        // CUDA has the cards in another order than NVML.
        Assert.Equal(index == DiagBed.Rtx ? 1792 : 3350, found[1].Figure!.Known);
        Assert.Equal(index == DiagBed.Rtx ? 0.9 : 0.92, found[1].Figure!.Share!.Value, 0.02);
        Assert.Equal(index == DiagBed.Rtx ? 104.8 : 67, found[5].Figure!.Known);
        Assert.Equal(index == DiagBed.Rtx ? 0.95 : 0.93, found[5].Figure!.Share!.Value, 0.03);
    }

    [Fact]
    public async Task What_Hoppers_tensor_cores_reach_is_told_with_its_share_and_not_judged()
    {
        var found = (await _bed.WorkedAsync(DiagBed.H100, 3)).Single(f => f.Check == "bf16_speed");
        Assert.Equal(DiagVerdict.Unknown, found.Verdict);
        Assert.Matches("^60[01].[0-9] TFLOPS, 61 % of 989;", found.Found);
    }

    [Fact]
    public async Task Level_2_does_no_arithmetic() => Assert.Equal(OfLevel2, (await _bed.WorkedAsync(DiagBed.Rtx, 2)).SkipWhile(f => f.Check != "memory_test").Select(f => f.Check));

    [Fact]
    public async Task Bad_memory_of_one_card_is_found_and_the_other_passes()
    {
        _bed.Workers[0] = _bed.Workers[0] with { StuckBit = (100_000, 17) };
        var report = await _bed.WorkAsync(new DiagSpec(2));
        Assert.Equal((DiagVerdict.Pass, DiagVerdict.Fail), (report.Gpus[DiagBed.Rtx].Verdict, report.Gpus[DiagBed.H100].Verdict));
        Assert.Contains("bit 17", report.Gpus[DiagBed.H100].Findings.Single(f => f.Check == "memory_test").Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_CUDAs_library_each_check_is_told_as_not_done_with_the_reason_and_none_passes()
    {
        _bed.Compute = () => null;
        var report = await _bed.WorkAsync(new DiagSpec(3));
        Assert.Equal((DiagVerdict.NotDone, 2 * OfLevel3.Length), (report.Verdict, report.NotDone));
        foreach (var card in report.Gpus)
        {
            var worked = card.Findings.Where(f => OfLevel3.Contains(f.Check)).ToList();
            Assert.Equal(OfLevel3, worked.Select(f => f.Check));
            Assert.All(worked, f => Assert.Equal((DiagVerdict.NotDone, "there is no CUDA library here (`libcuda.so.1`), which comes with NVIDIA's driver"), (f.Verdict, f.Found)));
        }
    }

    [Fact]
    public async Task A_CUDA_that_does_not_begin_is_told_in_its_words()
    {
        _bed.Compute = () => throw new GpuComputeException("CUDA cannot begin: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH: … (code 803)");
        Assert.StartsWith("CUDA cannot begin: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", (await _bed.WorkedAsync(DiagBed.Rtx, 2)).Single(f => f.Check == "memory_test").Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_card_that_CUDA_does_not_show_and_one_that_is_divided_are_not_tested()
    {
        _bed.Variables["CUDA_VISIBLE_DEVICES"] = "1";
        _bed.Compute = () => new SimulatedCompute([_bed.Workers[0]]);
        _bed.Driver.OfDevice = device => device with { Mig = device.Index == DiagBed.H100 };
        var report = await _bed.WorkAsync(new DiagSpec(2));
        Assert.Equal(("CUDA does not show this card", "`CUDA_VISIBLE_DEVICES` is `1`: unset it"), Of(report.Gpus[DiagBed.Rtx], "memory_test"));
        Assert.StartsWith("the card is divided by MIG", Of(report.Gpus[DiagBed.H100], "memory_test").Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_card_that_somebody_uses_is_not_tested_unless_that_is_asked_for()
    {
        _bed.Cards.Place(DiagBed.Rtx, [new SimulatedClient(4711, 1L << 30, 0), new SimulatedClient(99, 1 << 20, 0)]);
        var spec = new DiagSpec(2) { Services = new Dictionary<string, IReadOnlyList<string>> { ["GPU-simulated-1"] = ["chat"] } };
        var report = await _bed.WorkAsync(spec);
        Assert.Equal("in use by pid 4711 (python3)", Of(report.Gpus[DiagBed.Rtx], "memory_test").Found);
        Assert.Equal("in use by service `chat`", Of(report.Gpus[DiagBed.H100], "memory_test").Found);
        Assert.Equal(2 * OfLevel2.Length, report.NotDone);
        Assert.Equal(0, (await _bed.WorkAsync(spec with { EvenInUse = true })).NotDone);
    }

    [Fact]
    public async Task A_card_of_which_nobody_can_tell_whether_it_is_used_is_not_tested_unasked()
    {
        _bed.Driver.OfReading = reading => reading with { NotSupported = [.. reading.NotSupported, "processes"] };
        Assert.Equal("the driver does not tell whether anybody uses it", Of((await _bed.WorkAsync(new DiagSpec(2))).Gpus[DiagBed.Rtx], "memory_test").Found);
    }

    [Fact]
    public async Task A_card_that_fails_at_work_keeps_what_was_found_and_takes_no_other_along()
    {
        // Seven patterns written and looked for; then, in the copies.
        _bed.Workers[1] = _bed.Workers[1] with { VanishesAfter = 30 };
        var report = await _bed.WorkAsync(new DiagSpec(3));
        var found = report.Gpus[DiagBed.Rtx].Findings;
        Assert.Equal(DiagVerdict.Pass, found.Single(f => f.Check == "memory_test").Verdict);
        Assert.Equal((DiagVerdict.NotDone, "the card failed before"), Verdict(found.Single(f => f.Check == "fp32_results")));
        Assert.Contains("fallen off the bus", found.Single(f => f.Check == "work").Found, StringComparison.Ordinal);
        Assert.DoesNotContain(report.Gpus[DiagBed.H100].Findings, f => f.Verdict is DiagVerdict.Fail or DiagVerdict.NotDone);
    }

    [Fact]
    public async Task A_wrong_result_and_a_card_that_slows_down_are_found()
    {
        _bed.Workers[0] = _bed.Workers[0] with { SlipsAt = 3 };
        _bed.Workers[1] = _bed.Workers[1] with { SlowsAfter = 8 };
        var report = await _bed.WorkAsync(new DiagSpec(3));
        Assert.Matches("^1 wrong in ", report.Gpus[DiagBed.H100].Findings.Single(f => f.Check == "fp32_results").Found);
        var slow = report.Gpus[DiagBed.Rtx].Findings.Single(f => f.Check == "fp32_speed");
        Assert.Equal(DiagVerdict.Fail, slow.Verdict);
        Assert.Contains("; the slowest part 50", slow.Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_interrupts_gets_what_is_known_and_nothing_of_it_passes_that_was_not_done()
    {
        using var interrupt = new CancellationTokenSource();
        _bed.Workers[0] = _bed.Workers[0] with { Clock = () => Interrupted(interrupt) };
        var report = await _bed.WorkAsync(new DiagSpec(3), null, interrupt.Token);
        Assert.True(report.Interrupted);
        var found = report.Gpus[DiagBed.H100].Findings;
        Assert.Equal(DiagVerdict.Pass, found.Single(f => f.Check == "memory_test").Verdict);
        Assert.Matches("^it was interrupted; until then none wrong in ", found.Single(f => f.Check == "fp32_results").Found);
        Assert.Equal((DiagVerdict.NotDone, "it was interrupted"), Verdict(found.Single(f => f.Check == "bf16_results")));
        Assert.DoesNotContain(found, f => f.Check.StartsWith("load_", StringComparison.Ordinal) && f.Verdict == DiagVerdict.Pass);
    }

    [Fact]
    public async Task A_card_that_does_not_come_back_fails_and_the_other_is_told()
    {
        var never = new ManualResetEventSlim();
        _bed.Workers[0] = _bed.Workers[0] with { AtWork = never.Wait };
        // Time goes by when the other one is done: how long that takes is the machine's affair.
        var report = await _bed.WorkAsync(new DiagSpec(2), new DiagWatcher
        {
            See = works =>
            {
                if (works.Single(w => w.Device.Index == DiagBed.Rtx).End.IsCompleted) _bed.Pass(TimeSpan.FromMinutes(2));
            },
        });
        never.Set();
        Assert.Equal(DiagVerdict.Fail, report.Gpus[DiagBed.H100].Verdict);
        Assert.Contains("does not come back", report.Gpus[DiagBed.H100].Findings.Single(f => f.Check == "work").Found, StringComparison.Ordinal);
        Assert.Equal(DiagVerdict.Pass, report.Gpus[DiagBed.Rtx].Verdict);
    }

    [Fact]
    public async Task A_card_without_tensor_cores_of_its_kind_is_unknown_there_and_an_old_one_is_not_tested()
    {
        (_bed.Workers[0], _bed.Workers[1]) = (_bed.Workers[0] with { Capability = 75 }, _bed.Workers[1] with { Capability = 61 });
        var report = await _bed.WorkAsync(new DiagSpec(3));
        Assert.Equal(DiagVerdict.Pass, report.Gpus[DiagBed.H100].Findings.Single(f => f.Check == "fp32_results").Verdict);
        Assert.Equal(DiagVerdict.Unknown, report.Gpus[DiagBed.H100].Findings.Single(f => f.Check == "fp16_results").Verdict);
        Assert.Equal("the tests need compute capability 7.0; this card has 6.1", Of(report.Gpus[DiagBed.Rtx], "fp32_results").Found);
    }

    // From the verb's module down to CUDA's interface, behind which the kernels' own source runs on the processor.
    [Fact]
    public async Task By_CUDAs_interface_both_levels_run_from_end_to_end()
    {
        FakeCuda.Set(6 << 20, isLost: false);
        _bed.Compute = () => CudaCompute.Open(FakeCuda.Library);
        _bed.Driver.OfDevice = device => device.Index == DiagBed.Rtx ? device with { Uuid = "GPU-00112233-4455-6677-8899-aabbccddeeff", Name = "Fake card 0", PcieGeneration = null } : device;
        var report = await _bed.WorkAsync(new DiagSpec(3));
        var found = report.Gpus[DiagBed.Rtx].Findings.Where(f => OfLevel3.Contains(f.Check)).ToDictionary(f => f.Check);
        Assert.Equal(OfLevel3, report.Gpus[DiagBed.Rtx].Findings.Where(f => OfLevel3.Contains(f.Check)).Select(f => f.Check));
        foreach (var check in (string[])["memory_test", "fp32_results", "bf16_results", "fp16_results"]) Assert.Equal((check, DiagVerdict.Pass), (check, found[check].Verdict));
        Assert.True(found["fp32_speed"].Figure!.Measured >= 0 && found["copy_to_card"].Figure!.Measured > 0);
        Assert.Equal("CUDA does not show this card", found.Count > 0 ? Of(report.Gpus[DiagBed.H100], "memory_test").Found : "");
    }

    private static double Interrupted(CancellationTokenSource interrupt)
    {
        interrupt.Cancel();
        return 1;
    }

    private static (string Found, string? Mend) Of(DiagCard card, string check)
    {
        var finding = card.Findings.Single(f => f.Check == check);
        Assert.Equal(DiagVerdict.NotDone, finding.Verdict);
        return (finding.Found, finding.Mend);
    }

    private static (DiagVerdict, string) Verdict(DiagFinding finding) => (finding.Verdict, finding.Found);
}
