using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Stoker.Keys;
using Stoker.Platform;
using Stoker.Platform.Loops;
using Stoker.Streams;
using Stoker.Streams.Log;
using Stoker.Streams.Serving;
using Stoker.Streams.Stores;
using Stoker.Streams.Stores.Queries;
using Stoker.Streams.Work;
using Stoker.Tests.Gateway;
using Stoker.Tests.Models.Simulator;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Serving;

/// <summary>
/// A real stream within the test's process: two event loops and a listener on a free port, a log on a disk in memory, workers, and documents in SQLite. Disposing it
/// checks that no request ended with a bug.
/// </summary>
internal sealed class StreamBench : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Scratch _scratch = new();
    private readonly List<EventLoop> _events = [];
    private readonly List<StreamLoop> _loops = [];
    private readonly List<string> _said = [];
    private readonly LoopListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _workers = [];

    private StreamBench(StreamPlan plan, LogOptions? options, bool works)
    {
        var keys = plan.RequiresKeys ? new ProducerKeys(new KeyWatch(_scratch.At(KeyStore.FileName), new SteadyClock(), Say), plan.Name, OwnerSecret) : null;
        Disk = new SimulatedDisk();
        Disk.CreateDirectory("/data");
        var clock = new SteadyClock();
        var opened = Assert.IsType<LogOpening.Opened>(StreamLog.Open("/data/log", options ?? new LogOptions(plan.Partitions, ReserveBytes: 0) { TestsDrive = false, ProbeEvery = TimeSpan.FromMilliseconds(2) }, Disk, clock));
        var letters = DeadLetterStore.Open(_scratch.Directory);
        Store = new StoreSpec(new StoreAddress(StoreKind.Sqlite, "", 0, null, _scratch.At("documents.db"), new Dictionary<string, string>()), plan.Name);
        var workers = opened.Log.Partitions.Select(partition => new PartitionWorker(partition, StoresModule.Open(Store, clock), letters, plan.ToTransform(), clock, Say)).ToList();
        State = new StreamState(plan, opened.Log, Store.Address.ToString(), letters, workers, keys, Say);
        var utcOfZero = clock.GetUtcNow().UtcTicks - (EventLoop.Milliseconds() * TimeSpan.TicksPerMillisecond);
        for (var i = 0; i < 2; i++)
        {
            _events.Add(new EventLoop($"stream {i}"));
            _loops.Add(new StreamLoop(State, _events[i], utcOfZero));
        }

        var byLoop = _events.Zip(_loops).ToDictionary(pair => pair.First, pair => pair.Second);
        _listener = LoopListener.Listen(new IPEndPoint(IPAddress.Loopback, 0), _events, (socket, peer) => byLoop[socket.Loop].Accept(socket, peer), Say);
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{_listener.Address}"), Timeout = Patience };
        if (works) _workers.AddRange(workers.Select(worker => Upheld.RunAsync("a worker", worker.RunAsync, TimeSpan.FromSeconds(1), Say, _stop.Token)));
    }

    public const string OwnerSecret = "sk-of-the-owner-and-of-nobody-else";

    /// <summary>Keys of a stream that asks for some, as another process would make them.</summary>
    public KeyStore Keys() => KeyStore.Open(_scratch.At(KeyStore.FileName));

    public SimulatedDisk Disk { get; }

    public StreamState State { get; }

    public StoreSpec Store { get; }

    public HttpClient Client { get; }

    /// <param name="works">False: nothing is taken out of the log.</param>
    public static StreamBench Start(Func<StreamPlan, StreamPlan>? change = null, LogOptions? options = null, bool works = true)
    {
        var plan = new StreamPlan("test", "facts", "127.0.0.1:0", "");
        return new StreamBench(change?.Invoke(plan) ?? plan, options, works);
    }

    public static string Fact(string id, string more = "") => $$$"""{"metadata_id":"{{{id}}}","source_uri":"s3://frames","gpu_hardware":{"device_name":"Tesla T4"}{{{more}}}}""";

    public async Task<RawClient> RawAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(_listener.Address);
        return new RawClient(socket);
    }

    /// <summary>Sends bytes as they are and hears all that is said until the connection ends.</summary>
    public async Task<string> SayAsync(string request)
    {
        using var raw = await RawAsync();
        await raw.Socket.SendAsync(Encoding.UTF8.GetBytes(request));
        return await raw.ReadUntilAsync() ?? "";
    }

    public async Task<(int Status, JsonNode Body)> PostAsync(string body, string type = "application/json")
    {
        using var answer = await Client.PostAsync("/metadata", new StringContent(body, Encoding.UTF8, type));
        return ((int)answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!);
    }

    public async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await Client.GetStringAsync(path))!;

    public async Task<Dictionary<string, long>> MetricsAsync() => (await Client.GetStringAsync("/metrics")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Where(line => line[0] != '#').ToDictionary(line => line[..line.LastIndexOf(' ')], line => long.Parse(line[(line.LastIndexOf(' ') + 1)..]));

    /// <summary>Looks again and again: each turn is a round trip to the stream, none is a sleep.</summary>
    public async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await holds())
        {
            patience.Token.ThrowIfCancellationRequested();
            (await Client.GetAsync("/health", patience.Token)).Dispose();
        }
    }

    public Task StoredAsync() => UntilAsync(() => Task.FromResult(State.Workers.Zip(State.Log.Partitions).All(pair => pair.First.Progress.Next == pair.Second.NextOffset)));

    /// <summary>All that is stored, once it is.</summary>
    public async Task<List<JsonNode>> DocumentsAsync()
    {
        await StoredAsync();
        await using var store = StoresModule.Open(Store, TimeProvider.System);
        var found = new List<JsonNode>();
        await foreach (var each in store.QueryAsync(new DocumentQuery(), TestContext.Current.CancellationToken)) found.Add(JsonNode.Parse(each.Json.Span)!);
        return found;
    }

    /// <summary>As at SIGTERM.</summary>
    public Task DrainAsync()
    {
        _listener.Dispose();
        return Task.WhenAll(_loops.Select(loop => loop.DrainAsync()));
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        Client.Dispose();
        await _stop.CancelAsync();
        await Task.WhenAll(_workers);
        foreach (var loop in _events) loop.Dispose();
        await State.DisposeAsync();
        _scratch.Dispose();
        _stop.Dispose();
        lock (_said) Assert.DoesNotContain(_said, line => line.Contains("bug", StringComparison.Ordinal) || line.Contains("failed, and begins again", StringComparison.Ordinal));
    }

    private void Say(string line)
    {
        lock (_said) _said.Add(line);
    }
}
