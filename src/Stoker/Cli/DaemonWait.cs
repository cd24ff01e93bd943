using Stoker.Daemon.Protocol;

namespace Stoker.Cli;

/// <summary>Asks for a daemon that is just starting, again and again: at first often, because most need a moment only.</summary>
internal sealed class DaemonWait(ControlClient control, TimeProvider clock)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(50);

    private TimeSpan _pause = TimeSpan.FromMilliseconds(2);

    /// <summary>Why the last question had no answer.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Null: nobody answers, for <see cref="Reason"/>.</summary>
    public DaemonDocument? Ask()
    {
        var reply = control.Daemon();
        Reason = reply is ControlReply<DaemonDocument>.NoDaemon none ? none.Reason : "it answers, but not as a daemon does";
        return (reply as ControlReply<DaemonDocument>.Answered)?.Document;
    }

    /// <summary>Until it is time to ask again; shorter when <paramref name="over"/> comes first.</summary>
    public async Task PauseAsync(Task over)
    {
        await Task.WhenAny(over, Task.Delay(_pause, clock));
        _pause = _pause * 1.5 < LongestPause ? _pause * 1.5 : LongestPause;
    }
}
