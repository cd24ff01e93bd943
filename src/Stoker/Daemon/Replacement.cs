using Stoker.Platform;

namespace Stoker.Daemon;

/// <summary>
/// The daemon becomes another version of itself in the same process: its children stay its children, its pid stays its pid, and the
/// new program adopts the services by their records.
/// </summary>
internal static class Replacement
{
    /// <summary>Returns only when it could not be done.</summary>
    public static int Execute(string executable, DaemonOptions options)
    {
        string[] arguments = ["daemon", "run", "--resume", "--state", options.State.Path, "--name", options.Estate];
        var problem = ProcessReplacement.Execute(executable, arguments, HostEnvironment.Variables);
        options.Report($"{executable} could not take over: {problem}; the services go on without a daemon, `stoker up` adopts them");
        return 1;
    }
}
