using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Stoker.Hosts.Checks;

/// <summary>What <c>stoker host check --json</c> and <c>stoker doctor --json</c> print.</summary>
/// <param name="Subject">The host or the profile.</param>
/// <param name="BudgetMs">How long it might have taken; null: as long as it did.</param>
internal sealed record CheckReport(
    string Subject, int Passed, int Failed, int Unknown, double TookMs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? BudgetMs, IReadOnlyList<CheckResult> Checks)
{
    public static CheckReport Of(string subject, IReadOnlyList<CheckResult> results, TimeSpan took, TimeSpan? budget = null) => new(
        subject,
        results.Count(r => r.Verdict == Verdict.Passed),
        results.Count(r => r.Verdict == Verdict.Failed),
        results.Count(r => r.Verdict == Verdict.Unknown),
        Math.Round(took.TotalMilliseconds, 1),
        budget?.TotalMilliseconds,
        results);

    /// <summary>Only what passed is as it should be.</summary>
    [JsonIgnore]
    public bool IsWell => Passed == Checks.Count;

    /// <summary>One finding in words: <c>mode: expected 0600, found 0644 (stat /etc/key)</c>.</summary>
    public static string Sentence(Finding finding) =>
        finding.Found is { } found ? $"{finding.What}: expected {finding.Expected}, found {found} ({finding.Evidence})" : $"{finding.What}: expected {finding.Expected}, not known: {finding.Evidence}";
}

/// <summary>What <c>stoker doctor --profile NAME,NAME --json</c> prints: one report over several profiles.</summary>
/// <param name="Profiles">In the order in which they were made; a check that several have counts in the first.</param>
internal sealed record ProfilesReport(int Passed, int Failed, int Unknown, double TookMs, IReadOnlyList<CheckReport> Profiles)
{
    public static ProfilesReport Of(IReadOnlyList<CheckReport> profiles) =>
        new(profiles.Sum(p => p.Passed), profiles.Sum(p => p.Failed), profiles.Sum(p => p.Unknown), Math.Round(profiles.Sum(p => p.TookMs), 1), profiles);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CheckReport))]
[JsonSerializable(typeof(ProfilesReport))]
[JsonSerializable(typeof(string))]
internal sealed partial class ChecksJson : JsonSerializerContext
{
    public static ChecksJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
