using System.Globalization;
using Stoker.Gpus.Diag;
using Stoker.Platform;
using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus.Diag;

public sealed class TrainingCheckTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("stoker-training-").FullName;
    private readonly DiagBed _bed = new();
    private readonly List<(string World, string Rank, string Kind, string Visible)> _workers = [];
    private bool _hasCuda = true;
    private bool _hasTorch = true;
    private Func<int, double> _speed = world => world * 900;
    private bool _fails;

    [Fact]
    public async Task Each_worker_sees_one_card_by_its_UUID_and_two_cards_are_set_beside_one()
    {
        var found = await TrainAsync();
        Assert.Equal([("1", "0"), ("2", "0"), ("2", "1")], _workers.OrderBy(w => w.World).ThenBy(w => w.Rank).Select(w => (w.World, w.Rank)));
        Assert.All(_workers, w => Assert.Equal("cuda", w.Kind));
        Assert.Equal(["GPU-simulated-0", "GPU-simulated-1"], _workers.Where(w => w.World == "2").Select(w => w.Visible).Order());
        Assert.Equal((DiagVerdict.Pass, "100 % of 2 times one (900 samples a second)"), Of(found, "training_scaling"));
        Assert.Equal(DiagVerdict.Pass, Of(found, "training_agrees").Verdict);
    }

    [Fact]
    public async Task Cards_that_lose_by_being_more_fail()
    {
        _speed = world => world == 1 ? 900 : 1400;
        Assert.Equal((DiagVerdict.Fail, "78 % of 2 times one (900 samples a second)"), Of(await TrainAsync(), "training_scaling"));
    }

    [Fact]
    public async Task On_processors_nothing_is_said_of_cards()
    {
        _hasCuda = false;
        var found = await TrainAsync();
        Assert.All(_workers, w => Assert.Equal(("cpu", ""), (w.Kind, w.Visible)));
        Assert.Contains("on 2 processors, because this PyTorch has no CUDA", Of(found, "training_runs").Found, StringComparison.Ordinal);
        Assert.Equal((DiagVerdict.Unknown, DiagVerdict.Unknown), (Of(found, "training_scaling").Verdict, Of(found, "training_busy").Verdict));
    }

    [Fact]
    public async Task A_card_that_is_in_use_does_not_train()
    {
        _bed.Cards.Place(DiagBed.H100, [new Stoker.Gpus.Simulation.SimulatedClient(4711, 1L << 30, 0)]);
        var found = await TrainAsync();
        Assert.Equal("GPU-simulated-0", Assert.Single(_workers).Visible);
        Assert.Equal((DiagVerdict.Unknown, "one card: there is nothing to compare"), Of(found, "training_scaling"));
    }

    [Fact]
    public async Task Without_PyTorch_nothing_of_it_is_done_and_a_training_that_fails_says_why()
    {
        _hasTorch = false;
        Assert.All(await TrainAsync(), f => Assert.Equal((DiagVerdict.NotDone, "no Python with PyTorch is here"), (f.Verdict, f.Found)));
        (_hasTorch, _fails) = (true, true);
        var found = await TrainAsync();
        Assert.Equal((DiagVerdict.Fail, "on 1 card: RuntimeError: NCCL error: unhandled system error"), Of(found, "training_runs"));
        Assert.Equal((DiagVerdict.NotDone, "the training failed"), Of(found, "training_scaling"));
    }

    [Theory]
    [InlineData(95, DiagVerdict.Pass)]
    [InlineData(60, DiagVerdict.Warn)]
    internal void How_busy_the_cards_were_is_judged(int percent, DiagVerdict verdict)
    {
        var outcome = new TrainingOutcome("2.9", 2, 100, 1800, 0, 10, 1, 0.5, Agrees: true);
        Assert.Equal(verdict, TrainingCheck.Judge(outcome with { World = 1, SamplesPerSecond = 900 }, outcome, true, null, [percent, percent]).Single(f => f.Check == "training_busy").Verdict);
    }

    [Fact]
    public void Workers_that_differ_and_a_loss_that_is_no_number_fail()
    {
        var outcome = new TrainingOutcome("2.9", 2, 100, 1800, 0, 10, 1, double.NaN, Agrees: false);
        var found = TrainingCheck.Judge(outcome with { World = 1, SamplesPerSecond = 900 }, outcome, true, null, [95]);
        Assert.Equal((DiagVerdict.Fail, DiagVerdict.Fail), (Of(found, "training_runs").Verdict, Of(found, "training_agrees").Verdict));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static (DiagVerdict Verdict, string Found) Of(IReadOnlyList<DiagFinding> findings, string check)
    {
        var finding = findings.Single(f => f.Check == check);
        return (finding.Verdict, finding.Found);
    }

    private async Task<IReadOnlyList<DiagFinding>> TrainAsync()
    {
        _workers.Clear();
        _bed.Variables["PATH"] = "/usr/bin";
        using var door = new GpuDoor(() => _bed.Opening, TimeProvider.System, TimeSpan.FromMinutes(1));
        var doors = _bed.Doors with { CanRun = path => path == "/usr/bin/python3", Run = RunAsync };
        return (await DiagModule.MakeAsync(door, doors, TimeProvider.System, new DiagSpec(1) { Training = new TrainingSpec(null, _directory) }, DiagWatcher.None, CancellationToken.None)).Training!;
    }

    private Task<ShortCommandOutcome> RunAsync(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, TimeSpan? limit, CancellationToken stop)
    {
        if (arguments.Count == 2) return Task.FromResult<ShortCommandOutcome>(_hasTorch ? Ended(0, _hasCuda ? "cuda\n" : "cpu\n", null) : Ended(1, "", "ModuleNotFoundError: No module named 'torch'"));
        lock (_workers) _workers.Add((arguments[3], arguments[2], arguments[6], environment["CUDA_VISIBLE_DEVICES"]));
        if (_fails) return Task.FromResult<ShortCommandOutcome>(Ended(1, "", "RuntimeError: NCCL error: unhandled system error"));
        var world = int.Parse(arguments[3], CultureInfo.InvariantCulture);
        var told = string.Create(CultureInfo.InvariantCulture,
            $"{{\"torch\": \"2.9\", \"world\": {world}, \"steps\": 100, \"samples_per_second\": {_speed(world)}, \"begun\": 1.5, \"ended\": 2.5, \"loss_first\": 1.0, \"loss_last\": 0.5, \"agrees\": true}}");
        return Task.FromResult<ShortCommandOutcome>(Ended(0, arguments[2] == "0" ? $"a warning\n{told}\n" : "", null));
    }

    private static ShortCommandOutcome.Ended Ended(int code, string output, string? error) => new(ExitStatus.Exited(code), output, error);
}
