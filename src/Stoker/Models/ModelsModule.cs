using Stoker.Estates;

namespace Stoker.Models;

/// <summary>
/// Models that the owner serves: what <c>models:</c> declares becomes supervised services and a plan for whoever routes requests to them.
/// <code>
///   models: ─→ ModelReader ─→ ModelSpec ─→ ModelExpansion ─→ ServiceSpec ─→ (planned, supervised, logged like any service)
///                                 └─→ EstatePlan ─→ ModelPlan ─→ the gateway
/// </code>
/// Promises: the command line of each engine as its reference has it; healthy means loaded; a port, GPUs and names for each replica; in a
/// rehearsal `stoker simulate llm` under the same names and port in place of an engine that is not here.
/// Refuses: to fetch weights (an engine does that, or the owner), to guess which engine is meant, and to ignore a key in silence.
/// </summary>
internal static class ModelsModule
{
    public static SectionSpec Section { get; } = new(
        "models",
        "Served models by name: which one, what serves it, with which GPUs, under which names.",
        IsActedOn: true)
    {
        Shape = ModelKeys.Section,
        Expand = ModelExpansion.Expand,
    };
}
