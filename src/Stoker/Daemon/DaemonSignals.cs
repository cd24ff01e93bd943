using System.Runtime.InteropServices;

namespace Stoker.Daemon;

/// <summary>
/// SIGTERM and SIGINT end the daemon in order, services first; the second one kills what still lives. SIGHUP applies the file again.
/// An <c>up</c> that comes before all has ended is the later wish: the next signal is a first one again.
/// </summary>
internal static class DaemonSignals
{
    public static IDisposable Listen(RunningDaemon daemon)
    {
        var asked = 0;
        void End(PosixSignalContext context)
        {
            context.Cancel = true;
            if (Interlocked.Increment(ref asked) == 1) _ = DownAsync($"the daemon got {context.Signal}");
            else daemon.Supervisor.KillAll();
        }

        async Task DownAsync(string why)
        {
            if (!await await daemon.DownAsync(why)) Volatile.Write(ref asked, 0);
        }

        return new Registrations(
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, End),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, End),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                if (daemon.Request is { } request) _ = daemon.ApplyAsync(request);
            }),
        ]);
    }

    private sealed class Registrations(IReadOnlyList<PosixSignalRegistration> all) : IDisposable
    {
        public void Dispose()
        {
            foreach (var registration in all) registration.Dispose();
        }
    }
}
