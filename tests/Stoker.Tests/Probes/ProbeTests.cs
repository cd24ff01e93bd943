using System.Net;
using System.Net.Sockets;
using System.Text;
using Stoker.Estates;
using Stoker.Probes;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Probes;

public sealed class ProbeTests
{
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(20), Hasty = TimeSpan.FromMilliseconds(150);

    [Fact]
    public async Task A_port_that_accepts_is_healthy_and_the_connection_is_closed()
    {
        using var peer = new Peer();
        var outcome = await Ask(new ProbeSpec.Tcp("localhost", peer.Port));
        Assert.IsType<ProbeOutcome.Healthy>(outcome);
        Assert.Equal($"127.0.0.1:{peer.Port} accepts connections", outcome.Detail);

        using var accepted = await peer.AcceptAsync();
        Assert.Equal(0, await accepted.ReceiveAsync(new byte[1]));
    }

    [Fact]
    public async Task A_connection_that_has_to_be_held_is_ended_only_by_the_one_who_asks()
    {
        using var peer = new Peer();
        var asking = Ask(new ProbeSpec.Tcp("127.0.0.1", peer.Port) { Held = TimeSpan.FromMilliseconds(200) });
        using (await peer.AcceptAsync()) Assert.Equal($"127.0.0.1:{peer.Port} holds connections", (await asking).Detail);

        asking = Ask(new ProbeSpec.Tcp("127.0.0.1", peer.Port) { Held = Patient });
        using (var accepted = await peer.AcceptAsync())
        {
            await accepted.SendAsync("SSH-2.0"u8.ToArray());
            Assert.Equal($"127.0.0.1:{peer.Port} speaks", Assert.IsType<ProbeOutcome.Healthy>(await asking).Detail);
        }

        asking = Ask(new ProbeSpec.Tcp("127.0.0.1", peer.Port) { Held = Patient });
        (await peer.AcceptAsync()).Dispose();
        Assert.Contains("nobody takes them at the other end", Assert.IsType<ProbeOutcome.Unhealthy>(await asking).Detail, StringComparison.Ordinal);

        asking = Create(new ProbeSpec.Tcp("127.0.0.1", peer.Port) { Held = Patient }, ProbeTarget.Here, Hasty).AskAsync(default).AsTask();
        // The kernel takes the connection, and holds it for as long as nobody asks for it.
        Assert.IsType<ProbeOutcome.TimedOut>(await asking);
    }

    [Fact]
    public async Task A_refused_connection_is_an_outcome_and_not_an_exception()
    {
        using var nobody = new HeldPort();
        var port = nobody.Number;
        var probe = Create(new ProbeSpec.Tcp("127.0.0.1", port), ProbeTarget.Here, Patient);
        await probe.AskAsync(default);

        var thrown = 0;
        // Of this test's probe: others are asked at the same time.
        var isMine = new AsyncLocal<bool> { Value = true };
        void Count(object? sender, System.Runtime.ExceptionServices.FirstChanceExceptionEventArgs e)
        {
            if (isMine.Value && e.Exception is SocketException && e.Exception.StackTrace?.Contains("Stoker.Probes", StringComparison.Ordinal) == true) Interlocked.Increment(ref thrown);
        }

        AppDomain.CurrentDomain.FirstChanceException += Count;
        ProbeOutcome outcome;
        try
        {
            outcome = await probe.AskAsync(default);
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= Count;
        }

        Assert.IsType<ProbeOutcome.Unhealthy>(outcome);
        Assert.Equal($"connection refused by 127.0.0.1:{port}", outcome.Detail);
        Assert.Equal(0, thrown);
    }

    [Fact]
    public async Task Localhost_is_asked_at_both_loopback_addresses()
    {
        using var peer = new Peer(IPAddress.IPv6Loopback);
        var outcome = await Ask(new ProbeSpec.Tcp("localhost", peer.Port));
        Assert.Equal($"[::1]:{peer.Port} accepts connections", Assert.IsType<ProbeOutcome.Healthy>(outcome).Detail);
    }

