using Stoker.Diagnostics;

namespace Stoker.Planning;

/// <summary>What keeps a tunnel from being made on this machine, before ssh says it in its log.</summary>
internal static class TunnelChecks
{
    /// <returns>Why it cannot be made; null: nothing is in its way. Outside a rehearsal that is an error.</returns>
    public static string? Check(PlacedService service, bool rehearse, Observed observed, DiagnosticBag bag)
    {
        if (service.Spec.Tunnel is not { } tunnel || !observed.Tunnels.TryGetValue(service.Name, out var facts)) return null;
        if (facts.IdentityProblem is { } problem && tunnel.Identity is { } identity && !rehearse)
            bag.Add(PlanDiagnostics.TunnelIdentity, identity.Where, $"tunnel `{service.Name}` has the identity `{identity.Value}`, {problem}", $"`chmod 600 {identity.Value}`, or name another");
        if (facts.KnowsHost is false && !rehearse)
        {
            var file = tunnel.KnownHosts?.Value ?? "~/.ssh/known_hosts";
            bag.Add(PlanDiagnostics.UnknownHostKey, tunnel.KnownHosts?.Where ?? tunnel.Where, $"the host key of `{tunnel.Host}`, to which tunnel `{service.Name}` leads, is not in `{file}`",
                $"`ssh-keyscan{(tunnel.Port == 22 ? "" : $" -p {tunnel.Port}")} {tunnel.Host} >> {file}`, then compare `ssh-keygen -lf {file}` with what its owner says");
        }

        return facts.IdentityProblem is not null ? "its identity cannot be used" : facts.KnowsHost is false ? $"the host key of {tunnel.Host} is not known" : null;
    }
}

/// <summary>What was found of a tunnel's files.</summary>
/// <param name="IdentityProblem">In words that end a sentence; null: none, or none is declared.</param>
/// <param name="KnowsHost">Null: could not be told.</param>
internal sealed record TunnelFacts(string? IdentityProblem, bool? KnowsHost);
