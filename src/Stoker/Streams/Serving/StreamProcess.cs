using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using Stoker.Keys;
using Stoker.Platform;
using Stoker.Platform.Disks;
using Stoker.Platform.Loops;
using Stoker.Platform.Sqlite;
using Stoker.Streams.Archive;
using Stoker.Streams.Log;
using Stoker.Streams.Stores;
using Stoker.Streams.Work;

namespace Stoker.Streams.Serving;

/// <summary>
/// A stream's own process, <c>stoker stream-run --state DIR --stream NAME</c>, started and watched by the daemon like any service: the door, the log and the workers.
/// SIGTERM lets running requests end; what is in the log and not yet stored is stored by the next one. Exit codes: 0 ended in order, 1 it could not begin or go on.
/// </summary>
internal sealed class StreamProcess : IAsyncDisposable
{
    public const string Verb = "stream-run";

    public const string LogDirectory = "log";

    /// <summary>How long running requests have after SIGTERM.</summary>
    public static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>Looks between two times that old segments are deleted.</summary>
    private const int TrimEvery = 30;

    private readonly SteadyClock _clock;
    private readonly StreamState _state;
    private readonly Func<RetentionLimits, Task>? _trim;
    private readonly List<EventLoop> _events = [];
    private readonly List<StreamLoop> _loops = [];
    private readonly TaskCompletionSource<int> _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private StreamProcess(SteadyClock clock, StreamState state, Func<RetentionLimits, Task>? trim) => (_clock, _state, _trim) = (clock, state, trim);

    public static int Run(string[] args)
    {
        if (args is not [Verb, "--state", var directory, "--stream", var name])
        {
            Say($"usage: stoker {Verb} --state DIR --stream NAME");
            return 2;
        }

        try
        {
            return RunAsync(directory, name).GetAwaiter().GetResult();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or JsonException or SqliteFailedException)
        {
            Say($"error: the stream cannot begin: {refused.Message}");
            return 1;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var loop in _events) loop.Dispose();
        await _state.DisposeAsync();
    }

    private static async Task<int> RunAsync(string directory, string name)
    {
        var clock = new SteadyClock();
        var file = StreamPlan.FileOf(directory, name);
        var plan = StreamPlan.FromJson(Files.ReadIfPresent(file) ?? throw new IOException($"there is no `{file}`; the daemon writes it when an estate with `streams:` is applied"));
        var place = StreamPlan.DirectoryOf(directory, name);
        Files.CreateDirectory(place);
        if (LogOpener.Open(plan, Path.Combine(place, LogDirectory), clock, Say) is not { } opened) return 1;
        await using var process = new StreamProcess(clock, MakeState(plan, directory, opened, clock), opened.TrimAsync);
        return await process.RunAsync();
    }

    private static StreamState MakeState(StreamPlan plan, string directory, OpenedLog opened, TimeProvider clock)
    {
        var place = StreamPlan.DirectoryOf(directory, plan.Name);
        var spec = StoreOf(plan, place);
        var letters = DeadLetterStore.Open(place, opened.MakeRoom);
        var transform = plan.ToTransform();
        var workers = opened.Log.Partitions.Select(partition => new PartitionWorker(partition, StoresModule.Open(spec, clock), letters, transform, clock, Say)).ToList();
        return new StreamState(plan, opened.Log, spec.Address.ToString(), letters, workers, KeysOf(plan, directory, clock), Say, MakeArchive(plan, place, opened.Log, clock));
    }

    /// <exception cref="IOException"/>
    private static StreamArchive? MakeArchive(StreamPlan plan, string place, IEventLog log, TimeProvider clock)
    {
        if (plan.Archive is { } archive) return StreamArchive.Open(plan.Name, log, archive, place, plan.ToTransform(), Disk.Instance, HostEnvironment.Variable, clock, Say);
        if (log is StreamLog embedded) StreamArchive.Release(embedded);
        return null;
    }

    private static ProducerKeys? KeysOf(StreamPlan plan, string directory, TimeProvider clock) => plan.RequiresKeys
        ? new ProducerKeys(
            new KeyWatch(Path.Combine(directory, KeyStore.FileName), clock, Say), plan.Name, ProducerKeys.OwnerSecret(Path.Combine(StreamPlan.DirectoryOf(directory, plan.Name), StreamPlan.OwnerKey)))
        : null;

