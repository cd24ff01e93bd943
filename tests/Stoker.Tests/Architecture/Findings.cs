using Xunit;

namespace Stoker.Tests.Architecture;

/// <summary>House rules fail with every place at once, each on a line of its own.</summary>
internal static class Findings
{
    public static void AreNone(IEnumerable<string?> findings)
    {
        var found = findings.ToList();
        if (found.Count > 0) Assert.Fail($"{found.Count} found:\n" + string.Join('\n', found));
    }
}
