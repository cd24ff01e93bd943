using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Opening;
using Stoker.Streams.Log.Writing;

namespace Stoker.Streams.Log;

/// <summary>An open log: a directory with its identity, a lock, and a directory for each partition.</summary>
internal sealed class StreamLog : IEventLog
{
    /// <summary>Held by whoever may change the log; its text is the holder's process id.</summary>
    public const string LockName = "lock";

    private readonly IDisposable _lock;
    private readonly Reserve _reserve;

    private StreamLog(string directory, LogId id, IReadOnlyList<Partition> partitions, Reserve reserve, DriveReport? drive, IDisposable heldLock)
    {
        (Directory, Id, Partitions, _reserve, Drive, _lock) = (directory, id, partitions, reserve, drive, heldLock);
    }

    public string Directory { get; }

    public LogId Id { get; }

    public IReadOnlyList<Partition> Partitions { get; }

    string IEventLog.Name => Id.ToString();

    IReadOnlyList<IEventPartition> IEventLog.Partitions => Partitions;

    string IEventLog.Acknowledged => "the log has it on disk";

    string? IEventLog.Words => Drive?.Words();

    /// <summary>What was measured when the log was made; null: nothing that can be read.</summary>
    public DriveReport? Drive { get; }

    /// <summary>Opens a log to write and to read it; makes it where there is none.</summary>
    /// <param name="make">False: only one that is there.</param>
    public static LogOpening Open(string path, LogOptions options, IDisk disk, TimeProvider clock, bool make = true)
    {
        LogCreation.Check(options);
        try
        {
            if (disk.List(path) is not { Count: > 0 })
            {
                if (!make) return new LogOpening.NotThere();
                // One at a time makes it; who waited for that finds it there.
                using var making = disk.Lock($"{path}.making", $"{HostEnvironment.ProcessId}", out var maker);
                if (making is null) return new LogOpening.Locked(maker);
                if (disk.List(path) is not { Count: > 0 }) LogCreation.Run(path, options, disk, clock);
            }

            var held = disk.Lock(Path.Combine(path, LockName), $"{HostEnvironment.ProcessId}", out var holder);
            if (held is null) return new LogOpening.Locked(holder);
            try
            {
                // Who made it may have been killed before its name was durable.
                DiskCalls.Check(disk.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!), "sync the directory of", path);
                var opening = Open(path, options, disk, held);
                if (opening is not LogOpening.Opened) held.Dispose();
                return opening;
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
        catch (IOException e)
        {
            return new LogOpening.Failed(e.Message, e.HResult);
        }
    }

    /// <summary>Room for what must be written although the disk is full; taken again when there is some.</summary>
    /// <exception cref="IOException"/>
    public void GiveUpReserve() => _reserve.GiveUp();

    /// <summary>None beyond the partitions' own.</summary>
    public IReadOnlyList<LogMetric> Metrics() => [];

    /// <summary>Commits what waits, and closes.</summary>
    public void Dispose()
    {
        foreach (var partition in Partitions) partition.Dispose();
        _lock.Dispose();
    }

    private static LogOpening Open(string path, LogOptions options, IDisk disk, IDisposable held)
    {
        if (LogSurvey.Run(disk, path, everyByte: false) is var survey && survey.Damages.Count > 0) return new LogOpening.Refused(survey.Damages);
        // A full disk is no reason not to serve what is there; the first probe takes it then.
        var reserve = new Reserve(disk, path, options.ReserveBytes);
        _ = reserve.Take();
        var drive = DriveTest.Read(disk, path);
        var window = options.Window ?? drive?.Window ?? TimeSpan.Zero;
        var opened = new List<PartitionOpened>();
        var partitions = new List<Partition>();
        try
        {
            foreach (var found in survey.Partitions) opened.Add(PartitionRecovery.Run(disk, Path.Combine(path, found.Partition.ToString()), found));
            foreach (var each in opened) partitions.Add(new Partition(disk, path, survey.Identity!.Id, each, options, reserve, window));
        }
        catch
        {
            foreach (var each in partitions) each.Dispose();
            foreach (var each in opened.Skip(partitions.Count)) each.File.Dispose();
            throw;
        }

        return new LogOpening.Opened(
            new StreamLog(path, survey.Identity!.Id, partitions, reserve, drive, held),
            [.. survey.Partitions.Select(found => found.Torn).OfType<TornTail>()],
            [.. survey.Partitions.SelectMany(found => found.Notes), .. Differences(survey.Identity, options)]);
    }

    private static IEnumerable<string> Differences(LogIdentity identity, LogOptions options) => identity.Partitions == options.Partitions ? [] :
        [$"the log was made with {identity.Partitions} partitions and keeps them, though {options.Partitions} are asked for"];
}
