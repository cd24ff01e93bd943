namespace Stoker.Daemon.Protocol;

/// <summary>
/// The paths of the control socket, in one place for the daemon that serves them and the client that asks.
/// docs/control-api.md describes each with an example.
/// </summary>
internal static class ControlRoutes
{
    public const string Daemon = "/v1/daemon";

    public const string DaemonStop = "/v1/daemon/stop";

    public const string DaemonUpgrade = "/v1/daemon/upgrade";

    public const string Status = "/v1/status";

    public const string Events = "/v1/events";

    public const string Logs = "/v1/logs";

    /// <summary>The same request and answer as <see cref="Apply"/>, but nothing is done: what <c>stoker plan</c> asks.</summary>
    public const string Plan = "/v1/plan";

    /// <remarks>GET: the answer to the wish that the daemon was started with, as soon as there is one; without the plan where it was accepted.</remarks>
    public const string Apply = "/v1/apply";

    public const string Down = "/v1/down";

    public const string Models = "/v1/models";

    public const string Gpus = "/v1/gpus";

    public const string GpuLedger = "/v1/gpus/ledger";

    /// <summary>The page of metrics, as a string.</summary>
    public const string GpuMetrics = "/v1/gpus/metrics";

    public const string GpuSimulate = "/v1/gpus/simulate";

    public const string Services = "/v1/services";

    /// <summary><c>/v1/services/{name}/{action}</c>; action is one of start, stop, restart, reload, scale, why, probe.</summary>
    public static string Service(string name, string action) => $"{Services}/{Uri.EscapeDataString(name)}/{action}";
}
