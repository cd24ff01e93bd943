using System.Buffers.Binary;
using Stoker.Platform.Disks;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Opening;
using Stoker.Streams.Log.Reading;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Log;

/// <summary>On the machine's own disk, with many threads.</summary>
public sealed class RealLogTests : IDisposable
{
    private static readonly LogOptions Options = new(Partitions: 2, SegmentBytes: 1 << 20, BatchBytes: 64 * 1024, ReserveBytes: 1 << 20) { TestsDrive = false };

    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("stoker-log-").FullName, "log");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);

    [Fact]
    public async Task Appended_by_many_read_by_many_and_verified_meanwhile_every_record_is_there_once()
    {
        const int perWriter = 3000;
        using var log = Open();
        var readers = log.Partitions.Select(partition => Task.Run(() => Follow(partition, 2 * perWriter))).ToList();
        var writers = Enumerable.Range(0, 4).Select(writer => Task.Run(() => Write(log.Partitions[writer % 2], writer, perWriter))).ToList();
        while (!Task.WhenAll(writers).IsCompleted)
        {
            var report = LogVerifier.Run(Disk.Instance, _path);
            Assert.True(report.IsWhole, string.Join('\n', report.Damages));
        }

        await Task.WhenAll(writers);
        var seen = await Task.WhenAll(readers);
        foreach (var (partition, numbers) in seen.Index())
        {
            foreach (var writer in new[] { partition, partition + 2 })
                Assert.Equal(Enumerable.Range(0, perWriter), numbers.Where(each => each >> 20 == writer).Select(each => each & 0xFFFFF));
        }

        var end = LogVerifier.Run(Disk.Instance, _path);
        Assert.True(end.IsWhole);
        Assert.Equal(4UL * perWriter, end.Records);
    }

    [Fact]
    public void Only_one_process_writes()
    {
        using var log = Open();
        var second = Assert.IsType<LogOpening.Locked>(StreamLog.Open(_path, Options, Disk.Instance, TimeProvider.System));
        Assert.Equal($"{Environment.ProcessId}", second.Holder);
    }

    [Fact]
    public void What_is_no_log_is_not_made_one()
    {
        Assert.IsType<LogOpening.NotThere>(StreamLog.Open(_path, Options, Disk.Instance, TimeProvider.System, make: false));
        Directory.CreateDirectory(_path);
        File.WriteAllText(Path.Combine(_path, "photo.jpg"), "x");
        Assert.Equal(DamageKind.Identity, Assert.Single(Assert.IsType<LogOpening.Refused>(StreamLog.Open(_path, Options, Disk.Instance, TimeProvider.System)).Damages).Kind);
        Assert.IsType<LogOpening.Failed>(StreamLog.Open("/proc/none/log", Options, Disk.Instance, TimeProvider.System));
    }

    [Fact]
    public void Appending_allocates_nothing_for_a_record()
    {
        using var log = Open(Options with { MostWaiting = 256 * 1024 });
        var inbox = new AppendInbox(() => { });
        var payload = new byte[600];
        var list = new List<AppendResult>();
        Append(5000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Append(5000);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);

        void Append(int count)
        {
            for (var i = 0; i < count;)
            {
                if (log.Partitions[0].Append(payload, i, 1, inbox) == AppendAnswer.Taken) i++;
                list = inbox.Take(list);
            }
        }
    }

    private StreamLog Open(LogOptions? options = null) => Assert.IsType<LogOpening.Opened>(StreamLog.Open(_path, options ?? Options, Disk.Instance, TimeProvider.System)).Log;

    private static void Write(Partition partition, int writer, int count)
    {
        using var arrived = new SemaphoreSlim(0);
        var inbox = new AppendInbox(() => arrived.Release());
        var (payload, answered, results) = (new byte[500], 0, new List<AppendResult>());
        for (var number = 0; number < count;)
        {
            BinaryPrimitives.WriteInt32LittleEndian(payload, (writer << 20) | number);
            if (partition.Append(payload.AsSpan(0, 4 + (number % 496)), number, (ulong)writer, inbox) == AppendAnswer.Taken) number++;
        }

        while (answered < count)
        {
            arrived.Wait();
            results = inbox.Take(results);
            Assert.All(results, result => Assert.Equal(AppendOutcome.Durable, result.Outcome));
            answered += results.Count;
        }
    }

    private static async Task<List<int>> Follow(Partition partition, int count)
    {
        using var reader = partition.Read(0);
        var numbers = new List<int>();
        while (numbers.Count < count)
        {
            await reader.WaitAsync();
            using var batch = Assert.IsType<ReadOutcome.Batch>(reader.Read()).Value;
            foreach (var record in batch)
            {
                Assert.Equal((ulong)numbers.Count, record.Offset);
                numbers.Add(BinaryPrimitives.ReadInt32LittleEndian(record.Payload.Span));
            }
        }

        return numbers;
    }
}
