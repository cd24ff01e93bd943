using Stoker.Diagnostics;

namespace Stoker.Daemon;

/// <summary>What can be wrong between the file and the start of its services.</summary>
internal static class DaemonDiagnostics
{
    public static readonly DiagnosticCode MaterialUnreadable = new("DMN001", Severity.Error, "a secret or config that a service uses cannot be read");
}
