using Stoker.Diagnostics;
using static Stoker.Diagnostics.Severity;

namespace Stoker.Estates;

/// <summary>
/// Every mistake that reading an estate's specs can find. EST001 to EST049 are about files, YAML and merging, with the one
/// exception of EST021, whose number the manual uses as its example.
/// </summary>
internal static class EstateDiagnostics
{
    public static readonly DiagnosticCode UnknownDependency = new("EST021", Error, "depends_on names a service that does not exist");

    // Keys and values.
    public static readonly DiagnosticCode UnknownKey = new("EST050", Error, "a key that nobody knows");
    public static readonly DiagnosticCode WrongShape = new("EST051", Error, "a list, a mapping or a value stands where something else is expected");
    public static readonly DiagnosticCode WrongValue = new("EST052", Error, "a value that cannot be read as what it should be");
    public static readonly DiagnosticCode OutOfRange = new("EST053", Error, "a number or a duration outside the allowed range");
    public static readonly DiagnosticCode UnknownWord = new("EST054", Error, "a word that is not one of the allowed ones");
    public static readonly DiagnosticCode MissingKey = new("EST055", Error, "a key that is required is missing");
    public static readonly DiagnosticCode InvalidName = new("EST056", Error, "a name with characters that names may not have");
    public static readonly DiagnosticCode Repeated = new("EST057", Error, "the same value twice in a list of distinct values");
    public static readonly DiagnosticCode Refused = new("EST058", Error, "a key or value that Stoker knows and cannot do");
    public static readonly DiagnosticCode NoValue = new("EST059", Error, "a key without a value");

    // Services.
    public static readonly DiagnosticCode NothingToRun = new("EST060", Error, "a service without a command and without an image");
    public static readonly DiagnosticCode UnbalancedCommand = new("EST061", Error, "a command whose quotes or backslashes do not match");
    public static readonly DiagnosticCode EmptyCommand = new("EST062", Error, "a command without a single word");
    public static readonly DiagnosticCode InvalidSignal = new("EST063", Error, "a signal that does not exist");
    public static readonly DiagnosticCode InvalidUser = new("EST064", Error, "a user that is not name|uid[:group|gid]");
    public static readonly DiagnosticCode InvalidPair = new("EST065", Error, "an entry that is not KEY=VALUE");
    public static readonly DiagnosticCode MissingFile = new("EST066", Error, "a file that the service reads cannot be read");
    public static readonly DiagnosticCode InvalidRestart = new("EST067", Error, "a restart policy that does not exist");
    public static readonly DiagnosticCode InvalidReload = new("EST068", Error, "a reload that is neither a signal nor a list of words");
    public static readonly DiagnosticCode InvalidUlimit = new("EST069", Error, "a limit that does not exist, or whose soft value is above the hard one");
    public static readonly DiagnosticCode Contradiction = new("EST070", Error, "two keys that mean the same say different things");
    public static readonly DiagnosticCode Exclusive = new("EST071", Error, "two keys that exclude each other");

    // Ports.
    public static readonly DiagnosticCode InvalidPort = new("EST072", Error, "a port that is not [[IP:]HOST:]CONTAINER[/PROTOCOL]");
    public static readonly DiagnosticCode UnequalRanges = new("EST073", Error, "published and target ranges of different lengths");
    public static readonly DiagnosticCode RepeatedPort = new("EST074", Error, "one service publishes a port twice");
    public static readonly DiagnosticCode NoPortMapping = new("EST075", Warning, "a plain process listens on its published port itself");

    // Healthchecks.
    public static readonly DiagnosticCode SeveralProbes = new("EST080", Error, "a healthcheck of more than one kind");
    public static readonly DiagnosticCode NoProbe = new("EST081", Error, "a healthcheck that does not say what to ask");
    public static readonly DiagnosticCode InvalidTest = new("EST082", Error, "a healthcheck test that is not CMD, CMD-SHELL or NONE");
    public static readonly DiagnosticCode InvalidUrl = new("EST083", Error, "a URL that is not http or https");
    public static readonly DiagnosticCode InvalidAddress = new("EST084", Error, "a tcp healthcheck that is not PORT or HOST:PORT");
    public static readonly DiagnosticCode InvalidPattern = new("EST085", Error, "a regular expression that cannot be read");
    public static readonly DiagnosticCode InvalidGpuCheck = new("EST086", Error, "a gpu healthcheck of a service without a GPU, or with a memory that is no size");

    // References.
    public static readonly DiagnosticCode SelfDependency = new("EST090", Error, "a service or group that depends on itself");
    public static readonly DiagnosticCode NoHealthToWaitFor = new("EST091", Error, "service_healthy on a service without a healthcheck");
    public static readonly DiagnosticCode UnknownGroup = new("EST092", Error, "a group that does not exist");
    public static readonly DiagnosticCode UnknownHost = new("EST093", Error, "a host that does not exist");
    public static readonly DiagnosticCode UnknownMaterial = new("EST094", Error, "a secret or config that does not exist");
    public static readonly DiagnosticCode UnknownVolume = new("EST095", Error, "a volume that does not exist");
    public static readonly DiagnosticCode UnknownNetwork = new("EST096", Error, "a network that does not exist");
    public static readonly DiagnosticCode UnknownModel = new("EST097", Error, "a model that does not exist");
    public static readonly DiagnosticCode UnknownLink = new("EST098", Error, "links names a service that does not exist");

    // Warnings about what will not happen.
    public static readonly DiagnosticCode SectionNotActedOn = new("EST100", Warning, "a section that this version keeps and does not act on");
    public static readonly DiagnosticCode NotForProcesses = new("EST101", Warning, "a key without effect on a plain process");
    public static readonly DiagnosticCode NotForContainers = new("EST102", Warning, "a key without effect on a container");
    public static readonly DiagnosticCode NoEffect = new("EST103", Warning, "a key or value that Stoker knows and does not act on");

    // Secrets, configs, mounts, GPUs.
    public static readonly DiagnosticCode NoSource = new("EST110", Error, "a secret or config without a source");
    public static readonly DiagnosticCode SeveralSources = new("EST111", Error, "a secret or config with more than one source");
    public static readonly DiagnosticCode InvalidMount = new("EST112", Error, "a volume that is not [SOURCE:]TARGET[:MODE]");
    public static readonly DiagnosticCode RepeatedMount = new("EST113", Error, "two mounts at one path");
    public static readonly DiagnosticCode ExternalToTheTool = new("EST114", Error, "an external secret or config for a plain process");
}
