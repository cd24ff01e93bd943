using System.Net;
using System.Net.Sockets;
using Stoker.Gateway;
using Stoker.Gateway.Routing;
using Stoker.Tests.Gateway.Shared;
using Xunit;

namespace Stoker.Tests.Gateway;

/// <summary>Two hosts that answer on one port, a name that is one or the other, and a gateway that asks it.</summary>
public sealed class PlanWatchTests : IAsyncDisposable
{
    private const string Question = """{"model": "m", "messages": []}""";

    private readonly Scratch _scratch = new();
    private readonly MovedClock _clock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _said = [];
    private readonly GatewayBench _gateway = GatewayBench.Start(GatewayBench.Plan());
    private readonly RawServer _first;
    private readonly RawServer _second;
    private readonly PlanWatch _plans;
    private IPAddress[] _addresses = [IPAddress.Loopback];
    private Task _running = Task.CompletedTask;

    public PlanWatchTests()
    {
        (_first, _second) = Pair();
        _plans = new PlanWatch(_gateway.State, _scratch.Directory, new HostAddresses(_ => Task.FromResult(Volatile.Read(ref _addresses)), _clock, Say), Say);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ContinueWith(static _ => { }, TaskScheduler.Default);
        await _gateway.DisposeAsync();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        _scratch.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task A_host_that_moves_is_found_where_it_is_and_the_plan_is_still_the_same()
    {
        await BeginAsync("gpu.lan");
        Assert.Equal("first", await AnswerAsync());
        Volatile.Write(ref _addresses, [IPAddress.Parse("127.0.0.2")]);
        _clock.Forward(HostAddresses.Fresh);
        await UntilAnswersAsync("second");
        Assert.Equal(["`gpu.lan` is at 127.0.0.1", "`gpu.lan` is at 127.0.0.2 now, and no longer at 127.0.0.1"], Said());
    }

    [Fact]
    public async Task A_host_that_the_resolver_did_not_know_at_the_start_is_served_when_it_does()
    {
        Volatile.Write(ref _addresses, []);
        await BeginAsync("gpu.lan");
        Assert.Equal(502, (await _gateway.PostAsync("/v1/chat/completions", Question)).Status);
        Volatile.Write(ref _addresses, [IPAddress.Loopback]);
        await UntilAnswersAsync("first");
    }

    [Fact]
    public async Task Of_several_addresses_the_next_is_tried_when_nobody_answers_at_one()
    {
        Volatile.Write(ref _addresses, [IPAddress.Loopback, IPAddress.Parse("127.0.0.2")]);
        await BeginAsync("gpu.lan");
        Assert.Equal("first", await AnswerAsync());
        await _first.DisposeAsync();
        await UntilAnswersAsync("second");
    }

    [Fact]
    public async Task A_plan_that_is_read_again_leaves_connections_to_who_is_reached_as_before()
    {
        await BeginAsync("127.0.0.1");
        Assert.Equal("first", await AnswerAsync());
        var target = _gateway.State.Tables.Targets.Single();
        await _plans.ApplyAsync();
        Assert.Same(target, _gateway.State.Tables.Targets.Single());
        Write("127.0.0.2");
        await _plans.ApplyAsync();
        Assert.Equal("second", await AnswerAsync());
    }

    [Fact]
    public async Task A_request_that_is_older_than_many_moves_knows_its_replica()
    {
        await BeginAsync("gpu.lan");
        var replica = _gateway.Replica("m", 1);
        Write("127.0.0.2");
        await _plans.ApplyAsync();
        var now = GatewayTables.TargetsOf(_gateway.State.Tables.Plan, IPAddress.Parse, _ => "another key");
        for (var move = 0; move < 20; move++) _gateway.State.Reach(now);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, _first.Address.Port), _gateway.State.Tables.TargetOf(replica).Endpoint);
    }

    private async Task BeginAsync(string host)
    {
        Write(host);
        await _plans.ApplyAsync();
        _running = _plans.RunAsync(_stop.Token);
    }

    private void Write(string host)
    {
        var route = new RoutePlan("m", "simulator") { Replicas = [new ReplicaAddress("m", 1, host, _first.Address.Port)] };
        File.WriteAllBytes(_scratch.At(GatewayProcess.PlanFile), GatewayBench.Plan(route).ToJson());
    }

    private async Task<string> AnswerAsync()
    {
        var (status, body) = await _gateway.PostAsync("/v1/chat/completions", Question);
        return status == 200 ? body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()! : $"{status}";
    }

    /// <summary>Asks again and again, each turn a round trip to the gateway; time passes meanwhile for whoever looks names up.</summary>
    private async Task UntilAnswersAsync(string who)
    {
        var until = DateTime.UtcNow.AddSeconds(30);
        while (await AnswerAsync() is var answer && answer != who)
        {
            Assert.True(DateTime.UtcNow < until, $"{answer}\n{string.Join('\n', Said())}");
            _clock.Forward(HostAddresses.Again);
        }
    }

    /// <summary>The second's port is the first's, which somebody else may have there.</summary>
    private static (RawServer First, RawServer Second) Pair()
    {
        while (true)
        {
            var first = RawServer.Saying(Answer("first"));
            try
            {
                return (first, RawServer.Saying(Answer("second"), new IPEndPoint(IPAddress.Parse("127.0.0.2"), first.Address.Port)));
            }
            catch (SocketException)
            {
                first.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
        }
    }

    private static string Answer(string words) => Sse.Json(Sse.Answer(words));

    private string[] Said()
    {
        lock (_said) return [.. _said];
    }

    private void Say(string line)
    {
        lock (_said) _said.Add(line);
    }

    private sealed class MovedClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _now);

        public void Forward(TimeSpan time) => Interlocked.Add(ref _now, time.Ticks);
    }
}
