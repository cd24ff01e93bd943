using System.Net;
using Stoker.Gateway;
using Stoker.Tests.Gateway.Shared;
using Stoker.Tests.Models.Simulator;
using Xunit;

namespace Stoker.Tests.Gateway.Forwarding;

/// <summary>Replicas at an <c>https</c> URL that are not to be trusted, or do not keep to it. One that is trusted needs a process of its own: see the drills.</summary>
public sealed class TlsUpstreamTests
{
    [Fact]
    public async Task A_certificate_of_an_unknown_authority_is_refused_and_the_client_is_told_so()
    {
        using var authority = new TestAuthority();
        await using var model = Bench.Start();
        await using var front = new TlsFront(model.Server.Address, authority.Issue("127.0.0.1"));
        await using var bench = GatewayBench.Start(Plan(front.Address));
        var (status, body) = await bench.PostAsync(Sse.Path, Sse.Chat("a secret"));
        Assert.Equal(502, status);
        Assert.Contains("m.1 cannot be reached: its certificate is refused: ", body.GetProperty("error").GetProperty("message").GetString());
        Assert.Contains("\"requests\":[]", await model.Client.GetStringAsync("/admin/requests"));
        Assert.Equal("failed", Assert.Single(await bench.LedgerAsync(1)).Outcome);
    }

    [Fact]
    public async Task A_server_that_speaks_no_TLS_is_told_from_one_that_is_not_there()
    {
        await using var model = new RawServer(async peer =>
        {
            await peer.Socket.ReceiveAsync(new byte[100]);
            await peer.SendAsync("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        });
        await using var bench = GatewayBench.Start(Plan(model.Address));
        Assert.Contains("m.1 cannot be reached: TLS failed: ", await bench.TextAsync(Sse.Path, Sse.Chat("x")));
    }

    [Fact]
    public async Task A_handshake_that_is_never_answered_ends_with_the_time_to_connect()
    {
        await using var model = new RawServer(peer => peer.LeftAsync());
        await using var bench = GatewayBench.Start(Plan(model.Address) with { Times = new() { Connect = 200 } });
        Assert.Contains("m.1 did not take the connection in time", await bench.TextAsync(Sse.Path, Sse.Chat("x")));
    }

    [Fact]
    public async Task Who_leaves_during_the_handshake_holds_nothing()
    {
        var (begun, left) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var model = new RawServer(async peer =>
        {
            await peer.Socket.ReceiveAsync(new byte[1]);
            begun.SetResult();
            await peer.LeftAsync();
            left.SetResult();
        });
        await using var bench = GatewayBench.Start(Plan(model.Address) with { Times = new() { Connect = 600_000 } });
        using (var raw = await bench.RawAsync())
        {
            await raw.SendAsync(Sse.Path, Sse.Chat("x"));
            await begun.Task;
        }

        await left.Task;
        Assert.Equal("abandoned", Assert.Single(await bench.LedgerAsync(1)).Outcome);
    }

    private static GatewayPlan Plan(IPEndPoint address) =>
        GatewayBench.Plan(new RoutePlan("m", "simulator") { Replicas = [new ReplicaAddress("m", 1, address.Address.ToString(), address.Port) { Tls = true }] });
}
