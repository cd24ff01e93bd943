using System.Collections.Concurrent;
using System.Diagnostics;
using Stoker.Logs;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Logs;

public sealed class FullDiskTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task On_a_full_disk_output_waits_and_all_of_it_is_stored_once_there_is_room(bool pipesToo)
    {
        using var disk = SmallDisk.Mount("4m");
        using var elsewhere = new LogBench();
        using var bench = new LogBench(disk.Path, new LogRotation(1 << 20, 100));
        LogSource source = pipesToo ? bench.Source : bench.Source with { OutputFifo = elsewhere.Source.OutputFifo, ErrorFifo = elsewhere.Source.ErrorFifo };
        var events = new ConcurrentQueue<LogPumpEvent>();
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        using var pump = new LogPump(time, events.Enqueue);
        LogAttachment attachment = pump.Attach(source);
        LogSource lucky = elsewhere.For("lucky", 1);
        LogAttachment other = pump.Attach(lucky);
        string ballast = disk.Fill(leaving: 100_000);

        Process flood = bench.Start("exec seq -f 'line %.0f' 1 40000", source);
        await LogBench.Until(() => !events.IsEmpty);
        elsewhere.Start("echo still here", lucky).WaitForExit();
        await other.DrainAsync();
        time.Advance(TimeSpan.FromSeconds(1));
        time.Advance(TimeSpan.FromSeconds(1));

        // The service goes on: what it writes fits into its pipe.
        await flood.WaitForExitAsync();
        Task drained = attachment.DrainAsync();
        Assert.False(drained.IsCompleted);
        Assert.Equal(28 /* ENOSPC */, Assert.IsType<LogPumpEvent.StorageFailed>(Assert.Single(events)).Error);

        File.Delete(ballast);
        time.Advance(TimeSpan.FromSeconds(1));
        await drained;
        Assert.IsType<LogPumpEvent.StorageRecovered>(events.Last());
        Assert.Equal(2, events.Count);
        Assert.Equal(Enumerable.Range(1, 40_000).Select(static number => $"line {number}"), await bench.Messages());
    }
}
