using System.Text.Json.Serialization;

namespace Stoker.Gpus.Diag;

/// <summary>From the best to the worst; unknown is neither, and stands apart.</summary>
internal enum DiagVerdict
{
    Pass,

    /// <summary>It could not be read, or the card has no such thing; in words in <see cref="DiagFinding.Found"/>.</summary>
    Unknown,

    /// <summary>It works, and is not as it should be.</summary>
    Warn,

    /// <summary>It was asked for and was not made, or not to its end; why is in <see cref="DiagFinding.Found"/>.</summary>
    NotDone,

    Fail,
}

/// <summary>What came of one check.</summary>
/// <param name="Check">A word of its own, as in <c>pcie_width</c>.</param>
/// <param name="Why">Why it matters; null where it passed.</param>
/// <param name="Mend">A way to mend it; null where there is nothing to mend, or no way is known.</param>
internal sealed record DiagFinding(string Check, DiagVerdict Verdict, string Expected, string Found, string? Why, string? Mend)
{
    /// <summary>Null where nothing was measured.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DiagFigure? Figure { get; init; }

    public static DiagFinding Pass(string check, string expected, string found) => new(check, DiagVerdict.Pass, expected, found, null, null);

    public static DiagFinding Unknown(string check, string expected, string why, string? mend = null) => new(check, DiagVerdict.Unknown, expected, why, null, mend);

    public static DiagFinding Warn(string check, string expected, string found, string why, string? mend) => new(check, DiagVerdict.Warn, expected, found, why, mend);

    public static DiagFinding NotDone(string check, string expected, string why, string? mend) => new(check, DiagVerdict.NotDone, expected, why, null, mend);

    public static DiagFinding Fail(string check, string expected, string found, string why, string? mend) => new(check, DiagVerdict.Fail, expected, found, why, mend);
}

/// <summary>What was measured, beside what the card's maker says.</summary>
/// <param name="Unit"><c>GB/s</c> or <c>TFLOPS</c>.</param>
/// <param name="Known">Null: no figure of the maker is known here.</param>
/// <param name="Share">Of the known figure; 1 is all of it.</param>
/// <param name="Source">Where the known figure is from.</param>
internal sealed record DiagFigure(double Measured, string Unit, double? Known, double? Share, string? Source)
{
    public static DiagFigure Of(double measured, string unit, double? known, string? source) =>
        new(Math.Round(measured, 2), unit, known, known is { } most ? Math.Round(measured / most, 3) : null, known is null ? null : source);
}
