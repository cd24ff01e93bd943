using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Stoker.Platform;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>What the first worker of a training printed.</summary>
/// <param name="Begun">Of what was measured, in seconds since 1970; so is <paramref name="Ended"/>.</param>
/// <param name="Agrees">All workers have the same network, to the last bit.</param>
internal sealed record TrainingOutcome(string Torch, int World, int Steps, double SamplesPerSecond, double Begun, double Ended, double LossFirst, double LossLast, bool Agrees);

/// <summary>
/// Trains with PyTorch's DistributedDataParallel on one card and on N, each worker a process that sees its own card alone; on processors, with gloo, where no card is free or PyTorch has no CUDA.
/// Says what was reached; what a training on processors reaches says nothing of cards, and is not judged.
/// </summary>
internal static class TrainingCheck
{
    public const string Runs = "training_runs", Agrees = "training_agrees", Scaling = "training_scaling", Utilisation = "training_busy";

    /// <summary>Above it N cards are worth their place; busy for less of the time, something keeps them waiting.</summary>
    private const double LeastScaling = 0.8, LeastBusy = 90;

    private const int ProcessorWorkers = 2;

    private static readonly TimeSpan LookPatience = TimeSpan.FromMinutes(1), Spare = TimeSpan.FromMinutes(5), Pace = TimeSpan.FromSeconds(1);

    private static readonly (string Check, string Expected)[] All =
        [(Runs, "a network trains"), (Agrees, "all workers have the same network"), (Scaling, "above 80 % of as many times one card"), (Utilisation, "cards are busy for 90 % of the time")];

    public static async Task<IReadOnlyList<DiagFinding>> MakeAsync(
        TrainingSpec training, DiagSpec spec, List<(GpuDevice Device, GpuReading? Now)> looked, GpuDoor door, DiagDoors doors, TimeProvider clock,
        CancellationToken stop)
    {
        if (await FindAsync(training, doors, stop) is not { } python)
        {
            var why = training.Python is { } given ? $"`{given}` has no PyTorch" : "no Python with PyTorch is here";
            return NotDone(why, "install it (`pip install torch`), or name the Python that has it: `--python PATH`");
        }

        var free = looked
            .Where(l => l.Device is { Simulated: false, Uuid: not null } && l.Now is { Lost: null }
                && (spec.EvenInUse || WorkRefusal.Users(l.Device, l.Now, spec, doors) is null))
            .Select(l => l.Device).ToList();
        var isOnCards = python.HasCuda && free.Count > 0;
        var workers = isOnCards ? free.Count : ProcessorWorkers;
        var samples = new List<(double At, int Percent)>();
        TrainingOutcome? one = null, all = null;
        foreach (var world in workers == 1 ? new[] { 1 } : [1, workers])
        {
            List<string> cards = isOnCards ? [.. free.Take(world).Select(d => d.Uuid!)] : [];
            samples.Clear();
            var (outcome, problem) = await RunAsync(training, python.Path, world, cards, door, doors, clock, samples, stop);
            if (problem is not null && stop.IsCancellationRequested) return NotDone("it was interrupted", null);
            if (outcome is null) return Failed(world, isOnCards, problem!);
            (one, all) = (one ?? outcome, outcome);
        }

        return Judge(one!, all!, isOnCards, isOnCards ? null : Instead(looked, python.HasCuda), [.. samples.Where(s => s.At >= all!.Begun && s.At <= all.Ended).Select(s => s.Percent)]);
    }

