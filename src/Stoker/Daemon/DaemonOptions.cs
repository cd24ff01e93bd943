namespace Stoker.Daemon;

/// <summary>What a daemon is told when it begins; which estate files it runs comes afterwards, by <c>POST /v1/apply</c>.</summary>
/// <param name="Estate">The estate's name, for messages and for <c>GET /v1/daemon</c> before the first apply.</param>
internal sealed record DaemonOptions(StateDirectory State, string Estate);
