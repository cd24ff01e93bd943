using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Stoker.Gateway;
using Stoker.Gateway.Forwarding;
using Stoker.Keys;
using Stoker.Gateway.Ledger;
using Stoker.Gateway.Routing;
using Stoker.Platform;
using Stoker.Platform.Loops;
using Stoker.Platform.Sqlite;
using Stoker.Tests.Models.Simulator;
using Xunit;

namespace Stoker.Tests.Gateway.Shared;

/// <summary>
/// A real gateway within the test's process: its state, two event loops and a listener on a free port, with a ledger and keys of its own. Disposing it checks that
/// no connection failed by a bug and that every place at every replica was given back.
/// </summary>
internal sealed class GatewayBench : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Scratch _scratch = new();
    private readonly List<string> _said = [];
    private readonly List<EventLoop> _events = [];
    private readonly List<GatewayLoop> _loops = [];
    private readonly LoopListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _upkeep;
    private bool _drained;

    private GatewayBench(GatewayPlan plan)
    {
        var clock = new SteadyClock();
        var keys = new KeyWatch(_scratch.At("gateway.db"), clock, Say);
        var ledger = new LedgerWriter(_scratch.At("ledger.db"), TimeSpan.FromDays(30), clock, Say);
        State = new GatewayState(new Router(RouterOptions.Default, 1), keys, ledger, clock.GetUtcNow(), Say);
        Apply(plan);
        var utcOfZero = clock.GetUtcNow().UtcTicks - (EventLoop.Milliseconds() * TimeSpan.TicksPerMillisecond);
        for (var i = 0; i < 2; i++)
        {
            _events.Add(new EventLoop($"gateway {i}"));
            _loops.Add(new GatewayLoop(State, _events[i], utcOfZero));
        }

        var byLoop = _events.Zip(_loops).ToDictionary(pair => pair.First, pair => pair.Second);
        _listener = LoopListener.Listen(new IPEndPoint(IPAddress.Loopback, 0), _events, (socket, peer) => byLoop[socket.Loop].Accept(socket, peer), Say);
        _upkeep = new GatewayUpkeep(State, _loops, clock).RunAsync(_stop.Token);
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{Address}"), Timeout = Patience };
    }

    public GatewayState State { get; }

    public IPEndPoint Address => _listener.Address;

    public HttpClient Client { get; }

    public string LedgerFile => _scratch.At("ledger.db");

    public IReadOnlyList<string> Said
    {
        get
        {
            lock (_said) return [.. _said];
        }
    }

    /// <summary>Requests that have a place at some replica now.</summary>
    public int InFlight
    {
        get
        {
            var sum = 0;
            foreach (var route in State.Tables.Router.Table.Routes)
            {
                foreach (var replica in route.Replicas) sum += replica.Requests;
            }

            return sum;
        }
    }

    /// <summary>Open to everyone, one model <c>m</c> on these servers.</summary>
    public static GatewayBench Start(params IReadOnlyList<IPEndPoint> replicas) => Start(Plan(replicas));

    public static GatewayBench Start(GatewayPlan plan) => new(plan);

    /// <summary>No model at all.</summary>
    public static GatewayPlan Plan() => Plan(Array.Empty<RoutePlan>());

    public static GatewayPlan Plan(params IReadOnlyList<IPEndPoint> replicas) => Plan(Model("m", replicas));

    public static GatewayPlan Plan(params IReadOnlyList<RoutePlan> routes) => new("test", ["127.0.0.1:0"], RequiresKeys: false) { Routes = routes, LogDecisions = 0 };

    public static RoutePlan Model(string name, params IReadOnlyList<IPEndPoint> replicas) =>
        new(name, "simulator") { Replicas = [.. replicas.Select((r, i) => new ReplicaAddress(name, i + 1, r.Address.ToString(), r.Port))] };

    public void Apply(GatewayPlan plan)
    {
        State.Apply(plan, GatewayTables.TargetsOf(plan, IPAddress.Parse, _ => null), GatewayLoop.Steady);
    }

    public ReplicaState Replica(string service, int index) =>
        State.Tables.Router.Table.Routes.SelectMany(route => route.Replicas.ToArray()).Single(replica => replica.Id == new ReplicaId(service, index));

    /// <summary>A key, in force at once.</summary>
    public async Task<string> KeyAsync(string name, KeyTerms? terms = null)
    {
        using var store = KeyStore.Open(_scratch.At("gateway.db"));
        var made = (KeyCreation.Created)store.Create(name, terms ?? new KeyTerms(), null, DateTimeOffset.UtcNow, SecureRandomness.Fill);
        await UntilAsync(() => State.Keys.Ring.Find(Encoding.ASCII.GetBytes(made.Secret), DateTimeOffset.UtcNow.UtcTicks, out _) == KeyVerdict.Valid);
        return made.Secret;
    }

    public async Task<RawClient> RawAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(Address);
        return new RawClient(socket);
    }

    public Task<HttpResponseMessage> SendAsync(string path, string body, string? simulate = null, string? key = null, CancellationToken cancel = default)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (simulate is not null) request.Headers.Add("X-Simulate", simulate);
        if (key is not null) request.Headers.Authorization = new("Bearer", key);
        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
    }

    public async Task<(int Status, JsonElement Body)> PostAsync(string path, string body, string? simulate = null, string? key = null)
    {
        using var answer = await SendAsync(path, body, simulate, key);
        return ((int)answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>());
    }

    /// <summary>All that the answer says.</summary>
    public async Task<string> TextAsync(string path, string body, string? simulate = null)
    {
        using var answer = await SendAsync(path, body, simulate);
        return await answer.Content.ReadAsStringAsync();
    }

    /// <summary>All that an answer says that breaks off.</summary>
    public async Task<string> BrokenTextAsync(string path, string body, string? simulate = null)
    {
        using var answer = await SendAsync(path, body, simulate);
        await using var content = await answer.Content.ReadAsStreamAsync();
        using var heard = new MemoryStream();
        var broken = await Assert.ThrowsAsync<HttpIOException>(() => content.CopyToAsync(heard));
        Assert.Equal(HttpRequestError.ResponseEnded, broken.HttpRequestError);
        return Encoding.UTF8.GetString(heard.ToArray());
    }

    /// <summary>Looks again and again: each turn is a round trip to the gateway, none is a sleep.</summary>
    public async Task UntilAsync(Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!holds())
        {
            patience.Token.ThrowIfCancellationRequested();
            if (_drained) await Task.Yield();
            else (await Client.GetAsync("/health", patience.Token)).Dispose();
        }
    }

    /// <summary>The ledger's rows in their order, once there are so many.</summary>
    public async Task<IReadOnlyList<LedgerLine>> LedgerAsync(int count)
    {
        IReadOnlyList<LedgerLine> rows = [];
        await UntilAsync(() => (rows = ReadLedger()).Count >= count);
        Assert.Equal(count, rows.Count);
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        await UntilAsync(() => InFlight == 0 && State.Metrics.ActiveRequests == 0);
        _listener.Dispose();
        Client.Dispose();
        await _stop.CancelAsync();
        await _upkeep.ContinueWith(static _ => { }, TaskScheduler.Default);
        foreach (var loop in _events) loop.Dispose();
        State.Dispose();
        _scratch.Dispose();
        _stop.Dispose();
        Assert.DoesNotContain(Said, line => line.Contains("a connection failed", StringComparison.Ordinal));
    }

    /// <summary>As at SIGTERM: accepts nobody any more, and completes when the last answer is through.</summary>
    public Task DrainAsync()
    {
        _drained = true;
        _listener.Dispose();
        return Task.WhenAll(_loops.Select(loop => loop.DrainAsync()));
    }

    private List<LedgerLine> ReadLedger()
    {
        using var database = SqliteDatabase.Open(LedgerFile, LedgerStore.Schema);
        using var statement = database.Prepare("SELECT key, model, replica, outcome, prompt, completion, estimated, status, model_asked FROM usage ORDER BY id");
        using var rows = statement.Query();
        var found = new List<LedgerLine>();
        while (rows.Next())
            found.Add(new LedgerLine(rows.Text(0), rows.Text(1), rows.Text(2), rows.Text(3), rows.Long(4), rows.Long(5), rows.Long(6) != 0, (int)rows.Long(7), rows.Text(8)));
        return found;
    }

    private void Say(string line)
    {
        lock (_said) _said.Add(line);
    }
}

/// <summary>One row of the ledger, as far as tests look at it.</summary>
internal sealed record LedgerLine(string Key, string Model, string Replica, string Outcome, long Prompt, long Completion, bool IsEstimated, int Status, string Asked);
