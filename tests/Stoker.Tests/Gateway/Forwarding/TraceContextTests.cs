using Stoker.Tests.Gateway.Shared;
using Xunit;

namespace Stoker.Tests.Gateway.Forwarding;

/// <summary>W3C trace context: whose trace a request belongs to is the client's word, and the engine's to hear.</summary>
public sealed class TraceContextTests
{
    [Fact]
    public async Task The_trace_of_a_client_reaches_the_engine_as_it_is_also_at_its_second_try()
    {
        var heard = new List<string>();
        await using var model = new RawServer(async peer =>
        {
            while (await peer.ReadRequestAsync() is { } request)
            {
                lock (heard) heard.Add(request);
                await peer.SendAsync(heard.Count == 1 ? Sse.Json("{\"error\":\"no\"}", 500) : Sse.Json(Sse.Answer("x")));
            }
        });
        await using var bench = GatewayBench.Start(model.Address, model.Address);
        using var raw = await bench.RawAsync();
        const string Trace = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: vendor=a,other=b:c\r\nbaggage: user=ada\r\n";
        await raw.SendAsync(Sse.Path, Sse.Chat("x"), Trace);
        Assert.StartsWith("HTTP/1.1 200 ", await raw.ReadUntilAsync("\"usage\""));
        Assert.Equal(2, heard.Count);
        Assert.All(heard, request => Assert.Contains(Trace, request));
    }

    [Fact]
    public async Task Where_a_client_has_no_trace_none_is_made_up()
    {
        var said = new TaskCompletionSource<string?>();
        await using var model = TrapTests.Serving(request =>
        {
            said.TrySetResult(request);
            return Sse.Json(Sse.Answer("x"));
        });
        await using var bench = GatewayBench.Start(model.Address);
        Assert.Equal(200, (await bench.PostAsync(Sse.Path, Sse.Chat("x"))).Status);
        Assert.DoesNotContain("\r\ntrace", await said.Task, StringComparison.OrdinalIgnoreCase);
    }
}
