using Stoker.Diagnostics;
using static Stoker.Diagnostics.Severity;

namespace Stoker.Keys;

/// <summary>Every mistake that can be made in declaring keys; keys that nobody knows and values of the wrong kind are the estate's own codes.</summary>
internal static class KeyDiagnostics
{
    public static readonly DiagnosticCode Source = new("KEY001", Error, "a declared key that does not say where its secret is, or says it twice");
    public static readonly DiagnosticCode Count = new("KEY002", Error, "a limit or budget that is not a count");
    public static readonly DiagnosticCode Moment = new("KEY003", Error, "an `expires` that is not a date or a time");
    public static readonly DiagnosticCode UnknownModel = new("KEY004", Error, "a key or a limit that names a model which does not exist");
    public static readonly DiagnosticCode Unreadable = new("KEY005", Error, "the secret of a declared key cannot be read");
    public static readonly DiagnosticCode Weak = new("KEY006", Error, "the secret of a declared key is too short or has characters that a header cannot carry");
    public static readonly DiagnosticCode Clash = new("KEY007", Error, "a declared key whose name or secret another key has");
    public static readonly DiagnosticCode UnknownStream = new("KEY008", Error, "a key that names a stream which does not exist");
}
