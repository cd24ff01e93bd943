using Stoker.Diagnostics;
using static Stoker.Diagnostics.Severity;

namespace Stoker.Estates;

/// <summary>Every mistake that <c>tunnel:</c> can hold beyond misspelt and misplaced keys.</summary>
internal static class TunnelDiagnostics
{
    public static readonly DiagnosticCode InvalidFarEnd = new("TUN001", Error, "the far end of a tunnel is not [USER@]HOST[:PORT]");
    public static readonly DiagnosticCode InvalidForward = new("TUN002", Error, "a forward that is not [ADDRESS:]PORT:HOST:PORT");
    public static readonly DiagnosticCode NotOneKind = new("TUN003", Error, "a tunnel that is of no kind, or of several");
    public static readonly DiagnosticCode NothingForwarded = new("TUN004", Error, "a tunnel through which nothing is forwarded");
    public static readonly DiagnosticCode NotProbed = new("TUN005", Warning, "a tunnel whose other end nothing asks");
    public static readonly DiagnosticCode NotOfThisKind = new("TUN006", Error, "a key that another kind of tunnel has");
    public static readonly DiagnosticCode InvalidProbe = new("TUN007", Error, "a probe of a tunnel that is neither tcp, a path nor a URL");
}
