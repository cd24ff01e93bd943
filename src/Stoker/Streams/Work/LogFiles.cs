using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Opening;
using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Work;

/// <summary>What of a stream can be told from its files, whether its process runs or not. Changes nothing.</summary>
/// <param name="Damages">What is not as it was written, without a look into sealed segments: the verifier looks there.</param>
internal sealed record LogFiles(LogId Log, IReadOnlyList<PartitionFiles> Partitions, IReadOnlyList<LogDamage> Damages)
{
    /// <summary>Null: there is no log, because the stream has never run.</summary>
    /// <exception cref="IOException">Also when nobody can tell whose log it is.</exception>
    public static LogFiles? Look(IDisk disk, string log)
    {
        if (disk.List(log) is not { Count: > 0 }) return null;
        var survey = LogSurvey.Run(disk, log, everyByte: false);
        // What was half-way through a change is whole a moment later.
        if (survey.Damages.Count > 0) survey = LogSurvey.Run(disk, log, everyByte: false);
        if (survey.Identity is not { } identity) throw new IOException($"the log cannot be read: {survey.Damages[0]}");
        return new LogFiles(identity.Id, [.. survey.Partitions.Select(found => new PartitionFiles(disk, identity.Id, found))], survey.Damages);
    }

    /// <summary>How many dead letters wait.</summary>
    public static long DeadLetters(string directory)
    {
        if (!Files.Exists(Path.Combine(directory, DeadLetterStore.FileName))) return 0;
        using var letters = DeadLetterStore.Open(directory);
        return letters.Count();
    }

    /// <summary>As whoever reads any log has it.</summary>
    public LogView ToView() => new(Log.ToString(), Partitions, Damages);
}
