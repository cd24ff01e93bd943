using Stoker.Diagnostics;
using static Stoker.Diagnostics.Severity;

namespace Stoker.Hosts.Layers;

/// <summary>What can be wrong with declared layers.</summary>
internal static class LayerDiagnostics
{
    public static readonly DiagnosticCode UnknownNeed = new("LAY001", Error, "a layer that needs one that does not exist");
    public static readonly DiagnosticCode Circle = new("LAY002", Error, "layers that need each other in a circle");
    public static readonly DiagnosticCode UnknownHost = new("LAY003", Error, "a layer of a host that does not exist");
    public static readonly DiagnosticCode NotOneKind = new("LAY004", Error, "a step of a layer of no kind, or of several");
    public static readonly DiagnosticCode RelativePath = new("LAY005", Error, "a path on the host that does not begin at the root");
    public static readonly DiagnosticCode NotOneContent = new("LAY006", Error, "a file of a layer with no content, or with two");
    public static readonly DiagnosticCode InvalidCommand = new("LAY007", Error, "a command of a layer that cannot be split into words");
    public static readonly DiagnosticCode NeedElsewhere = new("LAY008", Error, "a layer that needs one which is not on all its hosts");
    public static readonly DiagnosticCode NotOnePlay = new("LAY009", Error, "a step of Ansible with neither role nor playbook, or with both");
    public static readonly DiagnosticCode UnknownShipped = new("LAY010", Error, "a layer that uses one which Stoker does not have");
    public static readonly DiagnosticCode UnknownParameter = new("LAY011", Error, "a layer that tells the one it uses what that does not ask");
    public static readonly DiagnosticCode InvalidParameter = new("LAY012", Error, "a layer that tells the one it uses what cannot be");
}
