using Stoker.Platform.Disks;
using Stoker.Streams.Log;

namespace Stoker.Streams.Serving;

/// <summary>A log that is open.</summary>
/// <param name="MakeRoom">Gives up what was kept free on the disk for dead letters' sake; null: nothing is.</param>
/// <param name="TrimAsync">Deletes what is stored and no longer wanted; null: that is not the stream's business.</param>
internal sealed record OpenedLog(IEventLog Log, Action? MakeRoom, Func<RetentionLimits, Task>? TrimAsync);

/// <summary>Opens the log that a stream's plan names, and says what there is to say about it.</summary>
internal static class LogOpener
{
    /// <param name="path">Of the embedded log's directory.</param>
    /// <returns>Null: it cannot be opened, and it was said why.</returns>
    /// <exception cref="IOException"/>
    public static OpenedLog? Open(StreamPlan plan, string path, TimeProvider clock, Action<string> say) => OpenEmbedded(plan, path, clock, say);

    private static OpenedLog? OpenEmbedded(StreamPlan plan, string path, TimeProvider clock, Action<string> say)
    {
        switch (StreamLog.Open(path, new LogOptions(plan.Partitions), new Disk(), clock))
        {
            case LogOpening.Opened { Log: var log } opened:
                foreach (var torn in opened.Torn) say($"warning: the log's end was torn and is cut off, nobody had been told that it was there: {torn}");
                foreach (var note in opened.Notes) say($"warning: {note}");
                if (log.Drive is { } drive) say($"the drive: {drive.Words()}");
                if (log.Partitions.Count == plan.Partitions) return new OpenedLog(log, log.GiveUpReserve, limits => Task.WhenAll(log.Partitions.Select(partition => partition.TrimAsync(limits))));
                say($"error: the log has {log.Partitions.Count} partitions and the file wants {plan.Partitions}; their number is fixed when the log is made");
                log.Dispose();
                return null;
            case LogOpening.Locked locked:
                say($"error: process {locked.Holder} writes the log already");
                return null;
            case LogOpening.Refused refused:
                foreach (var damage in refused.Damages) say($"error: the log is damaged: {damage}");
                say("  hint: `stoker stream verify` shows all of it, `stoker stream quarantine` sets the damage aside so that the rest can be served");
                return null;
            case LogOpening.Failed failed:
                say($"error: the log cannot be opened: {failed.Words}");
                return null;
            default:
                throw new InvalidOperationException("a log that was to be made is not there");
        }
    }
}
