using Stoker.Diagnostics;
using static Stoker.Diagnostics.Severity;

namespace Stoker.Models;

/// <summary>Every mistake that <c>models:</c> can hold beyond misspelt and misplaced keys.</summary>
internal static class ModelDiagnostics
{
    public static readonly DiagnosticCode NoEngine = new("MDL001", Warning, "a model that nothing serves");
    public static readonly DiagnosticCode NoModel = new("MDL002", Error, "a model that does not say which model it is");
    public static readonly DiagnosticCode NameTaken = new("MDL003", Error, "a model whose service would have the name of another service");
    public static readonly DiagnosticCode RepeatedName = new("MDL004", Error, "two models that clients would call the same");
    public static readonly DiagnosticCode UnknownModel = new("MDL005", Error, "a fallback or canary that names a model that does not exist");
    public static readonly DiagnosticCode FallbackCycle = new("MDL006", Error, "fallbacks that lead back to where they began");
    public static readonly DiagnosticCode NoUrl = new("MDL007", Error, "a model of engine openai without a URL, or with one that is no http URL");
    public static readonly DiagnosticCode NoEffect = new("MDL008", Warning, "a key that has no effect for the model's engine");
    public static readonly DiagnosticCode NoKey = new("MDL009", Error, "an api_key without a source, or with two");
    public static readonly DiagnosticCode PathForm = new("MDL010", Error, "a path to what the engine does not load");
    public static readonly DiagnosticCode PortTaken = new("MDL011", Error, "a model's port that another model has");
    public static readonly DiagnosticCode NoPortLeft = new("MDL012", Error, "more models than ports to give out");
    public static readonly DiagnosticCode WaitsForRequest = new("MDL013", Error, "a service that waits for a model that is only loaded on request");
    public static readonly DiagnosticCode Unreachable = new("MDL014", Warning, "a container that is told an address it cannot reach");
    public static readonly DiagnosticCode GpuMemory = new("MDL015", Warning, "a GPU share that the engine is not told of");
    public static readonly DiagnosticCode InvalidListen = new("MDL016", Error, "an address to listen on that is no IP address");
    public static readonly DiagnosticCode InvalidName = new("MDL017", Error, "a name that no client can ask for");
}
