using Stoker.Diagnostics;
using static Stoker.Diagnostics.Severity;

namespace Stoker.Gateway;

/// <summary>Every mistake that <c>gateway:</c> can hold beyond misspelt and misplaced keys, and those of declared keys.</summary>
internal static class GatewayDiagnostics
{
    public static readonly DiagnosticCode InvalidListen = new("GTW001", Error, "an address to listen on that is no IP address with a port");
    public static readonly DiagnosticCode OpenToNetwork = new("GTW002", Error, "a gateway that asks for no keys and listens on a network");
    public static readonly DiagnosticCode NameTaken = new("GTW003", Error, "a service or model that has the gateway's name");
    public static readonly DiagnosticCode UnknownHost = new("GTW004", Error, "a gateway on a host that does not exist");
    public static readonly DiagnosticCode OpenToMachine = new("GTW005", Warning, "a gateway that asks for no keys");
    public static readonly DiagnosticCode UnknownModel = new("GTW006", Error, "a limit of a model that does not exist");
}
