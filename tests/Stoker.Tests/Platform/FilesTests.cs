using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Platform;

public sealed class FilesTests : IDisposable
{
    private readonly Workshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public async Task A_reader_sees_the_old_content_or_the_new_and_never_a_part()
    {
        var path = _workshop.PathOf("state");
        var contents = new[] { new string('a', 100_000), new string('b', 50_000) };
        Files.AtomicWrite(path, contents[0]);
        var done = false;
        var writer = Task.Run(() =>
        {
            for (var i = 0; i < 50; i++)
            {
                Files.AtomicWrite(path, contents[i % 2]);
            }

            Volatile.Write(ref done, true);
        });

        while (!Volatile.Read(ref done))
        {
            Assert.Contains(Files.ReadAllText(path), contents);
        }

        await writer.WaitAsync(Workshop.Patience);
        Assert.Equal([path], Directory.GetFiles(_workshop.Root, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void What_is_written_is_private_unless_asked_otherwise()
    {
        Files.CreateDirectory(_workshop.PathOf("a/b"));
        Files.AtomicWrite(_workshop.PathOf("a/b/secret"), "x");
        Files.AtomicWrite(_workshop.PathOf("a/b/open"), "x", (UnixFileMode)0x1FF);
        Files.OpenAppend(_workshop.PathOf("a/b/lines")).Dispose();
        Files.MakeFifo(_workshop.PathOf("a/b/pipe"));

        Assert.Equal(Files.PrivateDirectory, Files.Mode(_workshop.PathOf("a/b")));
        Assert.Equal((UnixFileMode)0x1FF, Files.Mode(_workshop.PathOf("a/b/open")));
        Assert.All(["secret", "lines", "pipe"], name => Assert.Equal(Files.PrivateFile, Files.Mode(_workshop.PathOf("a/b/" + name))));
    }

    [Fact]
    public void A_write_that_fails_leaves_the_old_content_and_no_litter()
    {
        var path = _workshop.PathOf("taken");
        Files.CreateDirectory(path);

        Assert.ThrowsAny<Exception>(() => Files.AtomicWrite(path, "x"));

        Assert.Equal([path], Directory.GetFileSystemEntries(_workshop.Root));
        Assert.Throws<DirectoryNotFoundException>(() => Files.AtomicWrite(_workshop.PathOf("nowhere/x"), "x"));
    }

    [Fact]
    public void What_is_not_there_is_no_error_to_ask_for_or_to_delete()
    {
        var path = _workshop.PathOf("nowhere/file");

        Files.Delete(path);
        Files.DeleteTree(path);

        Assert.Null(Files.ReadIfPresent(path));
        Assert.Empty(Files.List(path));
    }

    [Fact]
    public void A_fifo_is_kept_and_a_file_in_its_place_is_an_error()
    {
        Files.MakeFifo(_workshop.PathOf("pipe"));
        Files.MakeFifo(_workshop.PathOf("pipe"));

        var error = Assert.Throws<IOException>(() => Files.MakeFifo(_workshop.NewFile()));
        Assert.Contains("File exists", error.Message);
    }

    [Fact]
    public void A_lock_has_one_holder_who_can_be_named()
    {
        var path = _workshop.PathOf("lock");
        var first = FileLock.TryTake(path, "pid 812", out _);
        Assert.NotNull(first);

        Assert.Null(FileLock.TryTake(path, "pid 813", out var holder));
        Assert.Equal("pid 812", holder);

        first.Dispose();
        using var second = FileLock.TryTake(path, "813", out _);
        Assert.NotNull(second);
        Assert.Equal("813\n", Files.ReadAllText(path));
    }

    [Fact]
    public async Task A_lock_ends_with_the_process_that_holds_it()
    {
        var path = _workshop.PathOf("lock");
        var held = _workshop.PathOf("held");
        var holder = _workshop.Launch($"exec 9>{path}; flock 9; echo yes > {held}; exec sleep 100");
        await Workshop.Line(held);
        Assert.Null(FileLock.TryTake(path, "", out _));

        holder.Signal(Signals.Kill);
        await Workshop.End(holder);

        using var taken = FileLock.TryTake(path, "", out _);
        Assert.NotNull(taken);
    }

    [Fact]
    public async Task A_poller_tells_of_bytes_in_many_fifos_until_it_is_told_to_stop()
    {
        using var poller = new Poller("test fifos");
        var read = new System.Collections.Concurrent.ConcurrentDictionary<int, string>();
        var fifos = Enumerable.Range(0, 20).Select(number =>
        {
            Files.MakeFifo(_workshop.PathOf("pipe" + number));
            return new FifoReader(_workshop.PathOf("pipe" + number));
        }).ToList();
        var registrations = fifos.Select((fifo, number) => poller.Register(fifo.Descriptor, PollEvents.Readable, _ =>
        {
            Assert.True(poller.IsCurrentThread);
            var buffer = new byte[100];
            read.AddOrUpdate(number, _ => Text(fifo, buffer), (_, before) => before + Text(fifo, buffer));
        })).ToList();

        await Task.WhenAll(Enumerable.Range(0, 20).Select(number => _workshop.Run($"echo {number} > {_workshop.PathOf("pipe" + number)}")));
        await Workshop.Until(() => read.Count == 20);

        Assert.All(read, pair => Assert.Equal($"{pair.Key}\n", pair.Value));
        registrations[3].Dispose();
        await _workshop.Run($"echo again > {_workshop.PathOf("pipe3")}; echo again > {_workshop.PathOf("pipe4")}");
        await Workshop.Until(() => read[4] == "4\nagain\n");
        Assert.Equal("3\n", read[3]);
        fifos.ForEach(fifo => fifo.Dispose());

        static string Text(FifoReader fifo, byte[] buffer) => Encoding.UTF8.GetString(buffer, 0, fifo.Read(buffer));
    }

    [Fact]
    public async Task A_posted_action_runs_on_the_pollers_thread()
    {
        using var poller = new Poller("test posts");
        var ran = new TaskCompletionSource<bool>();

        poller.Post(() => ran.SetResult(poller.IsCurrentThread));

        Assert.True(await ran.Task.WaitAsync(Workshop.Patience));
    }

    [Fact]
    public void A_new_file_is_made_without_being_opened_and_one_that_is_there_is_kept()
    {
        // To close a file drops the locks that its process has on it, and SQLite, which would not hear of it, may have taken some by then.
        const uint opened = 0x20, closed = 0x8 | 0x10, created = 0x100;
        var path = _workshop.PathOf("made");
        using var watch = new SafeFileHandle(WatchOpen(0x800), ownsHandle: true);
        Assert.True(WatchAdd(watch, Path.GetDirectoryName(path)!, opened | closed | created) >= 0);
        Files.CreateEmpty(path);
        Files.CreateEmpty(path);
        var seen = new byte[4096];
        // Descriptor of the watch, mask, cookie, length of the name, the name.
        var read = Read(watch, seen, seen.Length);
        Assert.Equal(created, BitConverter.ToUInt32(seen, 4));
        Assert.Equal(16 + BitConverter.ToInt32(seen, 12), read);
        Assert.Equal((0, UnixFileMode.UserRead | UnixFileMode.UserWrite), (new FileInfo(path).Length, File.GetUnixFileMode(path)));
        File.WriteAllText(path, "kept");
        Files.CreateEmpty(path);
        Assert.Equal("kept", File.ReadAllText(path));
        Assert.Throws<IOException>(() => Files.CreateEmpty(_workshop.PathOf("nowhere/x")));
    }

    [DllImport("libc", EntryPoint = "inotify_init1")]
    private static extern int WatchOpen(int flags);

    [DllImport("libc", EntryPoint = "inotify_add_watch", CharSet = CharSet.Ansi)]
    private static extern int WatchAdd(SafeFileHandle watch, string path, uint mask);

    [DllImport("libc", EntryPoint = "read")]
    private static extern nint Read(SafeFileHandle file, byte[] into, nint size);
}
