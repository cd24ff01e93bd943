using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Kafka;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Work;

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
    public static OpenedLog? Open(StreamPlan plan, string path, TimeProvider clock, Action<string> say) =>
        plan.Log is { } log ? OpenKafka(plan, log, clock, say) : OpenEmbedded(plan, path, clock, say);

    /// <summary>What can be told of a log, whether the stream's process runs or not. Changes nothing.</summary>
    /// <param name="variable">Of the environment.</param>
    /// <returns>Null: there is none, because the stream has never run.</returns>
    /// <exception cref="IOException"/>
    public static LogView? Look(StreamPlan plan, string path, Func<string, string?> variable, TimeProvider clock, Action<string> say) =>
        plan.Log is { } log ? KafkaView.Open(SettingsOf(plan, log, variable), StreamState.IngestOf(plan), clock, say) : LogFiles.Look(Disk.Instance, path)?.ToView();

    private static OpenedLog OpenKafka(StreamPlan plan, string address, TimeProvider clock, Action<string> say)
    {
        var log = KafkaLog.Open(SettingsOf(plan, address, HostEnvironment.Variable), plan.Partitions > 0 ? plan.Partitions : null, StreamState.IngestOf(plan), clock, say);
        return new OpenedLog(log, null, null);
    }

    /// <exception cref="IOException">The plan names a log that is none, or a variable that is not there.</exception>
    private static KafkaSettings SettingsOf(StreamPlan plan, string log, Func<string, string?> variable)
    {
        if (KafkaAddress.Parse(log, out var address) is { } problem) throw new IOException($"`{log}`: {problem}");
        var password = plan.LogPasswordVariable is { } name ? variable(name) ?? throw new IOException($"the variable `{name}`, which has the password of Kafka's user, is not set") : null;
        return new KafkaSettings(address!, plan.Name, password);
    }

    private static OpenedLog? OpenEmbedded(StreamPlan plan, string path, TimeProvider clock, Action<string> say)
    {
        switch (StreamLog.Open(path, new LogOptions(plan.Partitions), Disk.Instance, clock))
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
