using Stoker.Gpus.Diag;
using Stoker.Gpus.Simulation;
using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus.Diag;

public sealed class LongRunTests : IDisposable
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(1);

    private readonly string _directory = Directory.CreateTempSubdirectory("stoker-long-").FullName;
    private readonly List<string> _complaints = [];
    private readonly DiagBed _bed = new();

    public LongRunTests() => _bed.Compute = () => new SimulatedCompute(_bed.Workers);

    private string Path => System.IO.Path.Combine(_directory, "state", "gpu-diag.json");

    [Fact]
    public async Task A_run_that_lasts_goes_round_until_its_time_is_over_and_says_that_it_is_finished()
    {
        var file = File();
        var report = await RunAsync(file, CancellationToken.None);
        Assert.Matches("^none wrong in 3[0-9][0-9] ms$", report.Gpus[0].Findings.Single(f => f.Check == "fp32_results").Found);
        Assert.Null(File().Earlier);
        Assert.Contains("\"finished\":true", System.IO.File.ReadAllText(Path), StringComparison.Ordinal);
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task One_that_was_interrupted_goes_on_where_it_was_and_its_wrong_results_are_not_forgotten()
    {
        using var interrupt = new CancellationTokenSource();
        var begun = 0;
        var worker = _bed.Workers[0];
        _bed.Workers[0] = worker with
        {
            SlipsAt = 3,
            Clock = () =>
            {
                if (++begun > 5000) interrupt.Cancel();
                return 1;
            },
        };
        var broken = await RunAsync(File(), interrupt.Token);
        Assert.True(broken.Interrupted);
        Assert.Matches("^it was interrupted after .* of 1 s; until then 62 TFLOPS", broken.Gpus[DiagBed.H100].Findings.Single(f => f.Check == "fp32_speed").Found);
        Assert.InRange(File().Before(new GpuDevice(0) { Uuid = "GPU-simulated-1" })!.Seconds, 0.001, 0.999);

        _bed.Workers[0] = worker;
        var file = File();
        var whole = await RunAsync(file, CancellationToken.None);
        Assert.Equal(DiagVerdict.Fail, whole.Gpus[DiagBed.H100].Findings.Single(f => f.Check == "fp32_results").Verdict);
        Assert.Equal(DiagVerdict.Pass, whole.Gpus[DiagBed.Rtx].Findings.Single(f => f.Check == "fp32_results").Verdict);
        Assert.Null(File().Earlier);
    }

    [Fact]
    public async Task One_of_another_length_or_one_that_is_to_be_forgotten_begins_anew_and_a_damaged_file_is_told()
    {
        using var interrupt = new CancellationTokenSource();
        _bed.Workers[0] = _bed.Workers[0] with { Clock = () => Cancelled(interrupt) };
        await RunAsync(File(), interrupt.Token);
        Assert.NotNull(File().Earlier);
        Assert.Null(new LongRunFile(Path, TimeSpan.FromSeconds(2), anew: false, TimeProvider.System, _complaints.Add).Earlier);
        Assert.Null(new LongRunFile(Path, Length, anew: true, TimeProvider.System, _complaints.Add).Earlier);
        System.IO.File.WriteAllText(Path, "{\"began\":");
        Assert.Null(File().Earlier);
        Assert.StartsWith("how far an earlier run came cannot be read", Assert.Single(_complaints), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_is_told_once_and_keeps_no_card_from_its_work()
    {
        System.IO.File.WriteAllText(System.IO.Path.Combine(_directory, "state"), "a file");
        var report = await RunAsync(File(), CancellationToken.None);
        Assert.Equal(0, report.NotDone);
        Assert.Single(_complaints);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private LongRunFile File() => new(Path, Length, anew: false, TimeProvider.System, _complaints.Add);

    private Task<DiagReport> RunAsync(LongRunFile file, CancellationToken stop) =>
        _bed.WorkAsync(new DiagSpec(3) { For = Length }, new DiagWatcher { Before = file.Before, See = file.Keep, End = works => file.End(works, stop.IsCancellationRequested) }, stop);

    private static double Cancelled(CancellationTokenSource interrupt)
    {
        interrupt.Cancel();
        return 1;
    }
}
