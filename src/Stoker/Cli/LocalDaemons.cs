using Stoker.Daemon;
using Stoker.Platform;

namespace Stoker.Cli;

/// <summary>Daemons of this machine.</summary>
internal sealed class LocalDaemons : IDaemonDoor
{
    // Not inlined, so that the web server's assemblies are loaded only by whom becomes a daemon.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    public Task<int> RunAsync(DaemonOptions options, CancellationToken stop) => DaemonHost.RunAsync(options, stop);

    public string? Start(BackgroundDaemon daemon)
    {
        var state = daemon.Options.State;
        Files.CreateDirectory(state.Path);
        // What an earlier daemon wrote is history; its end is kept for the person who looks why.
        if (Files.Exists(state.DaemonLog)) Files.Move(state.DaemonLog, state.DaemonLog + ".1");
        using (Files.OpenAppend(state.DaemonLog))
        {
            // Made here, because the launcher opens outputs that are there.
        }

        var outcome = ProcessLauncher.Launch(new LaunchRequest(daemon.Program, daemon.Arguments, daemon.Variables, daemon.Directory)
        {
            Output = state.DaemonLog,
            ErrorOutput = state.DaemonLog,
        });
        return outcome is LaunchOutcome.Refused refused ? refused.Message : null;
    }
}
