using System.Text;
using Stoker.Daemon.Protocol;
using Stoker.Estates;
using Stoker.Platform;

namespace Stoker.Cli;

/// <summary>Which daemon answers, after one was started.</summary>
internal enum DaemonAnswer
{
    Ours,

    /// <summary>Somebody else's was faster, and knows nothing of this wish.</summary>
    Anothers,

    /// <summary>None: it ended, which has not been said yet.</summary>
    Ended,

    /// <summary>None: it cannot be started or says nothing, and that has been said.</summary>
    Silent,
}

/// <summary>
/// A daemon in the background, from its start until it answers. It is waited for as long as its process lives: on a machine that is
/// busy or slow it takes its time, and one that ends is known by its end.
/// </summary>
internal sealed class BackgroundStart(Invocation run, ControlClient control, BackgroundDaemon daemon, TimeSpan? timeout)
{
    private const int TailBytes = 4096, TailLines = 10;

    /// <summary>A process that lives and says nothing for so long is stuck.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);

    /// <summary>After this a person is told what is waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly TimeSpan _longest = timeout is { } asked && asked < Longest ? asked : Longest;
    private readonly TimeProvider _clock = run.World.Clock;
    private readonly string _log = daemon.Options.State.DaemonLog;
    private long _logFrom;
    private DaemonStart.Begun? _process;

    /// <summary>False when there is no process; it has been said why.</summary>
    public bool Begin()
    {
        // What earlier daemons wrote stands before this.
        _logFrom = Files.Exists(_log) ? Files.Length(_log) : 0;
        var start = run.World.Daemons.Start(daemon);
        _process = start as DaemonStart.Begun;
        if (start is DaemonStart.Refused { Why: var why }) run.Report.Error($"the daemon could not be started: {why}");
        return _process is not null;
    }

    public async Task<DaemonAnswer> UntilItAnswersAsync()
    {
        var begun = _clock.GetTimestamp();
        var wait = new DaemonWait(control, _clock);
        var rest = TimeSpan.FromMilliseconds(100);
        var said = false;
        while (true)
        {
            // In this order: a daemon that ends after it was asked may have answered.
            var exit = _process!.Exit.IsCompleted ? _process.Exit.Result : (ExitStatus?)null;
            if (wait.Ask() is { } answering) return answering.Pid == _process.Pid ? DaemonAnswer.Ours : DaemonAnswer.Anothers;
            var waited = _clock.GetElapsedTime(begun);
            if (exit is { } ended && (ended.Code != (int)ExitCode.Refused || waited > _longest)) return DaemonAnswer.Ended;
            if (exit is not null)
            {
                // Another daemon has the estate: it has not opened its socket yet, or is just ending and will answer nobody.
                await Task.Delay(rest, _clock);
                rest = rest < TimeSpan.FromSeconds(5) ? rest * 2 : rest;
                if (wait.Ask() is null && !Begin()) return DaemonAnswer.Silent;
                continue;
            }

            if (waited > _longest) return Silent(wait.Reason);
            if (waited > Patience && !said)
            {
                run.Report.Say($"the daemon (pid {_process.Pid}) is starting and does not answer yet; waiting for it");
                said = true;
            }

            await wait.PauseAsync(_process.Exit);
        }
    }

    /// <summary>Whether a daemon that broke off an answer did so because it ends.</summary>
    public async Task<bool> IsEndingAsync()
    {
        await Task.WhenAny(_process!.Exit, Task.Delay(Patience, _clock));
        return _process.Exit.IsCompleted;
    }

    /// <summary>For a daemon that ended, before it answered at all or while it was asked something.</summary>
    public void SayHowItEnded()
    {
        run.Report.Error($"the daemon (pid {_process!.Pid}) ended before it answered: {_process.Exit.Result}");
        Explain($"all it wrote is in {_log}");
    }

    private DaemonAnswer Silent(string reason)
    {
        run.Report.Error($"the daemon (pid {_process!.Pid}) lives and gives no answer after {DurationWords.Of(_longest)}: {reason}");
        Explain($"all it writes is in {_log}; `stoker daemon status` asks it again, `kill {_process.Pid}` ends it");
        return DaemonAnswer.Silent;
    }

    private void Explain(string hint)
    {
        foreach (var line in LastLines()) run.Report.Say($"  {line}");
        run.Report.Hint(hint);
    }

    private IEnumerable<string> LastLines()
    {
        if (!Files.Exists(_log)) return [];
        // Shorter than it was: it was moved away, and this is a new one.
        var own = Files.Length(_log) is var length && length >= _logFrom ? length - _logFrom : length;
        var text = Encoding.UTF8.GetString(Files.ReadTail(_log, (int)Math.Min(own, TailBytes)));
        return text.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0).TakeLast(TailLines);
    }
}
