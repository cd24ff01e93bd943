using System.Globalization;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>The third level: what a card computed under a load that lasts, how fast, and how it was meanwhile. Pure.</summary>
internal static class LoadChecks
{
    public const string Clocks = "load_clocks", Throttling = "load_throttling", Temperature = "load_temperature";

    /// <summary>Ours: drivers let a card run at its highest clock only while little is asked of it; under the load of tensor cores three quarters of it are usual.</summary>
    private const double LeastClock = 0.6;

    /// <summary>Ours: so near to where it slows down, a warmer room makes it.</summary>
    private const int NearSlowdown = 5;

    private const string Wrong = "a card that computes wrongly makes wrong answers, and nobody notices", Never = "not told while it worked";

    private static readonly string[] SlowedByHardware = ["hw_slowdown", "hw_thermal", "hw_power_brake"];

    public static IReadOnlyList<ArithmeticKind> Kinds { get; } = [ArithmeticKind.Fp32, ArithmeticKind.Bf16, ArithmeticKind.Fp16];

    /// <summary>What each expects, for those that are not made.</summary>
    public static IReadOnlyList<(string Check, string Expected)> All { get; } =
    [
        .. Kinds.SelectMany(k => new[] { (Results(k), "every bit as it must be"), (Speed(k), "the card's known figure") }),
        (Clocks, "at their height under load"), (Throttling, "not slowed down but by its power"), (Temperature, "below where it slows down"),
    ];

    public static string Word(ArithmeticKind kind) => kind switch
    {
        ArithmeticKind.Fp32 => "fp32",
        ArithmeticKind.Bf16 => "bf16",
        ArithmeticKind.Fp16 => "fp16",
    };

    public static string Results(ArithmeticKind kind) => $"{Word(kind)}_results";

    public static string Speed(ArithmeticKind kind) => $"{Word(kind)}_speed";

    /// <param name="capability">As CUDA tells it; tensor cores are used from 8.0 on.</param>
    /// <param name="unfinished">Why it was ended before its time, in words; null: it was not. Then nothing of it passes.</param>
    public static IEnumerable<DiagFinding> Make(GpuDevice device, int capability, LoadTotals totals, string? unfinished)
    {
        var known = CardCapability.Of(device.Name, device.Memory);
        foreach (var kind in Kinds)
        {
            if (kind != ArithmeticKind.Fp32 && capability < KernelTexts.TensorCapability)
            {
                var none = $"tensor cores are worked on cards of compute capability 8.0 and later; this one has {capability / 10}.{capability % 10}";
                yield return DiagFinding.Unknown(Results(kind), "every bit as it must be", none);
                yield return DiagFinding.Unknown(Speed(kind), "the card's known figure", none);
            }
            else if (totals.Of(kind) is { } done)
            {
                yield return Ended(JudgeResults(done), unfinished);
                yield return Ended(JudgeSpeed(done, known), unfinished);
            }
        }

        if (totals.Kinds.Count == 0) yield break;
        yield return Ended(JudgeClocks(device, totals.Sight), unfinished);
        yield return Ended(JudgeThrottling(totals.Sight), unfinished);
        yield return Ended(JudgeTemperature(device, totals.Sight), unfinished);
    }

    private static DiagFinding Ended(DiagFinding finding, string? unfinished) =>
        unfinished is { } why && finding.Verdict == DiagVerdict.Pass ? finding with { Verdict = DiagVerdict.NotDone, Found = $"{why}; until then {finding.Found}" } : finding;

    private static DiagFinding JudgeResults(KindTotals done)
    {
        var (check, expected) = (Results(done.Kind), "every bit as it must be");
        return done.Wrong == 0
            ? DiagFinding.Pass(check, expected, $"none wrong in {Length(done.Seconds)}")
            : DiagFinding.Fail(check, expected, Text($"{done.Wrong} wrong in {Length(done.Seconds)}"), Wrong, "have the card replaced; before that, see whether it is overclocked or its power fails");
    }

    private static DiagFinding JudgeSpeed(KindTotals done, CardCapability? known)
    {
        var isTensor = done.Kind != ArithmeticKind.Fp32;
        var (speed, check) = (done.Teraflop / done.Seconds, Speed(done.Kind));
        var slowest = Text($"; the slowest part {done.Slowest:0.#}");
        var figure = DiagFigure.Of(speed, "TFLOPS", isTensor ? known?.Tensor : known?.Fp32, known?.Source);
        if (isTensor && known is { NeedsWgmma: true, Tensor: { } most })
        {
            var share = Text($"{speed:0.#} TFLOPS, {speed / most * 100:0} % of {most:0.#}{slowest}");
            var why = $"{share}; this card comes to its figure by instructions that are not used here (wgmma), so the share is not judged";
            return DiagFinding.Unknown(check, "the card's known figure", why) with { Figure = figure };
        }

        var judged = MemoryChecks.Judge(check, figure, isTensor ? Share.Tensor : Share.Fp32, "see what holds its clocks down (`load_throttling`), and whether anybody else is on the card");
        return judged with { Found = judged.Found + slowest };
    }

