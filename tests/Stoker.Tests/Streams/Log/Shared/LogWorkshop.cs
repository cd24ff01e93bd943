using System.Text;
using Stoker.Platform.Disks;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Reading;
using Xunit;

namespace Stoker.Tests.Streams.Log.Shared;

/// <summary>A small log on a disk in memory, and what tests do with it.</summary>
internal sealed class LogWorkshop(SimulatedDisk disk, LogOptions? options = null) : IDisposable
{
    public const string Root = "/data/log";

    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(60);

    private readonly LogOptions _options = options ?? Small;

    public static LogOptions Small { get; } = new(SegmentBytes: 64 * 1024, BatchBytes: 16 * 1024, ReserveBytes: 0, Window: TimeSpan.Zero) { ZeroAhead = 8192, TestsDrive = false };

    public SimulatedDisk Disk { get; } = disk;

    public StreamLog? Log { get; private set; }

    public Partition Partition => Log!.Partitions[0];

    public static LogWorkshop Make(LogOptions? options = null)
    {
        var disk = new SimulatedDisk();
        disk.CreateDirectory("/data");
        disk.SyncDirectory("/");
        var workshop = new LogWorkshop(disk, options);
        workshop.OpenWhole();
        return workshop;
    }

    public LogOpening Open()
    {
        var opening = StreamLog.Open(Root, _options, Disk, TimeProvider.System);
        Log = opening is LogOpening.Opened opened ? opened.Log : null;
        return opening;
    }

    public LogOpening.Opened OpenWhole()
    {
        var opening = Open();
        if (opening is LogOpening.Refused refused) Assert.Fail(string.Join('\n', refused.Damages));
        return Assert.IsType<LogOpening.Opened>(opening);
    }

    public void Close()
    {
        Log?.Dispose();
        Log = null;
    }

    public AppendResult Append(string payload, long time = 0) => Append(Partition, Encoding.UTF8.GetBytes(payload), time);

    /// <summary>Appends and waits for what becomes of it.</summary>
    public static AppendResult Append(Partition partition, ReadOnlySpan<byte> payload, long time = 0)
    {
        using var arrived = new ManualResetEventSlim();
        var inbox = new AppendInbox(arrived.Set);
        var answer = partition.Append(payload, time, (ulong)payload.Length, inbox);
        if (answer != AppendAnswer.Taken)
            return new AppendResult(answer switch { AppendAnswer.DiskFull or AppendAnswer.Busy => AppendOutcome.DiskFull, _ => AppendOutcome.Failed }, null, 0, 0, 0);
        Assert.True(arrived.Wait(Enough), "no answer came");
        return Assert.Single(inbox.Take([]));
    }

    public List<string> ReadAll(ulong from = 0) => ReadAll(Partition, from);

    /// <summary>Every record there is, and in their places words for what is not there.</summary>
    public static List<string> ReadAll(Partition partition, ulong from = 0)
    {
        using var reader = partition.Read(from);
        var found = new List<string>();
        while (true)
        {
            switch (reader.Read())
            {
                case ReadOutcome.Batch { Value: var batch }:
                    using (batch)
                    {
                        foreach (var record in batch) found.Add(Encoding.UTF8.GetString(record.Payload.Span));
                    }

                    break;
                case ReadOutcome.Gap gap:
                    found.Add($"gap {gap.From}-{gap.To}");
                    break;
                case ReadOutcome.Deleted deleted:
                    found.Add($"deleted {deleted.From}-{deleted.To}");
                    break;
                case ReadOutcome.Damaged damaged:
                    found.Add($"damaged: {damaged.Value}");
                    return found;
                case ReadOutcome.End:
                    return found;
            }
        }
    }

    /// <summary>The log's files: not the lock, nor what was measured.</summary>
    public IReadOnlyList<string> Files() => [.. Disk.Files(Root).Where(path => path.EndsWith(".log", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>A place among many of the same bytes, where one is as good as the next.</summary>
    public static bool IsFilling(ReadOnlySpan<byte> content, int at)
    {
        if (at < 80 || at + 40 > content.Length) return false;
        var around = content.Slice(at - 40, 80);
        return !around.ContainsAnyExcept(around[0]);
    }

    public void Dispose() => Close();
}
