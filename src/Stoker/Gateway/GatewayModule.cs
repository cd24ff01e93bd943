using Stoker.Estates;

namespace Stoker.Gateway;

/// <summary>
/// An OpenAI-compatible gateway in front of the estate's models.
/// <code>
///  gateway: ─→ GatewayReader ─→ GatewaySpec ─→ GatewayExpansion ─→ the service `gateway` (planned, supervised, logged like any other)
///                                     └─→ EstatePlan ─→ GatewayPlanner ─→ gateway.json ─→ GatewayProcess
///  client ─→ ClientConnection ─→ Exchange: key → body → model → limits → place → replica → answer, watched → ledger
/// </code>
/// Promises: bytes pass untouched but for what must change; a stream that ends without its end is an error at the client; a client that leaves ends the work
/// for it; limits are exact; each request is in the ledger once.
/// Refuses: paths that are not listed; to listen on a network without keys; bodies that could mean two things.
/// </summary>
internal static class GatewayModule
{
    public static SectionSpec Section { get; } = new(
        "gateway",
        "The gateway in front of the models: where it listens, who may use it, and how much.",
        IsActedOn: true)
    {
        Shape = GatewayKeys.Section,
        Expand = GatewayExpansion.Expand,
    };
}
