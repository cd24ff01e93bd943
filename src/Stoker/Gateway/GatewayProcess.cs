using System.Net;
using System.Runtime;
using System.Runtime.InteropServices;
using System.Text.Json;
using Stoker.Gateway.Forwarding;
using Stoker.Keys;
using Stoker.Gateway.Ledger;
using Stoker.Limits;
using Stoker.Gateway.Routing;
using Stoker.Platform;
using Stoker.Platform.Loops;
using Stoker.Platform.Sqlite;

namespace Stoker.Gateway;

/// <summary>
/// The gateway's own process, <c>stoker gateway-run --state DIR</c>, started and watched by the daemon like any service. It outlives the daemon; SIGHUP makes it
/// read its plan again, SIGTERM lets running answers end. Exit codes: 0 ended in order, 1 it could not begin or go on.
/// </summary>
internal sealed class GatewayProcess : IDisposable
{
    public const string Verb = "gateway-run";

    /// <summary>Files of the state directory.</summary>
    public const string PlanFile = "gateway.json", LedgerFile = "ledger.db";

    /// <summary>How long running answers have after SIGTERM; the service's own grace is a little longer.</summary>
    public static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(60);

    private readonly string _directory;
    private readonly SteadyClock _clock;
    private readonly GatewayState _state;
    private readonly List<EventLoop> _events = [];
    private readonly List<GatewayLoop> _loops = [];
    private readonly List<LoopListener> _listeners = [];
    private readonly TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PlanWatch _plans;

    private GatewayProcess(string directory, SteadyClock clock, GatewayState state)
    {
        (_directory, _clock, _state) = (directory, clock, state);
        _plans = new PlanWatch(state, directory, new HostAddresses(HostAddresses.BySystem, clock, Say), Say);
    }

    public static int Run(string[] args)
    {
        if (args is not [Verb, "--state", var directory])
        {
            Say($"usage: stoker {Verb} --state DIR");
            return 2;
        }

        // Answers are many and short-lived, and a pause is seen by every stream.
        GCSettings.LatencyMode = GCLatencyMode.SustainedLowLatency;
        try
        {
            using var process = Open(directory);
            return process.RunAsync().GetAwaiter().GetResult();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or JsonException or SqliteFailedException)
        {
            Say($"error: the gateway cannot begin: {refused.Message}");
            return 1;
        }
    }

    public void Dispose()
    {
        foreach (var listener in _listeners) listener.Dispose();
        foreach (var loop in _events) loop.Dispose();
        _state.Dispose();
    }

    private static GatewayProcess Open(string directory)
    {
        var clock = new SteadyClock();
        var router = new Router(RouterOptions.Default, (ulong)clock.GetTimestamp());
        var plan = PlanWatch.Read(directory);
        var keys = new KeyWatch(Path.Combine(directory, KeyStore.FileName), clock, Say);
        var ledger = new LedgerWriter(Path.Combine(directory, LedgerFile), TimeSpan.FromDays(plan.LedgerDays), clock, Say);
        return new GatewayProcess(directory, clock, new GatewayState(router, keys, ledger, clock.GetUtcNow(), Say));
    }

    private async Task<int> RunAsync()
    {
        using var signals = ListenToSignals();
        var plan = await _plans.ApplyAsync();
        StartBudgets();
        StartLoops();
        foreach (var address in plan.Listen) Listen(IPEndPoint.Parse(address));
        using var stop = new CancellationTokenSource();
        var beside = Task.WhenAll(
            Uphold("upkeep", new GatewayUpkeep(_state, _loops, _clock).RunAsync),
            Uphold("looking for plans", _plans.RunAsync),
            Uphold("watching engines", token => new EngineWatch(_state, _clock, EngineWatchPace.Default).RunAsync(token)),
            Uphold("the link to the daemon", new DaemonLink(_state, _directory).RunAsync),
            Uphold("the gateway's own socket", new GatewayAdmin(_state, _directory).RunAsync),
            Uphold("the log of decisions", LogDecisionsAsync));
        Say($"listening on {string.Join(", ", _listeners.Select(l => l.Address))}{(plan.RequiresKeys ? "" : ", open to everyone on this machine: `auth: none`")}");
        await _ending.Task;
        await DrainAsync();
        await stop.CancelAsync();
        await beside;
        return 0;

        Task Uphold(string what, Func<CancellationToken, Task> run) => Upheld.RunAsync(what, run, TimeSpan.FromSeconds(1), Say, stop.Token);
    }

    /// <summary>Budgets go on where the ledger has them.</summary>
    private void StartBudgets()
    {
        using var ledger = LedgerReader.OpenIfPresent(Path.Combine(_directory, LedgerFile));
        if (ledger is null) return;
        var now = _clock.GetUtcNow();
        _state.Limiter.StartFrom(ledger.Budgets(now), now.UtcTicks);
    }

    private void StartLoops()
    {
        // The loops count on from the same clock: one that is set neither frees limits nor holds them.
        var utcOfZero = _clock.GetUtcNow().UtcTicks - (EventLoop.Milliseconds() * TimeSpan.TicksPerMillisecond);
        for (var i = 0; i < HostEnvironment.ProcessorCount; i++)
        {
            var events = new EventLoop($"gateway {i}");
            _events.Add(events);
            _loops.Add(new GatewayLoop(_state, events, utcOfZero));
        }
    }

    private void Listen(IPEndPoint address)
    {
        var byLoop = _events.Zip(_loops).ToDictionary(pair => pair.First, pair => pair.Second);
        _listeners.Add(LoopListener.Listen(address, _events, (socket, peer) => byLoop[socket.Loop].Accept(socket, peer), Say));
    }

    private PosixSignalRegistrations ListenToSignals() => new(
    [
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, End),
        PosixSignalRegistration.Create(PosixSignal.SIGINT, End),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            _plans.Ask();
        }),
    ]);

    private void End(PosixSignalContext context)
    {
        context.Cancel = true;
        _ending.TrySetResult();
    }

    /// <summary>Decisions go to the log in a task of their own; see <see cref="Metrics.DecisionLog"/>.</summary>
    private async Task LogDecisionsAsync(CancellationToken stop)
    {
        await using var output = StandardStreams.Open(1);
        await _state.Decisions.WriteToAsync(output, stop);
    }

    private async Task DrainAsync()
    {
        foreach (var listener in _listeners) listener.Dispose();
        Say("ending: running answers are finished");
        var drained = Task.WhenAll(_loops.Select(loop => loop.DrainAsync()));
        if (await Task.WhenAny(drained, Task.Delay(DrainTime)) != drained) Say($"warning: {_state.Metrics.ActiveRequests} answers were not finished in time");
    }

    private static void Say(string line) => StandardStreams.TryWriteLine(2, line);

    private sealed class PosixSignalRegistrations(IReadOnlyList<PosixSignalRegistration> all) : IDisposable
    {
        public void Dispose()
        {
            foreach (var registration in all) registration.Dispose();
        }
    }
}
