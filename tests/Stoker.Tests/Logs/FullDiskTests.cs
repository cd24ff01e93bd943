using System.Collections.Concurrent;
using System.Diagnostics;
using Stoker.Logs;
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

    private sealed class SmallDisk : IDisposable
    {
        private SmallDisk(string path) => Path = path;

        public string Path { get; }

        public static SmallDisk Mount(string size)
        {
            string path = Directory.CreateTempSubdirectory("stoker-disk-").FullName;
            using Process? mount = Start("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", path);
            mount?.WaitForExit();
            if (mount is not { ExitCode: 0 })
            {
                Directory.Delete(path);
                Assert.Skip("a full disk needs a small file system of its own, and mounting one was refused: run as root");
            }

            return new SmallDisk(path);
        }

        public string Fill(long leaving)
        {
            string path = System.IO.Path.Combine(Path, "ballast");
            using FileStream file = File.Create(path, 1);
            file.Write(new byte[new DriveInfo(Path).AvailableFreeSpace - leaving]);
            return path;
        }

        public void Dispose()
        {
            using Process? unmount = Start("umount", "-l", Path);
            unmount?.WaitForExit();
            Directory.Delete(Path);
        }

        private static Process? Start(string command, params string[] arguments)
        {
            try
            {
                return Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true });
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return null;
            }
        }
    }
}
