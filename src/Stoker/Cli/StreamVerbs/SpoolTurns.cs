using Stoker.Platform.Disks;
using Stoker.Streams.Sending;

namespace Stoker.Cli.StreamVerbs;

/// <summary>Turns at a spool that several senders may use: open for a moment at a time, so that each gets its turn.</summary>
/// <param name="patience">How long to wait for another's turn to end, 30 s at least.</param>
internal sealed class SpoolTurns(string directory, TimeSpan patience, TimeProvider clock, Action<string> say) : IDisposable
{
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(2), Look = TimeSpan.FromMilliseconds(20), LeastPatience = TimeSpan.FromSeconds(30);

    private Spool? _open;
    private long _since;

    public string Directory => directory;

    /// <summary>It has been open for as long as others should wait.</summary>
    public bool IsOver => _open is not null && clock.GetElapsedTime(_since) > Turn;

    /// <summary>The open spool; null: there is none, and none was to be made.</summary>
    /// <exception cref="SpoolRefusedException"/>
    public async Task<Spool?> TakeAsync(bool make, CancellationToken cancel)
    {
        if (_open is not null) return _open;
        var began = clock.GetTimestamp();
        var hasSaid = false;
        while (true)
        {
            switch (Spool.Open(directory, make, Disk.Instance, clock, say))
            {
                case SpoolOpening.Opened opened:
                    foreach (var note in opened.Notes) say($"warning: the spool: {note}");
                    (_open, _since) = (opened.Spool, clock.GetTimestamp());
                    return _open;
                case SpoolOpening.NotThere:
                    return null;
                case SpoolOpening.Damaged damaged:
                    throw new SpoolRefusedException($"the spool `{directory}` is damaged: {damaged.Words}",
                        $"`stoker stream quarantine --log {Path.Combine(directory, Spool.LogName)}` sets the damage aside so that the rest can be sent");
                case SpoolOpening.Failed failed:
                    throw new SpoolRefusedException($"the spool `{directory}` cannot be opened: {failed.Words}", "make room or say another place with `--spool DIR`");
                case SpoolOpening.Busy busy when clock.GetElapsedTime(began) > (patience > LeastPatience ? patience : LeastPatience):
                    throw new SpoolRefusedException(
                        $"process {busy.Holder} has had the spool `{directory}` for longer than {Durations.Short(clock.GetElapsedTime(began))}",
                        "`--patience` waits longer");
                case SpoolOpening.Busy busy:
                    if (!hasSaid) say($"waiting for process {busy.Holder}, which has the spool");
                    hasSaid = true;
                    break;
            }

            await Task.Delay(Look, clock, cancel);
        }
    }

    public void Release()
    {
        _open?.Dispose();
        _open = null;
    }

    public void Dispose() => Release();
}

/// <summary>The spool cannot be used; the message tells why.</summary>
internal sealed class SpoolRefusedException(string message, string? hint) : IOException(message)
{
    public string? Hint => hint;
}
