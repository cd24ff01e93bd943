using Stoker.Diagnostics;

namespace Stoker.Planning;

/// <summary>Every kind of mistake and remark that planning finds. Ids are stable; titles appear on the page of codes.</summary>
internal static class PlanDiagnostics
{
    public static readonly DiagnosticCode UnknownHost = Error("PLN001", "the host asked for is not declared");
    public static readonly DiagnosticCode NoHostChosen = Error("PLN002", "the estate has several hosts and none of them is this machine");
    public static readonly DiagnosticCode ServiceWithoutHost = Error("PLN003", "the estate has several hosts and a service names none");
    public static readonly DiagnosticCode UnknownName = Error("PLN004", "the service asked for is not declared");
    public static readonly DiagnosticCode UnknownProfile = Warning("PLN005", "no service has the profile asked for");
    public static readonly DiagnosticCode InactiveDependency = Error("PLN006", "a service depends on one whose profiles are not active");
    public static readonly DiagnosticCode OptionalDependencyMissing = Warning("PLN007", "an optional dependency is not there");
    public static readonly DiagnosticCode UnknownReference = Error("PLN008", "a service refers to something that is not declared");
    public static readonly DiagnosticCode RunsElsewhere = Warning("PLN009", "the service asked for runs on another host");

    public static readonly DiagnosticCode Cycle = Error("PLN010", "services wait for each other");

    public static readonly DiagnosticCode NoContainerTool = Error("PLN020", "a service needs a container tool and none can be used");
    public static readonly DiagnosticCode NotInstalled = Error("PLN021", "the command of a service is not installed");
    public static readonly DiagnosticCode GpuAbsent = Error("PLN022", "a declared GPU is not in this machine");
    public static readonly DiagnosticCode ExternalWithDocker = Error("PLN023", "an external secret or config with Docker");

    public static readonly DiagnosticCode PortClash = Error("PLN030", "two services take the same port");
    public static readonly DiagnosticCode PortHeld = Error("PLN031", "a port is held by something outside the estate");
    public static readonly DiagnosticCode FixedPortOfReplicas = Error("PLN032", "replicas of a container cannot share one published port");
    public static readonly DiagnosticCode RangeTooShort = Error("PLN033", "a range of ports is shorter than the number of replicas");
    public static readonly DiagnosticCode PortOutOfRange = Error("PLN034", "a replica's port is above 65535");
    public static readonly DiagnosticCode LiteralPort = Warning("PLN035", "replicas would all listen on the port written in the command");

    public static readonly DiagnosticCode ReservationsExceedHost = Error("PLN040", "reservations exceed the host");
    public static readonly DiagnosticCode LimitAboveHost = Error("PLN041", "a memory limit is above the host's memory");
    public static readonly DiagnosticCode LimitsExceedHost = Warning("PLN042", "memory limits together exceed the host's memory");
    public static readonly DiagnosticCode CpuLimitAboveHost = Warning("PLN043", "a CPU limit is above the host's processors");

    public static readonly DiagnosticCode TooFewGpus = Error("PLN050", "the host has fewer GPUs than asked for");
    public static readonly DiagnosticCode UnknownGpu = Error("PLN051", "the GPU asked for is not one of the host's");
    public static readonly DiagnosticCode GpuDoesNotFit = Error("PLN052", "a GPU request does not fit beside the others");
    public static readonly DiagnosticCode NoMig = Error("PLN053", "the GPU cannot be partitioned by MIG");
    public static readonly DiagnosticCode GroupShareExceeded = Error("PLN054", "services ask for more GPU than their group has");
    public static readonly DiagnosticCode GpuFitUnproven = Warning("PLN055", "a GPU is shared without knowing how much memory is needed or there");
    public static readonly DiagnosticCode GroupShareUnused = Warning("PLN056", "a group has a GPU share that no service of it asks for");

    public static readonly DiagnosticCode NoMps = Error("PLN057", "a GPU is shared by MPS and its control daemon is not installed");
    public static readonly DiagnosticCode MpsOnSeveralGpus = Error("PLN058", "a service shares several GPUs by MPS");

    public static readonly DiagnosticCode LimitsNotEnforced = Warning("PLN060", "limits cannot be enforced here");
    public static readonly DiagnosticCode UserNotChanged = Warning("PLN061", "the user cannot be changed without root");
    public static readonly DiagnosticCode NiceNotLowered = Warning("PLN062", "a negative nice cannot be set without root");
    public static readonly DiagnosticCode UlimitNotRaised = Warning("PLN063", "hard limits cannot be raised without root");

    public static readonly DiagnosticCode RemoteUnreachable = Error("PLN070", "a dependency on another host cannot be probed from here");

    public static readonly DiagnosticCode TunnelIdentity = Error("PLN080", "the identity of a tunnel is not there, or others may read it");
    public static readonly DiagnosticCode UnknownHostKey = Error("PLN081", "the host key of a tunnel's far end is not known");

    private static DiagnosticCode Error(string id, string title) => new(id, Severity.Error, title);

    private static DiagnosticCode Warning(string id, string title) => new(id, Severity.Warning, title);
}
