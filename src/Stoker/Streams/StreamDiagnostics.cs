using Stoker.Diagnostics;
using static Stoker.Diagnostics.Severity;

namespace Stoker.Streams;

/// <summary>Every mistake that <c>streams:</c> can hold beyond misspelt and misplaced keys.</summary>
internal static class StreamDiagnostics
{
    public static readonly DiagnosticCode InvalidListen = new("STR001", Error, "an address to listen on that is no IP address with a port");
    public static readonly DiagnosticCode OpenToNetwork = new("STR002", Error, "a stream that asks for no keys and listens on a network");
    public static readonly DiagnosticCode NameTaken = new("STR003", Error, "a service or model that has a stream's name");
    public static readonly DiagnosticCode UnknownHost = new("STR004", Error, "a stream on a host that does not exist");
    public static readonly DiagnosticCode InvalidStore = new("STR005", Error, "a store that is not one of those that are known");
    public static readonly DiagnosticCode InvalidPath = new("STR006", Error, "a path that is none, or that the stream needs itself");
    public static readonly DiagnosticCode EventTooSmall = new("STR007", Error, "a largest event below what CloudEvents requires");
    public static readonly DiagnosticCode KeysUnused = new("STR008", Warning, "keys for a stream that asks for none");
    public static readonly DiagnosticCode InvalidType = new("STR009", Error, "a type that no event can have");
    public static readonly DiagnosticCode SchemaUnreadable = new("STR010", Error, "a schema that cannot be read");
    public static readonly DiagnosticCode InvalidSchema = new("STR011", Error, "a schema that is wrong");
    public static readonly DiagnosticCode InvalidMap = new("STR012", Error, "a mapping that cannot be made");
    public static readonly DiagnosticCode NoHosts = new("STR013", Warning, "events that are looked up among hosts of which there are none");
    public static readonly DiagnosticCode InvalidLog = new("STR014", Error, "a log that is neither embedded nor a topic of Kafka");
    public static readonly DiagnosticCode RetentionOfBroker = new("STR015", Error, "a retention for events that are a broker's");
    public static readonly DiagnosticCode KafkaMissing = new("STR016", Warning, "a log on Kafka, whose library is not on this machine");
    public static readonly DiagnosticCode LogPassword = new("STR017", Error, "a password for a log that has no user, or a user without one");
    public static readonly DiagnosticCode InvalidArchive = new("STR021", Error, "an archive in a place that is none, or of nothing");
}
