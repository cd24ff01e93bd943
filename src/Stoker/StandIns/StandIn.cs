using System.Net.Sockets;
using System.Runtime.InteropServices;
using Stoker.Platform;

namespace Stoker.StandIns;

/// <summary>
/// The program behind the hidden verb. One thread, one loop, no library that it can do without: forty of them start together on
/// two cores.
/// </summary>
internal sealed class StandIn : IDisposable
{
    private const int Usage = 2, CannotListen = 1;

    private readonly StandInOptions options;
    private readonly TimeProvider clock;
    private readonly StandInListener listener;
    private readonly StandInNotice notice;
    private readonly Socket wake = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private long unwritten;
    private volatile bool stopping, reloading;

    private StandIn(StandInOptions options, TimeProvider clock)
    {
        this.options = options;
        this.clock = clock;
        listener = new StandInListener(options, clock);
        notice = new StandInNotice(HostEnvironment.Variable("NOTIFY_SOCKET"), HostEnvironment.Variable("WATCHDOG_USEC"));

        // A socket connected to itself: what a signal's thread writes wakes the loop. No file: the name is in the abstract space.
        wake.Bind(new UnixDomainSocketEndPoint($"\0stoker-stand-in-{HostEnvironment.ProcessId}"));
        wake.Connect(wake.LocalEndPoint!);
    }

    /// <param name="arguments">Those of the program; the first is the verb.</param>
    /// <returns>The exit code: 0 asked to stop or completed, 1 cannot listen, 2 wrong arguments.</returns>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        if (!StandInOptions.TryParse(arguments[1..], out var options, out var problem))
        {
            StandardStreams.TryWriteLine(StandardStreams.ErrorOutput, $"stoker stand-in: {problem}");
            return Usage;
        }

        using var standIn = new StandIn(options, TimeProvider.System);
        return standIn.Run();
    }

    public void Dispose()
    {
        listener.Dispose();
        notice.Dispose();
        wake.Dispose();
    }

    private int Run()
    {
        using var terminate = On(15, Stop);
        using var interrupt = On(2, Stop);
        using var quit = On(3, Stop);
        using var stop = options.StopSignal is 15 or 2 or 3 ? null : On(options.StopSignal, Stop);
        using var hangUp = options.StopSignal == 1 ? null : On(1, Reload);
        using var reload = options.ReloadSignal == 1 || options.ReloadSignal == options.StopSignal ? null : On(options.ReloadSignal, Reload);

        foreach (var port in options.Ports)
        {
            if (listener.Listen(port) is not { } problem) continue;
            StandardStreams.TryWriteLine(StandardStreams.ErrorOutput, $"stand-in for {options.Service}: {problem}");
            return CannotListen;
        }

        var where = options.Ports.Count == 0 ? "" : $", listening on {string.Join(", ", options.Ports)}";
        Say($"stand-in for {options.Service}: {(options.Why.Length == 0 ? "it is not here" : options.Why)}{where}");
        if (options.Line is not null) Say(options.Line);
        notice.Ready($"stand-in: {options.Why}");
        if (options.Completes)
        {
            Say($"stand-in for {options.Service}: completed");
            return 0;
        }

        Loop();
        notice.Send("STOPPING=1");
        Say($"stand-in for {options.Service}: stopped");
        return 0;
    }

    private void Loop()
    {
        var lastLine = clock.GetTimestamp();
        var pace = notice.KeepAliveEvery is { } watchdog && watchdog < options.Every ? watchdog : options.Every;
        List<Socket> ready = [];
        while (!stopping)
        {
            ready.Clear();
            ready.Add(wake);
            ready.AddRange(listener.Sockets);
            Socket.Select(ready, null, null, pace);
            foreach (var socket in ready)
            {
                if (socket == wake) Wake();
                else listener.Serve(socket);
            }

            if (!stopping && reloading) Reread();
            listener.Sweep();
            notice.KeepAlive(clock);
            if (clock.GetElapsedTime(lastLine) < options.Every) continue;

            lastLine = clock.GetTimestamp();
            Work();
            Say($"stand-in for {options.Service}: alive, {listener.Counts.Accepted} connections, {listener.Counts.Answered} answers");
        }
    }

    private void Wake()
    {
        Span<byte> one = stackalloc byte[1];
        wake.Receive(one, SocketFlags.None, out _);
    }

    private void Reread()
    {
        reloading = false;
        notice.Reloading(clock);
        Say($"stand-in for {options.Service}: reloaded");
        notice.Ready($"stand-in: {options.Why}");
    }

    /// <summary>About a millisecond of arithmetic, so that views of CPU use have something to show.</summary>
    private static void Work()
    {
        var mixed = 1u;
        for (var i = 0; i < 500_000; i++)
        {
            mixed = (mixed * 1664525) + 1013904223;
        }

        GC.KeepAlive(mixed);
    }

    /// <summary>A line that does not fit is counted and told with the next one: a stand-in must not hang on a full pipe.</summary>
    private void Say(string line)
    {
        var lost = unwritten == 0 ? "" : $" ({unwritten} lines before this one found no room)";
        if (StandardStreams.TryWriteLine(StandardStreams.Output, line + lost)) unwritten = 0;
        else unwritten++;
    }

    private void Stop() => stopping = true;

    private void Reload() => reloading = true;

    private PosixSignalRegistration On(int signal, Action effect) => PosixSignalRegistration.Create(Named(signal), context =>
    {
        context.Cancel = true;
        effect();
        wake.Send([1], SocketFlags.None, out _);
    });

    /// <summary>.NET has negative names for the portable signals, and takes the numbers of all others.</summary>
    private static PosixSignal Named(int signal) => signal switch
    {
        1 => PosixSignal.SIGHUP,
        2 => PosixSignal.SIGINT,
        3 => PosixSignal.SIGQUIT,
        15 => PosixSignal.SIGTERM,
        _ => (PosixSignal)signal,
    };
}
