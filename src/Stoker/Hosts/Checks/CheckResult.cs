using System.Text.Json.Serialization;

namespace Stoker.Hosts.Checks;

/// <summary>How an assertion turned out. What could not be looked at is unknown, and never passed.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Verdict>))]
internal enum Verdict
{
    [JsonStringEnumMemberName("passed")]
    Passed,
    [JsonStringEnumMemberName("failed")]
    Failed,
    [JsonStringEnumMemberName("unknown")]
    Unknown,
}

/// <summary>One thing that a check looked at.</summary>
/// <param name="What">In a word or two: <c>mode</c>, <c>version</c>.</param>
/// <param name="Expected">In the words of the file.</param>
/// <param name="Found">Null: nothing could be looked at.</param>
/// <param name="Evidence">Where it was found, or why it was not: <c>statx /etc/passwd</c>.</param>
internal sealed record Finding(string What, string Expected, string? Found, Verdict Verdict, string Evidence);

/// <summary>What a check says in the end.</summary>
/// <param name="Mend">What to do; null when it passed, or nothing is known that helps.</param>
internal sealed record CheckResult(string Name, string Kind, string? Description, Verdict Verdict, IReadOnlyList<Finding> Findings, string? Mend, int Attempts, double TookMs);

/// <summary>Collects what one check found.</summary>
internal sealed class Findings
{
    private readonly List<Finding> _all = [];

    public IReadOnlyList<Finding> All => _all;

    /// <summary>How to mend what failed; the first that is said counts.</summary>
    public string? Mend { get; private set; }

    /// <summary>Failed when anything did, else unknown when anything is, else passed. Nothing looked at is nothing known.</summary>
    public Verdict Verdict =>
        _all.Exists(f => f.Verdict == Verdict.Failed) ? Verdict.Failed : _all.Count == 0 || _all.Exists(f => f.Verdict == Verdict.Unknown) ? Verdict.Unknown : Verdict.Passed;

    public bool Add(string what, string expected, string found, bool isSo, string evidence, string? mend = null)
    {
        _all.Add(new Finding(what, expected, found, isSo ? Verdict.Passed : Verdict.Failed, evidence));
        if (!isSo) Mend ??= mend;
        return isSo;
    }

    public bool Add(string what, Expectation expected, string found, string evidence, string? mend = null) => Add(what, expected.Text, found, expected.IsMetBy(found), evidence, mend);

    /// <param name="make">How what should be there comes to be there, and <paramref name="remove"/> how what should not is done away with.</param>
    public bool Exists(bool wanted, bool isThere, string evidence, string make, string remove) =>
        Add("exists", wanted ? "there" : "absent", isThere ? "there" : "absent", isThere == wanted, evidence, wanted ? make : remove);

    public void Unknown(string what, string expected, string why, string? mend = null)
    {
        _all.Add(new Finding(what, expected, null, Verdict.Unknown, why));
        Mend ??= mend;
    }
}
