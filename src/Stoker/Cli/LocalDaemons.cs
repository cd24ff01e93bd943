using Stoker.Daemon;
using Stoker.Platform;

namespace Stoker.Cli;

/// <summary>Daemons of this machine.</summary>
internal sealed class LocalDaemons : IDaemonDoor
{
    private const long LargestLog = 1 << 20;

    public Task<int> RunAsync(DaemonOptions options, CancellationToken stop) => DaemonHost.RunAsync(options, stop);

    public DaemonStart Start(BackgroundDaemon daemon)
    {
        var state = daemon.Options.State;
        Files.CreateDirectory(state.Path);
        // What earlier daemons wrote stays for the person who looks why, and so does what one writes that is just faster than this.
        if (Files.Exists(state.DaemonLog) && Files.Length(state.DaemonLog) > LargestLog) Files.Move(state.DaemonLog, state.DaemonLog + ".1");
        using (Files.OpenAppend(state.DaemonLog))
        {
            // Made here, because the launcher opens outputs that are there.
        }

        var outcome = ProcessLauncher.Launch(new LaunchRequest(daemon.Program, daemon.Arguments, daemon.Variables, daemon.Directory)
        {
            Output = state.DaemonLog,
            ErrorOutput = state.DaemonLog,
        });
        return outcome switch
        {
            LaunchOutcome.Launched { Process: var process } => new DaemonStart.Begun(process.Pid, process.Exit),
            LaunchOutcome.Refused refused => new DaemonStart.Refused(refused.Message),
            _ => throw new InvalidOperationException($"unknown outcome {outcome.GetType().Name}"),
        };
    }
}
