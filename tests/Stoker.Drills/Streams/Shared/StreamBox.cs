using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Stoker.Drills.Shared;
using Stoker.Platform.Sqlite;
using Stoker.Streams;
using Stoker.Streams.Serving;
using Stoker.Streams.Stores.Sqlite;
using Stoker.Streams.Work;
using Xunit;

namespace Stoker.Drills.Streams.Shared;

/// <summary>One stream on a disk of its own, and its process, which is started, killed and started again. Its documents are read by the drill itself.</summary>
internal sealed class StreamBox : IAsyncDisposable
{
    public const string Name = "drill";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly string? _own;
    private readonly StringBuilder _said = new();
    private Process? _process;

    /// <param name="directory">Where it keeps all of it; null: in a directory of its own, which goes with it.</param>
    public StreamBox(string? directory = null, Func<StreamPlan, StreamPlan>? change = null)
    {
        _own = directory is null ? Directory.CreateTempSubdirectory("stoker-stream-").FullName : null;
        State = directory ?? _own!;
        var plan = new StreamPlan("drill", Name, $"127.0.0.1:{FreePorts.Take()}", "") { Partitions = 2 };
        Plan = change?.Invoke(plan) ?? plan;
        Directory.CreateDirectory(Path.Combine(State, "streams"));
        File.WriteAllBytes(StreamPlan.FileOf(State, Name), Plan.ToJson());
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{Plan.Listen}"), Timeout = TimeSpan.FromSeconds(30) };
    }

    public string State { get; }

    public StreamPlan Plan { get; }

    public HttpClient Client { get; }

    /// <summary>Added to the environment of its process.</summary>
    public Dictionary<string, string> Variables { get; } = [];

    /// <summary>Of the log, the documents and the dead letters.</summary>
    public string Place => StreamPlan.DirectoryOf(State, Name);

    public int Pid => _process!.Id;

    public string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    /// <summary>Starts the process and waits for nothing.</summary>
    public Process Launch()
    {
        _process = Start();
        return _process;
    }

    /// <summary>One more process for the same stream.</summary>
    public Process Start()
    {
        var start = new ProcessStartInfo(Machine.Program, ["stream-run", "--state", State, "--stream", Name]) { RedirectStandardError = true };
        foreach (var (name, value) in Variables) start.Environment[name] = value;
        var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_said) _said.AppendLine(line.Data);
        };
        process.BeginErrorReadLine();
        return process;
    }

    public async Task UpAsync()
    {
        var process = Launch();
        await UntilAsync("it answers", async () =>
        {
            Assert.False(process.HasExited, $"the stream's process ended\n{Said}");
            return (await Client.GetAsync("/health")).IsSuccessStatusCode;
        });
    }

    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
    }

    /// <summary>SIGTERM; its exit code.</summary>
    public async Task<int> EndAsync()
    {
        Signal("TERM");
        await _process!.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience);
        return _process.ExitCode;
    }

    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{Pid}"]);
        kill.WaitForExit();
    }

    public async Task<JsonNode> StatusAsync() => JsonNode.Parse(await Client.GetStringAsync("/status"))!;

    public async Task<long> MetricAsync(string name)
    {
        var lines = (await Client.GetStringAsync("/metrics")).Split('\n');
        return lines.Where(line => line.StartsWith(name, StringComparison.Ordinal) && line[name.Length] is ' ' or '{').Sum(line => long.Parse(line[(line.LastIndexOf(' ') + 1)..]));
    }

    /// <summary>Posts events as one request.</summary>
    public async Task<HttpResponseMessage> PostAsync(params IReadOnlyList<DrillEvent> events)
    {
        var body = events.Count == 1 ? events[0].Json : $"[{string.Join(',', events.Select(e => e.Json))}]";
        return await Client.PostAsync(Plan.Path, new StringContent(body, Encoding.UTF8, "application/json"));
    }

    /// <summary>Everything that is in the log is in the store, or put aside.</summary>
    public Task SettledAsync() => UntilAsync("all of the log is stored", async () =>
        (await StatusAsync())["partitions"]!.AsArray().All(p => (long)p!["next"]! == (long)p["stored"]!));

    /// <summary>What the log has by now is stored, or archived, however much more comes meanwhile and however slowly it all goes; and the status tells of no trouble.</summary>
    /// <param name="figure">Of a partition: <c>stored</c> or <c>archived</c>.</param>
    /// <param name="problem">Of a partition, with what it is about.</param>
    public async Task CaughtUpAsync(string figure, string problem)
    {
        List<long>? logged = null;
        await UntilAsync($"what is logged by now is {figure}", async () =>
        {
            var partitions = (await StatusAsync())["partitions"]!.AsArray();
            if (logged is null && partitions.Any(p => (long)p!["next"]! > 0)) logged = [.. partitions.Select(p => (long)p!["next"]!)];
            return logged is not null && partitions.Zip(logged).All(each => each.First![problem] is null && (long?)each.First[figure] >= each.Second);
        });
    }

    /// <summary>The end of every drill: what holds whatever was done to it.</summary>
    /// <param name="aside">Ids of events that could not become documents.</param>
    public async Task AssertHoldsAsync(Oracle oracle, IReadOnlySet<string>? aside = null, Func<Task<IReadOnlyList<StoredEvent>>>? read = null)
    {
        var fresh = oracle.Issue("fresh");
        await UntilAsync("a fresh event passes", async () => (await PostAsync(fresh)).StatusCode == HttpStatusCode.Accepted);
        oracle.Acknowledge(fresh);
        await SettledAsync();
        var stored = read is null ? Documents() : await read();
        oracle.AssertHolds(stored, aside);
        Assert.Contains(stored, document => document.Id == fresh.Id);
        var status = await StatusAsync();
        var logged = status["partitions"]!.AsArray().Sum(p => (long)p!["next"]!);
        Assert.InRange(logged, stored.Count + (aside?.Count ?? 0), long.MaxValue);
        Assert.Equal(aside?.Count ?? 0, (long)status["dead_letters"]!);
        Assert.Equal(0, (double)status["lag_seconds"]!);
        Assert.Equal(0, await MetricAsync("stoker_stream_bugs_total"));
        Assert.DoesNotContain("bug", Said, StringComparison.Ordinal);
    }

    /// <summary>What SQLite has, read with a connection of the drill's own.</summary>
    public IReadOnlyList<StoredEvent> Documents()
    {
        using var database = OpenDocuments();
        using var statement = database.Prepare($"SELECT source, id, document, embedding FROM \"{Name}\"");
        using var rows = statement.Query();
        var found = new List<StoredEvent>();
        while (rows.Next()) found.Add(new StoredEvent(rows.Text(0), rows.Text(1), rows.Text(2), rows.Blob(3).ToArray()));
        return found;
    }

    public SqliteDatabase OpenDocuments() => SqliteTables.Open(StreamProcess.StoreOf(Plan, Place));

    public DeadLetterStore OpenDeadLetters() => DeadLetterStore.Open(Place);

    /// <summary>Asks until it is so; nobody answering is not yet so.</summary>
    public async Task UntilAsync(string what, Func<Task<bool>> isSo)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                if (await isSo()) return;
            }
            catch (Exception notYet) when (notYet is HttpRequestException or TaskCanceledException)
            {
                // Asked again below.
            }

            Assert.True(clock.Elapsed < Patience, $"not within {Patience.TotalSeconds} s: {what}\n{Said}");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    public ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_process is { HasExited: false }) Kill();
        _process?.Dispose();
        if (_own is not null) Directory.Delete(_own, recursive: true);
        return ValueTask.CompletedTask;
    }
}
