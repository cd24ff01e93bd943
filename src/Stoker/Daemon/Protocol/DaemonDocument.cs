namespace Stoker.Daemon.Protocol;

/// <summary>The answer of <c>GET /v1/daemon</c>, and word for word what <c>stoker daemon status --json</c> prints.</summary>
/// <param name="Since">When this daemon started; the services may be older.</param>
/// <param name="Url">Where a person can look, once something is served there; else the control socket as <c>unix:PATH</c>.</param>
/// <param name="Files">The estate files last applied; empty before the first <c>up</c>.</param>
internal sealed record DaemonDocument(
    int Pid,
    string Version,
    string Estate,
    string? Host,
    DateTimeOffset Since,
    string Url,
    string StateDirectory,
    bool Rehearse,
    IReadOnlyList<string> Files);

/// <summary>The body of <c>POST /v1/daemon/stop</c>.</summary>
/// <param name="Services"><c>keep</c>: the daemon ends and its services go on; <c>stop</c>: as <c>down</c>; <c>kill</c>: no
/// service gets time to stop, as when Ctrl-C is pressed twice.</param>
internal sealed record DaemonStopRequest(string Services)
{
    public const string Keep = "keep";

    public const string Stop = "stop";

    public const string Kill = "kill";
}

/// <summary>The body of <c>POST /v1/daemon/upgrade</c>: the daemon hands its services to this program and ends.</summary>
/// <param name="Executable">Absolute path of the program to become; null: its own path again, which may hold a newer file by now.</param>
internal sealed record DaemonUpgradeRequest(string? Executable);
