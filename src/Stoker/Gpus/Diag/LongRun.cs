using System.Text.Json;
using Stoker.Platform;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Diag;

/// <summary>A run of the third level that lasts, as far as it came. Kept in a file, so that one that was interrupted, or killed, goes on where it was.</summary>
/// <param name="Seconds">It was asked for.</param>
/// <param name="Finished">Nobody needs to go on with it.</param>
internal sealed record LongRun(DateTimeOffset Began, DateTimeOffset Updated, double Seconds, bool Finished, IReadOnlyList<LongRunCard> Cards)
{
    /// <summary>The shortest time at work of its cards.</summary>
    public double Done => Cards.Count == 0 ? 0 : Cards.Min(c => c.Totals.Seconds);
}

internal sealed record LongRunCard(string Uuid, LoadTotals Totals);

/// <summary>The file of a long run. What is wrong with it is told, and keeps no card from its work.</summary>
internal sealed class LongRunFile
{
    /// <summary>Between two writings.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(5);

    private readonly string _path;
    private readonly TimeProvider _clock;
    private readonly Action<string> _complain;
    private readonly double _seconds;
    private readonly DateTimeOffset _began;
    private long? _written;
    private bool _hasComplained;

    /// <param name="anew">An earlier run is forgotten.</param>
    /// <param name="complain">Told once what keeps the file from being read or written.</param>
    public LongRunFile(string path, TimeSpan length, bool anew, TimeProvider clock, Action<string> complain)
    {
        (_path, _clock, _complain, _seconds) = (path, clock, complain, length.TotalSeconds);
        Earlier = anew ? null : Read() is { Finished: false } run && Math.Abs(run.Seconds - _seconds) < 0.5 && run.Cards.Count > 0 ? run : null;
        _began = Earlier?.Began ?? clock.GetUtcNow();
    }

    /// <summary>One of the same length that was not finished, and goes on; null: this one begins anew.</summary>
    public LongRun? Earlier { get; }

    public LoadTotals? Before(GpuDevice device) => Earlier?.Cards.FirstOrDefault(c => c.Uuid == device.Uuid)?.Totals;

    public void Keep(IReadOnlyList<CardWork> works)
    {
        if (_written is { } last && _clock.GetElapsedTime(last) < Pace) return;
        Write(works, isFinished: false);
    }

    public void End(IReadOnlyList<CardWork> works, bool wasInterrupted) => Write(works, isFinished: !wasInterrupted);

    private void Write(IReadOnlyList<CardWork> works, bool isFinished)
    {
        if (works.Count == 0) return;
        _written = _clock.GetTimestamp();
        var run = new LongRun(_began, _clock.GetUtcNow(), _seconds, isFinished, [.. works.Where(w => w.Device.Uuid is not null).Select(w => new LongRunCard(w.Device.Uuid!, w.Totals))]);
        try
        {
            Files.CreateDirectory(Path.GetDirectoryName(_path)!);
            Files.AtomicWrite(_path, JsonSerializer.SerializeToUtf8Bytes(run, DiagJson.Readable.LongRun));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Complain($"how far it came cannot be kept: {e.Message}");
        }
    }

    private LongRun? Read()
    {
        try
        {
            return Files.ReadIfPresent(_path) is { } bytes ? JsonSerializer.Deserialize(bytes, DiagJson.Readable.LongRun) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            Complain($"how far an earlier run came cannot be read: {e.Message}");
            return null;
        }
    }

    private void Complain(string what)
    {
        if (!_hasComplained) _complain(what);
        _hasComplained = true;
    }
}
