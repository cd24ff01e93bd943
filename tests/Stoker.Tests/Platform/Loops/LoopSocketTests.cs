using System.Net;
using System.Net.Sockets;
using Stoker.Platform.Loops;
using Xunit;

namespace Stoker.Tests.Platform.Loops;

public sealed class LoopSocketTests
{
    /// <summary>Large ones go in many parts, whose borders fall into both pieces: nobody reads before the kernel's buffers are full.</summary>
    [Theory]
    [InlineData(200, 0, 1)]
    [InlineData(0, 300, 1)]
    [InlineData(200, 32_768, 3)]
    [InlineData(9_000_000, 5_000_001, 1)]
    [InlineData(100, 12_000_000, 2)]
    public async Task Two_pieces_arrive_one_behind_the_other(int first, int second, int times)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var loop = new EventLoop("test");
        var (one, other) = (Bytes(first, 1), Bytes(second, 2));
        var sent = On(loop, () => SendAsync(loop, (IPEndPoint)listener.LocalEndpoint, one, other, times));
        using var peer = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        using var received = new MemoryStream();
        await using (var stream = new NetworkStream(peer)) await stream.CopyToAsync(received, TestContext.Current.CancellationToken);
        Assert.Equal(0, await sent);
        Assert.Equal([.. Enumerable.Repeat(one.Concat(other), times).SelectMany(bytes => bytes)], received.ToArray());
    }

    [Fact]
    public async Task A_peer_that_reads_nothing_is_given_up_at_the_deadline()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var loop = new EventLoop("test");
        var sent = On(loop, async () =>
        {
            var (socket, _) = await LoopSocket.ConnectAsync(loop, (IPEndPoint)listener.LocalEndpoint, 0);
            using (socket) return await socket!.SendAllAsync(Bytes(10, 1), Bytes(20_000_000, 2), loop.Now + 50);
        });
        using var peer = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        Assert.Equal(-SocketCalls.TimedOut, await sent);
    }

    private static async Task<int> SendAsync(EventLoop loop, IPEndPoint peer, byte[] first, byte[] second, int times)
    {
        var (socket, error) = await LoopSocket.ConnectAsync(loop, peer, 0);
        Assert.Equal(0, error);
        using (socket)
        {
            for (var left = times; left > 0; left--)
            {
                if (await socket!.SendAllAsync(first, second, more: left > 1) is var sent and < 0) return sent;
            }
        }

        return 0;
    }

    private static byte[] Bytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static Task<int> On(EventLoop loop, Func<Task<int>> work)
    {
        var done = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(() => _ = RunAsync());
        return done.Task;

        async Task RunAsync()
        {
            var ended = work();
            await ((Task)ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            done.SetFromTask(ended);
        }
    }
}
