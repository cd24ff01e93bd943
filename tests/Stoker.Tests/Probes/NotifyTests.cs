using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Stoker.Probes;
using Xunit;

namespace Stoker.Tests.Probes;

public sealed class NotifyTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("sn").FullName;
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(30));

    [Fact]
    public void Every_assignment_of_the_protocol_is_understood()
    {
        var message = NotifyMessage.Parse("""
            READY=1
            STATUS=Loaded 3 models = fine
            MAINPID=4711
            WATCHDOG=1
            WATCHDOG_USEC=20000000
            EXTEND_TIMEOUT_USEC=1500000
            ERRNO=2
            BUSERROR=org.freedesktop.DBus.Error.TimedOut
            RELOADING=1
            MONOTONIC_USEC=42
            STOPPING=1
            X_MINE=anything
            """u8);
        Assert.True(message is { Ready: true, KeepAlive: true, Reloading: true, Stopping: true, WatchdogTrigger: false, Barrier: false });
        Assert.Equal("Loaded 3 models = fine", message.Status);
        Assert.Equal(4711, message.MainPid);
        Assert.Equal(TimeSpan.FromSeconds(20), message.WatchdogTime);
        Assert.Equal(TimeSpan.FromSeconds(1.5), message.ExtendTimeout);
        Assert.Equal((2, "org.freedesktop.DBus.Error.TimedOut"), (message.Errno, message.BusError));
        Assert.Equal(TimeSpan.FromMicroseconds(42), message.MonotonicTime);
        Assert.Empty(message.Notes);
        Assert.True(NotifyMessage.Parse("WATCHDOG=trigger\0"u8).WatchdogTrigger);
    }

    [Theory]
    [InlineData("FDSTORE=1\nFDNAME=a", "FDSTORE is not supported: descriptors are not kept across restarts; FDNAME is not supported: descriptors are not kept across restarts")]
    [InlineData("READY=yes", "`READY=yes` makes no sense and was not obeyed")]
    [InlineData("MAINPID=-3", "`MAINPID=-3` makes no sense and was not obeyed")]
    [InlineData("WATCHDOG_USEC=soon", "`WATCHDOG_USEC=soon` makes no sense and was not obeyed")]
    [InlineData("hello", "`hello` is no assignment")]
    [InlineData("COLOR=red", "COLOR is not known")]
    [InlineData("READY=1\0STATUS=x", "a message with a zero byte in it was not read")]
    public void What_is_not_done_is_noted(string text, string notes)
    {
        var message = NotifyMessage.Parse(Encoding.UTF8.GetBytes(text));
        Assert.Equal(notes, string.Join("; ", message.Notes));
        Assert.False(message.Ready);
    }

    [Fact]
    public void Huge_times_and_huge_messages_are_harmless()
    {
        Assert.True(NotifyMessage.Parse("WATCHDOG_USEC=18446744073709551615"u8).WatchdogTime > TimeSpan.FromDays(10_000_000));
        Assert.Equal(["a message of more than 4096 bytes was not read"], NotifyMessage.Parse(new byte[5000]).Notes);
    }

    [Fact]
    public async Task Messages_arrive_in_order_with_the_pid_that_the_kernel_vouches_for()
    {
        using var socket = NotifySocket.Bind(_directory, _directory, "vision.1");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(socket.Path));
        Send(socket.Path, "STATUS=one");
        Send(socket.Path, "STATUS=two\nREADY=1");
        var packets = await Take(socket, 2);
        Assert.Equal(["one", "two"], packets.Select(p => p.Message.Status));
        Assert.True(packets[1].Message.Ready);
        Assert.All(packets, p => Assert.Equal(Environment.ProcessId, p.SenderPid));
    }

    [Fact]
    public async Task The_real_systemd_notify_is_heard_and_its_barrier_is_answered()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/systemd-notify"), "systemd-notify is not installed: the protocol is tested by our own sender only");
        using var socket = NotifySocket.Bind(_directory, _directory, "real.1");
        var start = new ProcessStartInfo("/usr/bin/systemd-notify", ["--ready", "--status=warm", "--pid=4711"]) { Environment = { ["NOTIFY_SOCKET"] = socket.Path } };
        using var process = Process.Start(start)!;

        // It sends READY, then a barrier, and ends when that has been answered.
        var packets = await Take(socket, 2);
        await process.WaitForExitAsync(_patience.Token);
        Assert.Equal(0, process.ExitCode);
        Assert.True(packets[0].Message is { Ready: true, Status: "warm", MainPid: 4711 });
        Assert.True(packets[1].Message.Barrier);
    }

    [Fact]
    public async Task A_file_left_by_a_killed_daemon_is_replaced_and_the_end_removes_it()
    {
        File.WriteAllText(Path.Combine(_directory, "old.1"), "left over");
        var socket = NotifySocket.Bind(_directory, _directory, "old.1");
        Send(socket.Path, "READY=1");
        Assert.True((await Take(socket, 1))[0].Message.Ready);

        var reading = Take(socket, 1);
        socket.Dispose();
        Assert.Empty(await reading);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
    }

    [Fact]
    public void A_path_that_is_too_long_goes_to_the_fallback()
    {
        var deep = Path.Combine(_directory, new string('d', 120));
        using var socket = NotifySocket.Bind(deep, Path.Combine(_directory, "s"), "vision.1");
        Assert.Equal(Path.Combine(_directory, "s", "vision.1"), socket.Path);
        var name = new string('n', NotifySocket.LongestPath - 3);
        Assert.Equal($"/a/{name}", NotifySocket.Choose("/a", "/b", name));
        Assert.Null(NotifySocket.Choose("/a", "/b", name + "n"));
    }

    [Fact]
    public async Task Hundreds_of_sockets_share_the_runtimes_one_loop()
    {
        var sockets = Enumerable.Range(0, 200).Select(i => NotifySocket.Bind(_directory, _directory, $"s{i}")).ToList();
        try
        {
            var before = Process.GetCurrentProcess().Threads.Count;
            var reading = sockets.Select(s => Take(s, 1)).ToList();
            foreach (var socket in sockets) Send(socket.Path, "READY=1");
            var packets = await Task.WhenAll(reading);
            Assert.All(packets, p => Assert.True(p.Single().Message.Ready));
            // Not one for each; other tests begin some meanwhile.
            Assert.True(Process.GetCurrentProcess().Threads.Count - before < sockets.Count);
        }
        finally
        {
            sockets.ForEach(s => s.Dispose());
        }
    }

    public void Dispose()
    {
        _patience.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task<List<NotifyPacket>> Take(NotifySocket socket, int count)
    {
        List<NotifyPacket> packets = [];
        await foreach (var packet in socket.ReadAllAsync(_patience.Token))
        {
            packets.Add(packet);
            if (packets.Count == count) break;
        }

        return packets;
    }

    private static void Send(string path, string text)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.SendTo(Encoding.UTF8.GetBytes(text), new UnixDomainSocketEndPoint(path));
    }
}