    private static DiagFinding JudgeClocks(GpuDevice device, LoadSight sight)
    {
        var watts = sight.WattLooks == 0 ? "" : Text($", {sight.Watts / sight.WattLooks:0} W{(sight.Limit is { } limit ? Text($" of {limit:0} W") : "")}");
        if (sight.ClockLooks == 0 || device.SmClockMax is not { } most) return DiagFinding.Unknown(Clocks, "at their height under load", $"{Never}{watts}");
        var (mean, expected) = (sight.Clocks / sight.ClockLooks, Text($"{LeastClock * 100:0} % of {most} MHz"));
        var found = Text($"{mean:0} MHz, {sight.LeastClock} to {sight.MostClock} of {most}{watts}");
        return mean >= most * LeastClock
            ? DiagFinding.Pass(Clocks, expected, found)
            : DiagFinding.Warn(Clocks, expected, found, "it computes at that share of its speed",
                "see `load_throttling`, and `power_limit`; `nvidia-smi -rgc` sets clocks free");
    }

    private static DiagFinding JudgeThrottling(LoadSight sight)
    {
        const string expected = "not slowed down but by its power";
        if (sight.ThrottleLooks == 0) return DiagFinding.Unknown(Throttling, expected, Never);
        var words = string.Join(", ", sight.Throttled
            .OrderByDescending(t => t.Value).ThenBy(t => t.Key, StringComparer.Ordinal)
            .Select(t => Text($"{t.Key} in {Math.Max(1, t.Value * 100.0 / sight.ThrottleLooks):0} % of the time")));
        if (SlowedByHardware.Any(sight.Throttled.ContainsKey))
        {
            return DiagFinding.Fail(Throttling, expected, words, "the card itself slows down, to half or less: too hot, or too little power",
                "see its power connectors and its cooling");
        }

        if (sight.Throttled.ContainsKey("sw_thermal"))
        {
            return DiagFinding.Warn(Throttling, expected, words, "it is held below its speed by heat", "see its fans, the dust in them, and the air in the case");
        }

        if (sight.Throttled.Keys.Any(k => k != "power_cap"))
        {
            return DiagFinding.Warn(Throttling, expected, words, "it is held below its speed",
                "clocks were set: `nvidia-smi -rgc` sets them free; else see `nvidia-smi -q -d PERFORMANCE`");
        }

        return DiagFinding.Pass(Throttling, expected, words.Length == 0 ? "free" : $"{words}, as is usual under full load");
    }

    private static DiagFinding JudgeTemperature(GpuDevice device, LoadSight sight)
    {
        if (sight.Celsius is not { } celsius) return DiagFinding.Unknown(Temperature, "below where it slows down", Never);
        var memory = sight.MemoryCelsius is { } other ? Text($", memory {other} °C") : "";
        if (device.SlowdownCelsius is not { } limit)
        {
            var told = Text($"{celsius} °C at most{memory}; the card does not tell where it slows down");
            return DiagFinding.Unknown(Temperature, "below where it slows down", told);
        }

        var (expected, found) = (Text($"under {limit - NearSlowdown} °C"), Text($"{celsius} °C at most{memory}; slows down at {limit} °C"));
        const string mend = "see its fans, the dust in them, and the air in the case";
        if (celsius >= limit) return DiagFinding.Fail(Temperature, expected, found, "it is too hot and slows itself down", mend);
        return celsius >= limit - NearSlowdown ? DiagFinding.Warn(Temperature, expected, found, "a warmer room makes it slow down", mend) : DiagFinding.Pass(Temperature, expected, found);
    }

    /// <summary>As in <c>40 ms</c>, <c>20 s</c>, <c>30 min</c>, <c>2.5 h</c>.</summary>
    public static string Length(double seconds) =>
        seconds is > 0 and < 1 ? Text($"{seconds * 1000:0} ms")
        : seconds < 120 ? Text($"{seconds:0.#} s")
        : seconds < 7200 ? Text($"{seconds / 60:0.#} min")
        : Text($"{seconds / 3600:0.#} h");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
