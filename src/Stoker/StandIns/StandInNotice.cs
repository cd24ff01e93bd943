using System.Net.Sockets;
using System.Text;

namespace Stoker.StandIns;

/// <summary>Speaks systemd's <c>sd_notify</c> when NOTIFY_SOCKET is set, and is silent otherwise.</summary>
internal sealed class StandInNotice : IDisposable
{
    private readonly Socket? _socket;
    private readonly UnixDomainSocketEndPoint? _where;
    private long? _lastKeepAlive;

    /// <param name="path">NOTIFY_SOCKET; <c>@</c> begins a name in the abstract space.</param>
    /// <param name="watchdog">WATCHDOG_USEC.</param>
    public StandInNotice(string? path, string? watchdog)
    {
        if (string.IsNullOrEmpty(path)) return;

        _where = new UnixDomainSocketEndPoint(path[0] == '@' ? "\0" + path[1..] : path);
        _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };

        // Half the time, as systemd advises.
        if (ulong.TryParse(watchdog, out var time) && time is > 0 and < long.MaxValue / 10) KeepAliveEvery = TimeSpan.FromMicroseconds(time / 2.0);
    }

    /// <summary>Null: no watchdog.</summary>
    public TimeSpan? KeepAliveEvery { get; }

    public void Ready() => Send("READY=1");

    public void Reloading(TimeProvider clock)
    {
        // The clock of .NET on Linux is CLOCK_MONOTONIC, which the protocol asks for.
        var microseconds = (long)((double)clock.GetTimestamp() / clock.TimestampFrequency * 1e6);
        Send($"RELOADING=1\nMONOTONIC_USEC={microseconds}");
    }

    public void KeepAlive(TimeProvider clock)
    {
        if (KeepAliveEvery is not { } every) return;
        if (_lastKeepAlive is { } last && clock.GetElapsedTime(last) < every * 0.9) return;

        _lastKeepAlive = clock.GetTimestamp();
        Send("WATCHDOG=1");
    }

    public void Send(string text)
    {
        if (_socket is null || _where is null) return;
        try
        {
            _socket.SendTo(Encoding.UTF8.GetBytes(text), SocketFlags.None, _where);
        }
        catch (SocketException)
        {
            // The daemon is gone or busy. A service keeps running without it, and so does its stand-in.
        }
    }

    public void Dispose() => _socket?.Dispose();
}
