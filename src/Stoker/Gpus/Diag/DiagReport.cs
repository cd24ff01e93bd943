using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>What <c>stoker gpu diag --json</c> prints.</summary>
/// <param name="Level">The highest that was asked for: 1 is software and settings, 2 memory and copies, 3 arithmetic.</param>
/// <param name="Verdict">The worst of all findings, without those that are unknown.</param>
/// <param name="Driver">Null: it did not tell.</param>
/// <param name="NotDone">Checks that were asked for and not made.</param>
/// <param name="Interrupted">It was ended before all was done.</param>
/// <param name="Machine">What is about all cards.</param>
internal sealed record DiagReport(
    DateTimeOffset At, int Level, DiagVerdict Verdict, string? Driver, string? Cuda, int Passed, int Warned, int Failed, int NotDone, int Unknown, bool Interrupted, IReadOnlyList<DiagFinding> Machine,
    IReadOnlyList<DiagCard> Gpus)
{
    /// <summary>Null: it was not asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<DiagFinding>? Training { get; init; }

    public static DiagReport Of(
        DateTimeOffset at, int level, GpuSystem? system, IReadOnlyList<DiagFinding> machine, IReadOnlyList<DiagCard> gpus, bool interrupted,
        IReadOnlyList<DiagFinding>? training = null)
    {
        List<DiagFinding> all = [.. machine, .. gpus.SelectMany(g => g.Findings), .. training ?? []];
        int Count(DiagVerdict verdict) => all.Count(f => f.Verdict == verdict);
        return new DiagReport(
            at, level, Worst(all), system?.Driver, system?.Cuda, Count(DiagVerdict.Pass), Count(DiagVerdict.Warn), Count(DiagVerdict.Fail),
            Count(DiagVerdict.NotDone), Count(DiagVerdict.Unknown), interrupted, machine, gpus)
        {
            Training = training,
        };
    }

    /// <summary>Unknown only where nothing was found out at all: one thing that a card does not tell says nothing of the others.</summary>
    public static DiagVerdict Worst(IReadOnlyList<DiagFinding> findings)
    {
        var worst = DiagVerdict.Unknown;
        foreach (var finding in findings)
        {
            if (finding.Verdict is DiagVerdict.Unknown) continue;
            if (worst is DiagVerdict.Unknown || finding.Verdict > worst) worst = finding.Verdict;
        }

        return worst;
    }
}

/// <param name="Index">By NVML.</param>
internal sealed record DiagCard(int Index, string? Name, string? Uuid, bool Simulated, DiagVerdict Verdict, IReadOnlyList<DiagFinding> Findings);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DiagReport))]
[JsonSerializable(typeof(LongRun))]
[JsonSerializable(typeof(TrainingOutcome))]
internal sealed partial class DiagJson : JsonSerializerContext
{
    /// <summary>Back-ticks stay as they are; none of it is ever put into HTML.</summary>
    public static DiagJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter<DiagVerdict>(JsonNamingPolicy.SnakeCaseLower), new JsonStringEnumConverter<ArithmeticKind>(JsonNamingPolicy.SnakeCaseLower) },
    });
}