    /// <param name="why">Why processors trained; null: cards did.</param>
    /// <param name="busy">In percent, of the cards that trained, while it was measured.</param>
    public static IReadOnlyList<DiagFinding> Judge(TrainingOutcome one, TrainingOutcome all, bool isOnCards, string? why, IReadOnlyList<int> busy)
    {
        var place = isOnCards ? $"{all.World} cards" : $"{all.World} processors, because {why}";
        var found = new List<DiagFinding>();
        var told = Text($"PyTorch {all.Torch} on {place}: {all.SamplesPerSecond:0} samples a second, {all.Steps} steps, loss from {all.LossFirst:0.###} to {all.LossLast:0.###}");
        found.Add(double.IsFinite(all.LossLast) && double.IsFinite(one.LossLast)
            ? DiagFinding.Pass(Runs, All[0].Expected, told)
            : DiagFinding.Fail(Runs, All[0].Expected, told, "a loss that is no number comes of wrong arithmetic or memory", "see levels 2 and 3 of the cards"));
        found.Add(all.World == 1
            ? DiagFinding.Unknown(Agrees, All[1].Expected, "one worker agrees with itself")
            : all.Agrees
                ? DiagFinding.Pass(Agrees, All[1].Expected, $"{all.World} workers, to the last bit")
                : DiagFinding.Fail(Agrees, All[1].Expected, $"{all.World} workers differ",
                    "what cards tell each other arrives otherwise than it was sent, or one computes wrongly", "see levels 2 and 3 of the cards, and their links"));
        var share = all.SamplesPerSecond / (one.SamplesPerSecond * all.World);
        var scaled = Text($"{share * 100:0} % of {all.World} times one ({one.SamplesPerSecond:0} samples a second)");
        found.Add(
            !isOnCards ? DiagFinding.Unknown(Scaling, All[2].Expected, $"{scaled}; on processors, which says nothing of cards")
            : all.World == 1 ? DiagFinding.Unknown(Scaling, All[2].Expected, "one card: there is nothing to compare")
            : share > LeastScaling ? DiagFinding.Pass(Scaling, All[2].Expected, scaled)
            : DiagFinding.Fail(Scaling, All[2].Expected, scaled, "the more cards, the more of them is lost",
                "see the links between the cards: `nvidia-smi topo -m`, `copy_to_card`, and whether they share a slot's lanes"));
        if (!isOnCards || busy.Count == 0)
        {
            found.Add(DiagFinding.Unknown(Utilisation, All[3].Expected, isOnCards ? "the cards do not tell how busy they are" : "no card trained"));
            return found;
        }

        var mean = busy.Average();
        found.Add(mean >= LeastBusy
            ? DiagFinding.Pass(Utilisation, All[3].Expected, Text($"{mean:0} %"))
            : DiagFinding.Warn(Utilisation, All[3].Expected, Text($"{mean:0} %"), "something keeps the cards waiting: each other, or the machine",
                "see `training_scaling`, and how busy the processors are"));
        return found;
    }

    private static string Instead(List<(GpuDevice Device, GpuReading? Now)> looked, bool hasCuda) =>
        looked.Count == 0 ? "no card is here" : looked.TrueForAll(l => l.Device.Simulated) ? "the cards are simulated" : hasCuda ? "no card is free" : "this PyTorch has no CUDA";