    [Fact]
    public async Task A_declared_port_is_asked_where_the_replica_has_it()
    {
        using var peer = new Peer();
        _ = peer.Answer("HTTP/1.1 204 No Content\r\n\r\n");
        var target = ProbeTarget.Here with { Ports = [(7300, peer.Port)] };
        Assert.IsType<ProbeOutcome.Healthy>(await Ask(new ProbeSpec.Tcp("127.0.0.1", 7300), target));
        var outcome = await Ask(new ProbeSpec.Http(new Uri("http://localhost:7300/health")), target);
        Assert.Equal($"GET http://localhost:{peer.Port}/health answered 204 No Content", Assert.IsType<ProbeOutcome.Healthy>(outcome).Detail);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", null, true, "answered 200 OK")]
    [InlineData("HTTP/1.0 302 Found\r\nLocation: /login\r\n\r\n", null, true, "answered 302 Found")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", null, true, "answered 200 OK")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", null, true, "answered 200 OK")]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\n\r\n", null, false, "answered 503 Service Unavailable")]
    [InlineData("HTTP/1.1 401\r\n\r\n", 401, true, "answered 401")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", 204, false, "answered 200 OK, not 204")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", null, false, "answered what is not HTTP: `SSH-2.0-OpenSSH_9.2`")]
    [InlineData("HTTP/1.1 2", null, false, ": the connection was closed in the middle of the answer's head, after 10 bytes")]
    [InlineData("", null, false, ": the connection was closed without an answer")]
    public async Task The_head_of_an_answer_decides(string answer, int? status, bool healthy, string words)
    {
        using var peer = new Peer();
        _ = peer.Answer(answer);
        var outcome = await Ask(new ProbeSpec.Http(new Uri($"http://127.0.0.1:{peer.Port}/health"), status));
        Assert.Equal(healthy, outcome.IsHealthy);
        Assert.Contains(words, outcome.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_request_is_plain_and_secrets_stay_out_of_the_words()
    {
        using var peer = new Peer();
        var asked = peer.Answer("HTTP/1.1 500 Oops\r\n\r\n");
        var outcome = await Ask(new ProbeSpec.Http(new Uri($"http://me:pass%20word@127.0.0.1:{peer.Port}/ready?token=hush")));
        Assert.Equal($"GET http://127.0.0.1:{peer.Port}/ready?… answered 500 Oops", outcome.Detail);
        var request = await asked;
        Assert.StartsWith($"GET /ready?token=hush HTTP/1.1\r\nHost: 127.0.0.1:{peer.Port}\r\n", request, StringComparison.Ordinal);
        Assert.Contains("Connection: close\r\n", request, StringComparison.Ordinal);
        Assert.Contains($"Authorization: Basic {Convert.ToBase64String("me:pass word"u8)}\r\n", request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reset_is_unhealthy_and_says_so()
    {
        using var peer = new Peer();
        peer.OnAccept(async socket =>
        {
            await socket.ReceiveAsync(new byte[1]);
            socket.LingerState = new LingerOption(true, 0);
        });
        var outcome = await Ask(new ProbeSpec.Http(new Uri($"http://127.0.0.1:{peer.Port}/")));
        Assert.Equal($"GET http://127.0.0.1:{peer.Port}/: connection reset by 127.0.0.1:{peer.Port}", Assert.IsType<ProbeOutcome.Unhealthy>(outcome).Detail);
    }

    [Fact]
    public async Task A_server_that_drips_its_head_ends_at_the_timeout()
    {
        using var peer = new Peer();
        var dripped = new TaskCompletionSource();
        peer.OnAccept(async socket =>
        {
            await socket.SendAsync("HTTP/1.1 200 OK\r\nX-Slow: "u8.ToArray());
            try
            {
                // Ends when the prober has closed its side, in order or by a reset.
                while (await socket.ReceiveAsync(new byte[1024]) > 0) await socket.SendAsync("x"u8.ToArray());
            }
            catch (SocketException)
            {
                // A reset.
            }

            dripped.TrySetResult();
        });
        var (late, after) = await AskTooLateAsync(new ProbeSpec.Http(new Uri($"http://127.0.0.1:{peer.Port}/slow")), Hasty, "bytes of the answer's head");
        Assert.Equal(after, late.After);
        Assert.Matches("bytes of the answer's head within [0-9.]+ m?s", late.Detail);
        await dripped.Task;
    }

    [Fact]
    public async Task A_server_that_says_nothing_ends_at_the_callers_token()
    {
        using var peer = new Peer();
        using var stop = new CancellationTokenSource();
        peer.OnAccept(async socket =>
        {
            await socket.ReceiveAsync(new byte[1024]);
            await stop.CancelAsync();
            while (await socket.ReceiveAsync(new byte[1024]) > 0) continue;
        });
        var probe = Create(new ProbeSpec.Http(new Uri($"http://127.0.0.1:{peer.Port}/")), ProbeTarget.Here, Patient);
        var late = Assert.IsType<ProbeOutcome.TimedOut>(await probe.AskAsync(stop.Token));
        Assert.Contains("connected, but no answer", late.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_head_without_end_is_refused()
    {
        using var peer = new Peer();
        _ = peer.Answer("HTTP/1.1 200 OK\r\n" + string.Concat(Enumerable.Repeat("X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", 1000)));
        var outcome = await Ask(new ProbeSpec.Http(new Uri($"http://127.0.0.1:{peer.Port}/")));
        Assert.Contains("answered with a head of more than 16 KiB", Assert.IsType<ProbeOutcome.Unhealthy>(outcome).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_does_not_resolve_is_unhealthy()
    {
        var outcome = await Ask(new ProbeSpec.Tcp("no-such-host.invalid", 80));
        Assert.Contains("`no-such-host.invalid`", Assert.IsType<ProbeOutcome.Unhealthy>(outcome).Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", "127.0.0.1", "127.0.0.1,::1")]
    [InlineData("0.0.0.0", "127.0.0.1", "127.0.0.1")]
    [InlineData("[::1]", "127.0.0.1", "::1")]
    [InlineData("127.0.0.2", "127.0.0.1", "127.0.0.2")]
    [InlineData("localhost", "192.168.1.11", "192.168.1.11")]
    [InlineData("127.0.0.1", "pc2.lan", "pc2.lan")]
    [InlineData("10.1.2.3", "192.168.1.11", "10.1.2.3")]
    public void What_the_file_calls_this_machine_is_the_machine_of_the_service(string declared, string address, string asked) =>
        Assert.Equal(asked, string.Join(',', new ProbeTarget(address, []).HostsFor(declared)));

    [Fact]
    public async Task What_is_told_has_no_probe_to_ask()
    {
        Assert.Null(ProbeFactory.Create(new ProbeSpec.Log("ready"), ProbeTarget.Here, Patient, TimeProvider.System));
        Assert.Null(ProbeFactory.Create(new ProbeSpec.Notify(null), ProbeTarget.Here, Patient, TimeProvider.System));
        Assert.Null(ProbeFactory.Create(new ProbeSpec.None(), ProbeTarget.Here, Patient, TimeProvider.System));
        await Task.CompletedTask;
    }

    internal static IProbe Create(ProbeSpec spec, ProbeTarget target, TimeSpan timeout) =>
        ProbeFactory.Create(spec, target, timeout, TimeProvider.System) ?? throw new InvalidOperationException("not a probe to ask");

    /// <summary>
    /// Asks what does not answer in time, with as much time as it takes to get so far: on a machine that stands still a short one is over before anything has
    /// happened, and the probe rightly says so.
    /// </summary>
    /// <param name="far">In the words of the outcome.</param>
    internal static async Task<(ProbeOutcome.TimedOut Outcome, TimeSpan After)> AskTooLateAsync(ProbeSpec spec, TimeSpan after, string far, ProbeTarget? target = null)
    {
        while (true)
        {
            var late = Assert.IsType<ProbeOutcome.TimedOut>(await Ask(spec, target, after));
            if (late.Detail.Contains(far, StringComparison.Ordinal) || after > TimeSpan.FromSeconds(5)) return (late, after);
            after *= 2;
        }
    }

    internal static async Task<ProbeOutcome> Ask(ProbeSpec spec, ProbeTarget? target = null, TimeSpan? timeout = null) =>
        await Create(spec, target ?? ProbeTarget.Here, timeout ?? Patient).AskAsync(TestContext.Current.CancellationToken);
}

/// <summary>A server of one trick on a port of its own.</summary>
internal sealed class Peer : IDisposable
{
    private readonly Socket _listener;

    public Peer(IPAddress? address = null)
    {
        var where = address ?? IPAddress.Loopback;
        _listener = new Socket(where.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(where, 0));
        _listener.Listen();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public Task<Socket> AcceptAsync() => _listener.AcceptAsync();

    /// <summary>Serves every connection this way, and closes it.</summary>
    public void OnAccept(Func<Socket, Task> serve) => _ = Task.Run(async () =>
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            using (socket) await serve(socket);
        }
    });

    /// <summary>Answers every request with these bytes; gives the first request.</summary>
    public Task<string> Answer(string answer)
    {
        var first = new TaskCompletionSource<string>();
        OnAccept(async socket =>
        {
            var buffer = new byte[4096];
            var count = await socket.ReceiveAsync(buffer);
            if (count == 0) return;
            first.TrySetResult(Encoding.UTF8.GetString(buffer, 0, count));
            await socket.SendAsync(Encoding.UTF8.GetBytes(answer));
            socket.Shutdown(SocketShutdown.Send);
            while (await socket.ReceiveAsync(buffer) > 0) continue;
        });
        return first.Task;
    }

    public void Dispose() => _listener.Dispose();
}
