namespace Stoker.Daemon;

/// <summary>
/// Where one estate keeps what must outlive the daemon, on one host. Created with mode 0700 by the daemon; the paths below are
/// the whole layout.
/// </summary>
/// <param name="Path">Absolute.</param>
internal sealed record StateDirectory(string Path)
{
    /// <summary>The control socket, 0600. Reach it through <see cref="Protocol.ControlSocket"/>, because its path may be longer than a socket address holds.</summary>
    public string ControlSocket => In("control.sock");

    /// <summary>The gateway's own socket, 0600, reached in the same way.</summary>
    public string GatewaySocket => In("gateway.sock");

    /// <summary>Held locked by the living daemon, so that a second one refuses.</summary>
    public string DaemonLock => In("daemon.lock");

    /// <summary>The living daemon's <see cref="Protocol.DaemonDocument"/>, for messages when it does not answer.</summary>
    public string DaemonDocument => In("daemon.json");

    /// <summary>Output of a daemon in the background.</summary>
    public string DaemonLog => In("daemon.log");

    /// <summary>Every transition with its cause, one JSON document a line.</summary>
    public string Journal => In("journal.ndjson");

    /// <summary>The last request that was applied, for the next daemon.</summary>
    public string Applied => In("applied.json");

    /// <summary>One file per replica that has a process, for adoption.</summary>
    public string Replicas => In("replicas");

    /// <summary>The gateway's keys: SQLite, 0600; secrets only as hashes.</summary>
    public string GatewayDatabase => In("gateway.db");

    /// <summary>What the models were asked and what it took, a row a request: SQLite, 0600.</summary>
    public string Ledger => In("ledger.db");

    /// <summary>What layers changed on this machine, and what was there before.</summary>
    public string Layers => In("layers");

    /// <summary>Cards that were divided by MIG, and who has which part; what was begun and not finished.</summary>
    public string Gpus => In("gpus.json");

    /// <summary>How far the last long diagnosis of the GPUs came.</summary>
    public string GpuDiag => In("gpu-diag.json");

    public string Logs => In("logs");

    public string Pipes => In("pipes");

    public string Notify => In("notify");

    public string Secrets => In("secrets");

    /// <summary>The place that the caller chose, by <c>--state</c> or <c>STOKER_STATE</c>; null: it follows from the estate's name.</summary>
    /// <param name="variables">The caller's environment.</param>
    public static StateDirectory? Chosen(string? option, IReadOnlyDictionary<string, string> variables, string currentDirectory)
    {
        var path = option is { Length: > 0 } ? option : Set(variables, "STOKER_STATE");
        return path is null ? null : new StateDirectory(System.IO.Path.GetFullPath(path, currentDirectory));
    }

    /// <summary>
    /// <c>/var/lib/stoker/NAME</c> for root, else <c>$XDG_STATE_HOME/stoker/NAME</c> with <c>~/.local/state</c> as its default.
    /// </summary>
    public static StateDirectory Of(string estate, IReadOnlyDictionary<string, string> variables, bool isRoot)
    {
        if (isRoot) return new StateDirectory($"/var/lib/stoker/{estate}");
        // The XDG specification: a relative path there is to be ignored.
        var home = Set(variables, "XDG_STATE_HOME") is { } xdg && System.IO.Path.IsPathRooted(xdg)
            ? xdg
            : System.IO.Path.Combine(Set(variables, "HOME") ?? "/", ".local", "state");
        return new StateDirectory(System.IO.Path.Combine(home, "stoker", estate));
    }

    private static string? Set(IReadOnlyDictionary<string, string> variables, string name) =>
        variables.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
