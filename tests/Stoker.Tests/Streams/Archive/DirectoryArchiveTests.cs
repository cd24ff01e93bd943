using System.Security.Cryptography;
using Stoker.Streams.Archive;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Archive;

/// <summary>A directory on a disk that loses what was not synced.</summary>
public sealed class DirectoryArchiveTests
{
    private const string Name = "frames/raw/log=1/partition=0/date=2026-11-21/00000000000000000000.ndjson.gz";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_put_is_there_as_a_whole_after_a_power_cut_at_any_call_or_not_at_all()
    {
        var (was, becomes) = (Content(1), Content(2));
        var cuts = 0;
        for (var at = 1; ; at++)
        {
            var disk = Disk();
            if (at % 2 == 0) await PutAsync(disk, was);
            var (before, call) = (disk.Calls, at);
            disk.CutAt = (_, _, number) => number - before >= call;
            var isDone = await TriedAsync(disk, becomes);
            if (disk.IsDark) cuts++;
            disk.CutAt = null;
            var after = disk.AfterPowerCut(new Random(at));
            var found = await ReadAsync(after);
            if (isDone) Assert.Equal(becomes, found);
            else Assert.True(found is null ? at % 2 == 1 : found.AsSpan().SequenceEqual(becomes) || (at % 2 == 0 && found.AsSpan().SequenceEqual(was)), $"call {at}: {found?.Length} bytes that are neither");
            if (isDone && at > 40) break;
        }

        Assert.InRange(cuts, 8, 100);
    }

    [Fact]
    public async Task A_disk_that_fails_at_any_call_is_told_and_the_same_again_puts_it()
    {
        for (var at = 1; at <= 20; at++)
        {
            var disk = Disk();
            var (before, call) = (disk.Calls, at);
            disk.Fault = (_, _, number) => number - before == call ? DiskFault.Full : null;
            await TriedAsync(disk, Content(1));
            disk.Fault = null;
            await PutAsync(disk, Content(1));
            Assert.Equal(Content(1), await ReadAsync(disk));
            Assert.Equal([Name], await ListAsync(disk));
        }
    }

    [Fact]
    public async Task What_is_not_what_was_summed_is_not_put()
    {
        var disk = Disk();
        using var archive = new DirectoryArchive(disk, "/data/archive");
        using var content = new MemoryStream(Content(1));
        await Assert.ThrowsAsync<ArchiveUnavailableException>(() => archive.PutAsync(Name, content, SHA256.HashData(Content(2)), Cancellation));
        Assert.Null(await ReadAsync(disk));
        Assert.Empty(await ListAsync(disk));
    }

    private static SimulatedDisk Disk()
    {
        var disk = new SimulatedDisk();
        disk.CreateDirectory("/data");
        disk.SyncDirectory("/");
        return disk;
    }

    private static byte[] Content(int seed)
    {
        var bytes = new byte[300_000];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static async Task<bool> TriedAsync(SimulatedDisk disk, byte[] bytes)
    {
        try
        {
            await PutAsync(disk, bytes);
            return true;
        }
        catch (ArchiveUnavailableException failed)
        {
            Assert.Contains("/data/archive", failed.Message, StringComparison.Ordinal);
            return false;
        }
    }

    private static async Task PutAsync(SimulatedDisk disk, byte[] bytes)
    {
        using var archive = new DirectoryArchive(disk, "/data/archive");
        using var content = new MemoryStream(bytes);
        await archive.PutAsync(Name, content, SHA256.HashData(bytes), Cancellation);
    }

    private static async Task<byte[]?> ReadAsync(SimulatedDisk disk)
    {
        using var archive = new DirectoryArchive(disk, "/data/archive");
        await using var stream = await archive.ReadAsync(Name, Cancellation);
        if (stream is null) return null;
        using var content = new MemoryStream();
        await stream.CopyToAsync(content, Cancellation);
        return content.ToArray();
    }

    private static async Task<List<string>> ListAsync(SimulatedDisk disk)
    {
        using var archive = new DirectoryArchive(disk, "/data/archive");
        var names = new List<string>();
        await foreach (var name in archive.ListAsync("frames/", Cancellation)) names.Add(name);
        return names;
    }
}
