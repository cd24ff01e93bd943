namespace Stoker.Gpus.Diag;

/// <summary>From the best to the worst; unknown is neither, and stands apart.</summary>
internal enum DiagVerdict
{
    Pass,

    /// <summary>It could not be read, or the card has no such thing; in words in <see cref="DiagFinding.Found"/>.</summary>
    Unknown,

    /// <summary>It works, and is not as it should be.</summary>
    Warn,

    Fail,
}

/// <summary>What came of one check.</summary>
/// <param name="Check">A word of its own, as in <c>pcie_width</c>.</param>
/// <param name="Why">Why it matters; null where it passed.</param>
/// <param name="Mend">A way to mend it; null where there is nothing to mend, or no way is known.</param>
internal sealed record DiagFinding(string Check, DiagVerdict Verdict, string Expected, string Found, string? Why, string? Mend)
{
    public static DiagFinding Pass(string check, string expected, string found) => new(check, DiagVerdict.Pass, expected, found, null, null);

    public static DiagFinding Unknown(string check, string expected, string why, string? mend = null) => new(check, DiagVerdict.Unknown, expected, why, null, mend);

    public static DiagFinding Warn(string check, string expected, string found, string why, string? mend) => new(check, DiagVerdict.Warn, expected, found, why, mend);

    public static DiagFinding Fail(string check, string expected, string found, string why, string? mend) => new(check, DiagVerdict.Fail, expected, found, why, mend);
}
