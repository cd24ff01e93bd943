using Stoker.Platform.Disks;

namespace Stoker.Streams.Log.Opening;

/// <summary>What a log's directory has, all partitions together; nothing is changed by looking.</summary>
/// <param name="Identity">Null: it cannot be read, which is among the damages.</param>
internal sealed record LogSurvey(LogIdentity? Identity, IReadOnlyList<PartitionFindings> Partitions, IReadOnlyList<LogDamage> Damages)
{
    /// <param name="everyByte">Without, sealed segments are believed, and only the last of each partition is read.</param>
    /// <exception cref="IOException"/>
    public static LogSurvey Run(IDisk disk, string path, bool everyByte)
    {
        var bytes = disk.ReadFile(Path.Combine(path, LogIdentity.FileName));
        if (bytes is null || LogIdentity.TryRead(bytes) is not { } identity)
        {
            var words = bytes is null ? "it is not there, though the directory is not empty" : "it is not as it was written";
            return new LogSurvey(null, [], [new LogDamage(DamageKind.Identity, -1, LogIdentity.FileName, 0, 0, 0, 0, words)]);
        }

        var partitions = Enumerable.Range(0, identity.Partitions).Select(number => new PartitionSurvey(disk, path, identity.Id, number, everyByte).Run()).ToList();
        return new LogSurvey(identity, partitions, [.. partitions.SelectMany(found => found.Damages)]);
    }
}