    /// <exception cref="IOException">The plan names a store that is none.</exception>
    public static StoreSpec StoreOf(StreamPlan plan, string place)
    {
        var written = plan.Store.Length > 0 ? plan.Store : $"sqlite:{Path.Combine(place, "documents.db")}";
        if (StoreAddress.Parse(written, out var address) is { } problem) throw new IOException($"`{written}`: {problem}");
        return new StoreSpec(address!, CollectionOf(plan.Name), Password: plan.PasswordVariable is { } variable ? () => HostEnvironment.Variable(variable) : null);
    }

    /// <summary>The stream's name as a table's or collection's.</summary>
    private static string CollectionOf(string stream)
    {
        var name = string.Concat(stream.ToLowerInvariant().Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' ? letter : '_'));
        if (!char.IsAsciiLetterLower(name[0])) name = $"s_{name}";
        return name.Length > 48 ? name[..48] : name;
    }

    private async Task<int> RunAsync()
    {
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        StartLoops();
        var byLoop = _events.Zip(_loops).ToDictionary(pair => pair.First, pair => pair.Second);
        using var listener = LoopListener.Listen(IPEndPoint.Parse(_state.Plan.Listen), _events, (socket, peer) => byLoop[socket.Loop].Accept(socket, peer), Say);
        using var stop = new CancellationTokenSource();
        var beside = _state.Workers.Select(worker => Uphold($"the worker of a partition", worker.RunAsync))
            .Concat(_state.Archive?.Workers.Select(worker => Uphold("the archive of a partition", worker.RunAsync)) ?? [])
            .Append(Uphold("retention", TrimAsync)).ToList();
        var archiving = _state.Archive is { } archive ? $", archiving to {archive.Address}" : "";
        var forWhom = _state.Keys is null ? "" : ", for producers with a key";
        Say($"listening on {listener.Address}{_state.Plan.Path}, storing to {_state.StoreName}{archiving}{forWhom}");
        var code = await _ending.Task;
        listener.Dispose();
        Say("ending: running requests are finished");
        var drained = Task.WhenAll(_loops.Select(loop => loop.DrainAsync()));
        if (await Task.WhenAny(drained, Task.Delay(DrainTime, _clock)) != drained) Say("warning: some requests were not finished in time");
        await stop.CancelAsync();
        await Task.WhenAll(beside);
        return code;

        Task Uphold(string what, Func<CancellationToken, Task> run) => Upheld.RunAsync(what, run, TimeSpan.FromSeconds(1), Say, stop.Token);
    }

    private void StartLoops()
    {
        var utcOfZero = _clock.GetUtcNow().UtcTicks - (EventLoop.Milliseconds() * TimeSpan.TicksPerMillisecond);
        for (var i = 0; i < HostEnvironment.ProcessorCount; i++)
        {
            var events = new EventLoop($"stream {i}");
            _events.Add(events);
            _loops.Add(new StreamLoop(_state, events, utcOfZero));
        }
    }

    /// <summary>Deletes what is stored and archived and older, or more, than the file says. A log whose disk failed is opened again by the next process.</summary>
    private async Task TrimAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(LookEvery, _clock);
        for (var look = 1; await timer.WaitForNextTickAsync(stop); look++)
        {
            if (_state.Log.Partitions.Select(partition => partition.Status()).FirstOrDefault(status => status.State == PartitionState.Failed) is { } failed)
            {
                Say($"error: the log failed ({failed.Failure}); it is opened again by the next process, which reads what is really there");
                _ending.TrySetResult(1);
                return;
            }

            if (_trim is null || look % TrimEvery != 0 || (_state.Plan.KeepSeconds is null && _state.Plan.KeepBytes is null)) continue;
            var before = _state.Plan.KeepSeconds is { } age ? LogModule.MicrosecondsOf(_clock.GetUtcNow()) - (age * 1_000_000) : (long?)null;
            await _trim(new RetentionLimits(before, _state.Plan.KeepBytes));
        }
    }

    private void End(PosixSignalContext context)
    {
        context.Cancel = true;
        _ending.TrySetResult(0);
    }

    private static void Say(string line) => StandardStreams.TryWriteLine(2, line);
}