    private static async Task<(TrainingOutcome? Outcome, string? Problem)> RunAsync(
        TrainingSpec training, string python, int world, List<string> cards, GpuDoor door, DiagDoors doors, TimeProvider clock, List<(double At, int Percent)> samples, CancellationToken stop)
    {
        var meeting = Path.Combine(training.Directory, $"training-{doors.OwnPid}-{world}");
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            Files.CreateDirectory(training.Directory);
            Files.Delete(meeting);
            var all = Task.WhenAll(Enumerable.Range(0, world).Select(rank => RunOneAsync(training, python, rank, world, meeting, cards, doors, end)));
            while (!await DiagModule.EndsAsync(all, Pace))
            {
                if (cards.Count == 0) continue;
                var at = clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
                var uuids = await door.AskAsync(driver => driver.ReadDevices()) is GpuReply<IReadOnlyList<GpuDevice>>.Told { Value: var devices }
                    ? devices.Where(d => d.Uuid is { } u && cards.Contains(u)).Select(d => d.Index).ToHashSet()
                    : [];
                samples.AddRange((await DiagModule.ReadAsync(door)).Where(r => uuids.Contains(r.Index) && r.GpuPercent is not null).Select(r => (at, r.GpuPercent!.Value)));
            }

            var outcomes = await all;
            if (outcomes.FirstOrDefault(HasFailed) is { } wrong) return (null, wrong.Words);
            if (outcomes.FirstOrDefault(o => !o.IsSuccess) is { } cut) return (null, cut.Words);
            return Read(((ShortCommandOutcome.Ended)outcomes[0]).Output) is { } told ? (told, null) : (null, "it ended well, and told nothing");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, e.Message);
        }
        finally
        {
            Files.Delete(meeting);
        }
    }

    /// <summary>By itself: what was ended because another had failed is not meant.</summary>
    private static bool HasFailed(ShortCommandOutcome outcome) =>
        outcome is ShortCommandOutcome.Ended { IsSuccess: false } or ShortCommandOutcome.NotStarted or ShortCommandOutcome.Abandoned { After: not null };

    /// <summary>One worker. Where it fails the others are ended, which would wait for it without end.</summary>
    private static async Task<ShortCommandOutcome> RunOneAsync(
        TrainingSpec training, string python, int rank, int world, string meeting, List<string> cards, DiagDoors doors, CancellationTokenSource end)
    {
        var environment = new Dictionary<string, string>(doors.Variables) { ["CUDA_VISIBLE_DEVICES"] = cards.Count > 0 ? cards[rank] : "" };
        string[] arguments = ["-c", Script(), Text($"{rank}"), Text($"{world}"), meeting, Text($"{training.Seconds}"), cards.Count > 0 ? "cuda" : "cpu"];
        var isWell = false;
        try
        {
            var outcome = await doors.Run(python, arguments, environment, TimeSpan.FromSeconds(training.Seconds * 3) + Spare, end.Token);
            isWell = outcome.IsSuccess;
            return outcome;
        }
        finally
        {
            if (!isWell) await end.CancelAsync();
        }
    }

    private static TrainingOutcome? Read(string output)
    {
        try
        {
            return output.Split('\n').LastOrDefault(l => l.StartsWith('{')) is { } line ? JsonSerializer.Deserialize(line, DiagJson.Readable.TrainingOutcome) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The first that has PyTorch.</summary>
    private static async Task<(string Path, bool HasCuda)?> FindAsync(TrainingSpec training, DiagDoors doors, CancellationToken stop)
    {
        List<string> places = training.Python is { } given ? [given] : [];
        if (training.Python is null)
        {
            if (doors.Variables.TryGetValue("VIRTUAL_ENV", out var active) && active.Length > 0) places.Add($"{active}/bin/python3");
            places.AddRange((doors.Variables.GetValueOrDefault("PATH") ?? Executables.DefaultPath).Split(':').Where(p => p.StartsWith('/')).Select(p => $"{p}/python3"));
        }

        foreach (var place in places.Distinct().Where(doors.CanRun))
        {
            const string look = "import torch, torch.distributed; print('cuda' if torch.cuda.is_available() else 'cpu')";
            var outcome = await doors.Run(place, ["-c", look], doors.Variables, LookPatience, stop);
            if (outcome is ShortCommandOutcome.Ended { IsSuccess: true, Output: var output }) return (place, output.Contains("cuda", StringComparison.Ordinal));
        }

        return null;
    }

    private static IReadOnlyList<DiagFinding> NotDone(string why, string? mend) => [.. All.Select(c => DiagFinding.NotDone(c.Check, c.Expected, why, mend))];

    private static IReadOnlyList<DiagFinding> Failed(int world, bool isOnCards, string problem)
    {
        var workers = $"{world} {(isOnCards ? "card" : "processor")}{(world == 1 ? "" : "s")}";
        return
        [
            DiagFinding.Fail(Runs, All[0].Expected, $"on {workers}: {problem}", "what fails here fails every training", "run it by hand, to see all that PyTorch says"),
            .. All.Skip(1).Select(c => DiagFinding.NotDone(c.Check, c.Expected, "the training failed", null)),
        ];
    }

    private static string Script()
    {
        const string name = "Stoker.Gpus.Diag.Training.training.py";
        using var text = Assembly.GetExecutingAssembly().GetManifestResourceStream(name) ?? throw new InvalidOperationException("the program carries no training.py");
        using var reader = new StreamReader(text);
        return reader.ReadToEnd();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
