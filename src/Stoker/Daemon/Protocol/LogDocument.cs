namespace Stoker.Daemon.Protocol;

/// <summary>One line of <c>GET /v1/logs</c> and of <c>stoker logs --json</c>.</summary>
/// <param name="Stream"><c>stdout</c> or <c>stderr</c>; <c>stoker</c> for a remark of the daemon, such as lines a slow reader missed.</param>
/// <param name="Partial">A piece of a line too long for one; the rest follows.</param>
internal sealed record LogDocument(DateTimeOffset At, string Service, int Replica, string Stream, string Text, bool Partial);
