using Stoker.Diagnostics;
using static Stoker.Diagnostics.Severity;

namespace Stoker.Hosts.Checks;

/// <summary>What can be wrong with declared checks.</summary>
internal static class CheckDiagnostics
{
    public static readonly DiagnosticCode NotOneKind = new("CHK001", Error, "a check of no kind, or of several");
    public static readonly DiagnosticCode UnknownNeed = new("CHK002", Error, "a check that needs one that is not in its list");
    public static readonly DiagnosticCode Circle = new("CHK003", Error, "checks that need each other in a circle");
    public static readonly DiagnosticCode InvalidExpectation = new("CHK004", Error, "an expected value that nothing can be held against");
    public static readonly DiagnosticCode InvalidSubject = new("CHK005", Error, "a check whose subject cannot be read");
    public static readonly DiagnosticCode Contradiction = new("CHK006", Error, "a check of what something absent must be like");
    public static readonly DiagnosticCode UnknownProfile = new("CHK007", Error, "a profile that includes one that does not exist, or itself");
}
