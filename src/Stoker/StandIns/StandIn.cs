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

    private readonly StandInOptions _options;
    private readonly TimeProvider _clock;
    private readonly StandInListener _listener;
    private readonly StandInNotice _notice;
    private readonly Socket _wake = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private long _unwritten;
    private volatile bool _stopping, _reloading;

    private StandIn(StandInOptions options, TimeProvider clock)
    {
        _options = options;
        _clock = clock;
        _listener = new StandInListener(options, clock);
        _notice = new StandInNotice(HostEnvironment.Variable("NOTIFY_SOCKET"), HostEnvironment.Variable("WATCHDOG_USEC"));

        // A socket connected to itself: what a signal's thread writes wakes the loop. No file: the name is in the abstract space.
        _wake.Bind(new UnixDomainSocketEndPoint($"\0stoker-stand-in-{HostEnvironment.ProcessId}"));
        _wake.Connect(_wake.LocalEndPoint!);
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
        _listener.Dispose();
        _notice.Dispose();
        _wake.Dispose();
    }

    private int Run()
    {
        using var terminate = On(15, Stop);
        using var interrupt = On(2, Stop);
        using var quit = On(3, Stop);
        using var stop = _options.StopSignal is 15 or 2 or 3 ? null : On(_options.StopSignal, Stop);
        using var hangUp = _options.StopSignal == 1 ? null : On(1, Reload);
        using var reload = _options.ReloadSignal == 1 || _options.ReloadSignal == _options.StopSignal ? null : On(_options.ReloadSignal, Reload);

        foreach (var port in _options.Ports)
        {
            if (_listener.Listen(port) is not { } problem) continue;
            StandardStreams.TryWriteLine(StandardStreams.ErrorOutput, $"stand-in for {_options.Service}: {problem}");
            return CannotListen;
        }

        var where = _options.Ports.Count == 0 ? "" : $", listening on {string.Join(", ", _options.Ports)}";
        Say($"stand-in for {_options.Service}: {(_options.Why.Length == 0 ? "it is not here" : _options.Why)}{where}");
        if (_options.Line is not null) Say(_options.Line);
        _notice.Ready();
        if (_options.Completes)
        {
            Say($"stand-in for {_options.Service}: completed");
            return 0;
        }

        Loop();
        _notice.Send("STOPPING=1");
        Say($"stand-in for {_options.Service}: stopped");
        return 0;
    }

    private void Loop()
    {
        var lastLine = _clock.GetTimestamp();
        var pace = _notice.KeepAliveEvery is { } watchdog && watchdog < _options.Every ? watchdog : _options.Every;
        List<Socket> ready = [];
        while (!_stopping)
        {
            ready.Clear();
            ready.Add(_wake);
            ready.AddRange(_listener.Sockets);
            Socket.Select(ready, null, null, pace);
            foreach (var socket in ready)
            {
                if (socket == _wake) Wake();
                else _listener.Serve(socket);
            }

            if (!_stopping && _reloading) Reread();
            _listener.Sweep();
            _notice.KeepAlive(_clock);
            if (_clock.GetElapsedTime(lastLine) < _options.Every) continue;

            lastLine = _clock.GetTimestamp();
            Work();
            Say($"stand-in for {_options.Service}: alive, {_listener.Counts.Accepted} connections, {_listener.Counts.Answered} answers");
        }
    }

    private void Wake()
    {
        Span<byte> one = stackalloc byte[1];
        _wake.Receive(one, SocketFlags.None, out _);
    }

    private void Reread()
    {
        _reloading = false;
        _notice.Reloading(_clock);
        Say($"stand-in for {_options.Service}: reloaded");
        _notice.Ready();
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
        var lost = _unwritten == 0 ? "" : $" ({_unwritten} lines before this one found no room)";
        if (StandardStreams.TryWriteLine(StandardStreams.Output, line + lost)) _unwritten = 0;
        else _unwritten++;
    }

    private void Stop() => _stopping = true;

    private void Reload() => _reloading = true;

    private PosixSignalRegistration On(int signal, Action effect) => PosixSignalRegistration.Create(Named(signal), context =>
    {
        context.Cancel = true;
        effect();
        _wake.Send([1], SocketFlags.None, out _);
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
