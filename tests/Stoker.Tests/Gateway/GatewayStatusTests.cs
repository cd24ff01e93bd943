using Stoker.Daemon;
using Stoker.Daemon.Protocol;
using Stoker.Gateway;
using Stoker.Gateway.Routing;
using Stoker.Tests.Gateway.Shared;
using Stoker.Tests.Models.Simulator;
using Xunit;

namespace Stoker.Tests.Gateway;

/// <summary>What the gateway says of itself on its own socket.</summary>
public sealed class GatewayStatusTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task What_is_in_flight_and_what_waits_is_told_of_each_model()
    {
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(GatewayBench.Plan(
            GatewayBench.Model("m", [model.Server.Address]) with { MaxConcurrency = 2 }, GatewayBench.Model("idle", [model.Server.Address])));
        using var leave = new CancellationTokenSource();
        var asked = Enumerable.Range(0, 5).Select(_ => bench.SendAsync(Sse.Path, Sse.Stream("x"), "stall-before-headers", cancel: leave.Token)).ToList();
        await using var admin = Admin(bench, _scratch.Directory);

        GatewayStatus? status = null;
        // Each figure is read by itself: those in flight may be read before the last is taken and those who wait after.
        await bench.UntilAsync(() => (status = admin.Ask()) is { Models: [{ Waiting: 3, Replicas: [{ InFlight: 2 }] }, _] });
        Assert.Equal(["m", "idle"], status!.Models.Select(m => m.Name));
        Assert.Equal([new RoutedReplica("m", 1, 2) { Mode = "serving", Health = "well" }], status.Models[0].Replicas);
        Assert.Equal((0, 0), (status.Models[1].Waiting, Assert.Single(status.Models[1].Replicas).InFlight));

        await leave.CancelAsync();
        foreach (var one in asked) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one);
    }

    [Fact]
    public async Task A_directory_too_deep_for_a_socket_address_has_a_gateway_that_answers_all_the_same()
    {
        var deep = Path.Combine(_scratch.Directory, new string('d', 120));
        Directory.CreateDirectory(deep);
        await using var model = Bench.Start();
        await using var bench = GatewayBench.Start(model.Server.Address);
        await using var admin = Admin(bench, deep);
        GatewayStatus? status = null;
        await bench.UntilAsync(() => (status = admin.Ask()) is not null);
        Assert.Equal("m", Assert.Single(status!.Models).Name);
    }

    [Fact]
    public async Task Where_no_gateway_is_nothing_is_said() =>
        Assert.Null(await GatewayStatus.AskAsync(new StateDirectory(_scratch.Directory), TestContext.Current.CancellationToken));

    [Fact]
    public async Task A_canary_that_is_drained_gets_nothing_more_from_either_of_its_models()
    {
        await using var model = Bench.Start();
        var address = model.Server.Address;
        var canary = new ReplicaAddress("next", 1, address.Address.ToString(), address.Port) { CanaryShare = 0.5 };
        var main = GatewayBench.Model("m", [address]);
        await using var bench = GatewayBench.Start(GatewayBench.Plan(main with { Replicas = [.. main.Replicas, canary] }, GatewayBench.Model("next", [address])));
        await using var admin = Admin(bench, _scratch.Directory);
        string? answer = null;
        await bench.UntilAsync(() => (answer = admin.Say("drain next 1")) is not null);
        Assert.Equal("drained", answer);
        GatewayStatus? status = null;
        await bench.UntilAsync(() => (status = admin.Ask()) is not null);
        var modes = status!.Models.SelectMany(m => m.Replicas).Select(r => (r.Service, r.Mode));
        Assert.Equal([("m", "serving"), ("next", "draining"), ("next", "draining")], modes);
    }

    private static RunningAdmin Admin(GatewayBench bench, string directory) => new(new GatewayAdmin(bench.State, directory), new StateDirectory(directory));

    /// <summary>The socket of a gateway, served until disposed.</summary>
    private sealed class RunningAdmin(GatewayAdmin admin, StateDirectory state) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private Task? _running;

        public GatewayStatus? Ask()
        {
            _running ??= admin.RunAsync(_stop.Token);
            return GatewayStatus.AskAsync(state, _stop.Token).GetAwaiter().GetResult();
        }

        public string? Say(string line)
        {
            if (Ask() is null) return null;
            using var at = ControlSocket.Of(state, state.GatewaySocket)!;
            using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
            socket.Connect(at.EndPoint);
            using var stream = new System.Net.Sockets.NetworkStream(socket);
            stream.Write(System.Text.Encoding.UTF8.GetBytes(line + "\n"));
            using var reader = new StreamReader(stream);
            return reader.ReadLine();
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            if (_running is not null) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running);
            _stop.Dispose();
        }
    }
}
