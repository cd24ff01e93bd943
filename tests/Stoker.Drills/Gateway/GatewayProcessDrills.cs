using Stoker.Drills.Shared;
using Stoker.Gateway;
using Stoker.Gateway.Ledger;
using Stoker.Tests.Gateway.Shared;
using Stoker.Tests.Models.Simulator;
using Xunit;

namespace Stoker.Drills.Gateway;

/// <summary>The gateway's own process: what only it can show.</summary>
public sealed class GatewayProcessDrills
{
    [Fact]
    public async Task After_SIGTERM_running_streams_end_whole_nobody_new_is_taken_and_the_code_is_0()
    {
        const int Streams = 20;
        var (begun, release) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await using var model = new RawServer(async peer =>
        {
            // The watch asks for metrics, and may leave before it has asked.
            if (await peer.ReadRequestAsync() is not { } request || request.StartsWith("GET ", StringComparison.Ordinal)) return;
            Interlocked.Increment(ref begun);
            await peer.SendAsync(Sse.Head + Sse.Chunk(Sse.Role + Sse.Text("first")));
            await Task.WhenAny(release.Task, Task.Delay(TimeSpan.FromMinutes(1)));
            for (var i = 0; i < 50; i++) await peer.SendAsync(Sse.Chunk(Sse.Text($"({i})")));
            await peer.SendAsync(Sse.Chunk(Sse.Stop + Sse.Done) + Sse.LastChunk);
            await peer.LeftAsync();
        });
        await using var gateway = await RunningGateway.StartAsync(GatewayBench.Plan(GatewayBench.Model("m", model.Address) with { MaxConcurrency = Streams }));
        var streams = new List<Task<string>>();
        for (var i = 0; i < Streams; i++)
        {
            var answer = await gateway.Client.SendAsync(Post(Sse.Stream("x")), HttpCompletionOption.ResponseHeadersRead);
            streams.Add(answer.Content.ReadAsStringAsync());
        }

        gateway.Terminate();
        await gateway.SaysAsync("ending: ");
        using (var late = new HttpClient(new SocketsHttpHandler { UseProxy = false }))
            await Assert.ThrowsAsync<HttpRequestException>(() => late.GetAsync(new Uri($"http://{gateway.Address}/health")));
        Assert.Equal(Streams, begun);
        Assert.DoesNotContain(streams, stream => stream.IsCompleted);
        release.SetResult();
        foreach (var heard in await Task.WhenAll(streams))
        {
            Assert.Equal(50, Sse.Count(heard, "("));
            Assert.EndsWith(Sse.Done, heard);
        }

        Assert.Equal(0, await gateway.EndedAsync());
        Assert.DoesNotContain(gateway.Said, line => line.Contains("error", StringComparison.Ordinal) || line.Contains("warning", StringComparison.Ordinal));
        using var ledger = LedgerReader.OpenIfPresent(Path.Combine(gateway.State, GatewayProcess.LedgerFile))!;
        var sums = Assert.Single(ledger.Usage(UsageBy.Outcome, null));
        Assert.Equal(("good", Streams), (sums.Name, sums.Requests));
    }

    [Fact]
    public async Task A_replica_whose_authority_is_trusted_streams_through_TLS_and_one_for_another_name_is_refused()
    {
        using var authority = new TestAuthority();
        await using var model = Bench.Start();
        await using var secret = Bench.Start();
        await using var right = new TlsFront(model.Server.Address, authority.Issue("127.0.0.1"));
        await using var wrong = new TlsFront(secret.Server.Address, authority.Issue("elsewhere.example"));
        await using var old = new TlsFront(secret.Server.Address, authority.Issue("127.0.0.1", expired: true));
        var trusted = Path.Combine(Directory.CreateTempSubdirectory("stoker-drill-").FullName, "authority.pem");
        File.WriteAllText(trusted, authority.Pem);
        await using var gateway = await RunningGateway.StartAsync(
            GatewayBench.Plan(Model("right", right), Model("wrong", wrong), Model("old", old)), variables: new Dictionary<string, string> { ["SSL_CERT_FILE"] = trusted });

        for (var i = 0; i < 25; i++)
        {
            Assert.EndsWith(Sse.Done, await TextAsync(gateway, Sse.Stream("x", model: "right")));
            Assert.Contains("\"usage\"", await TextAsync(gateway, Sse.Chat("x", model: "right")));
        }

        // Kept between requests; the watch has its own now and then.
        Assert.InRange(right.Sessions, 1, 25);
        Assert.Contains("its certificate is refused: it is for another name", await TextAsync(gateway, Sse.Chat("x", model: "wrong")));
        Assert.Contains("its certificate is refused: certificate has expired", await TextAsync(gateway, Sse.Chat("x", model: "old")));
        Assert.Contains("\"requests\":[]", await secret.Client.GetStringAsync("/admin/requests"));

        // Who leaves a stream leaves it behind TLS too.
        using (var leaving = await gateway.Client.SendAsync(Post(Sse.Stream("x", "\"max_tokens\":20000", "right"), "stall-after=3"), HttpCompletionOption.ResponseHeadersRead))
            Assert.Equal(200, (int)leaving.StatusCode);
        Assert.Equal("cancelled", (await model.LastRequestAsync()).GetProperty("outcome").GetString());
        Directory.Delete(Path.GetDirectoryName(trusted)!, recursive: true);
    }

    private static RoutePlan Model(string name, TlsFront front) => new(name, "simulator")
    {
        UpstreamNames = ["m"],
        Replicas = [new ReplicaAddress(name, 1, front.Address.Address.ToString(), front.Address.Port) { Tls = true }],
    };

    private static async Task<string> TextAsync(RunningGateway gateway, string body)
    {
        using var answer = await gateway.Client.SendAsync(Post(body));
        return await answer.Content.ReadAsStringAsync();
    }

    private static HttpRequestMessage Post(string body, string? simulate = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Sse.Path) { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
        if (simulate is not null) request.Headers.Add("X-Simulate", simulate);
        return request;
    }
}
