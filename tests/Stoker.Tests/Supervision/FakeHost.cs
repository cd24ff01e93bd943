using Stoker.Estates;
using Stoker.Logs;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Runtimes;
using Stoker.Supervision;

namespace Stoker.Tests.Supervision;

/// <summary>
/// A host for real drivers under a real <see cref="Supervisor"/>, with their loops on real threads: processes are entries here, and
/// end when they are told to, or, while <see cref="IsStubborn"/>, when <see cref="Release"/> lets them. Whatever two lives of one service
/// would do to each other is a fault.
/// </summary>
internal sealed class FakeHost : IDisposable
{
    private static readonly TimeSpan Hung = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("stoker-host-").FullName;
    private readonly Dictionary<string, Process> _processes = [];
    private readonly Dictionary<string, Hands> _records = [];
    private readonly List<Hands> _lives = [];
    private readonly List<string> _launched = [];
    private readonly List<string> _faults = [];
    private readonly MovedTime _clock = new();
    private int _pid = 1000;

    public FakeHost()
    {
        var clock = _clock;
        var scanner = new TreeScanner();
        Doors = new SupervisionDoors("test", clock, new SupervisionPlaces(_directory, _directory, _directory, _directory, _directory, _directory), new ServiceBoard(clock), Stoker.Supervision.Journal.Open(Path.Combine(_directory, "journal.ndjson"), clock))
        {
            Pump = new LogPump(clock, _ => { }),
            Records = new ReplicaRecords(_directory),
            Processes = new ProcessRuntime(scanner),
            Containers = new ContainerRuntime(scanner, clock),
            ProgramPath = "/bin/false",
        };
        Supervisor = new Supervisor(Doors, (post, _) => new Hands(this, post));
    }

    public SupervisionDoors Doors { get; }

    public Supervisor Supervisor { get; }

    /// <summary>Of the clock; timers that run already do not know of it.</summary>
    public void PutForward(TimeSpan time) => _clock.PutForward(time);

    /// <summary>Processes ignore their stop signal until they are released.</summary>
    public bool IsStubborn { get; set; }

    /// <summary>What waits to be tried again is tried again in a moment; otherwise it waits for ever.</summary>
    public bool RetriesSoon { get; set; }

    /// <summary>The next record is not saved, by a bug.</summary>
    public bool HasBug { get; set; }

    /// <summary>Names of services in the order in which their processes were started.</summary>
    public IReadOnlyList<string> Launched
    {
        get
        {
            lock (_lock) return [.. _launched];
        }
    }

    /// <summary>Keys of living processes: <c>web.1</c>.</summary>
    public IReadOnlyList<string> Living
    {
        get
        {
            lock (_lock) return [.. _processes.Keys.Order()];
        }
    }

    /// <summary>Its lines so far.</summary>
    public IReadOnlyList<string> Journal => Path.Combine(_directory, "journal.ndjson") is var path && File.Exists(path) ? File.ReadAllLines(path) : [];

    public IReadOnlyList<string> Faults
    {
        get
        {
            lock (_lock) return [.. _faults];
        }
    }

    public void Dispose()
    {
        Doors.Pump.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Makes the estate these services, as an <c>up</c> of a file that has them does.</summary>
    public void Apply(params IReadOnlyList<ServicePlan> plans) => _ = ApplyAsync(plans);

    /// <summary>The same, until each service has taken what it was told.</summary>
    public Task ApplyAsync(params IReadOnlyList<ServicePlan> plans)
    {
        var names = plans.Select(p => p.Name).ToHashSet();
        var plan = new EstatePlan(new EstateSpec("test", "stoker.yaml", _directory), null, false)
        {
            Services = plans.ToDictionary(p => p.Name),
            Changes = [.. Supervisor.Plans.Keys.Where(n => !names.Contains(n)).Select(n => new ServiceChange(n, ChangeKind.Stop, "no longer in the file"))],
        };
        return Supervisor.Apply(plan, new Dictionary<ServiceName, LaunchContext>(), AdoptedEstate.Nothing, resume: false, []);
    }

    /// <summary>Lets everything end that was told to, now and from now on.</summary>
    public void Release()
    {
        IsStubborn = false;
        List<Process> told;
        lock (_lock) told = [.. _processes.Values.Where(p => p.IsTold)];
        foreach (var process in told) End(process, ExitStatus.Killed(Signals.Terminate));
    }

    /// <summary>A main process ends by itself; nothing happens where none runs.</summary>
    public void Exit(string name, int code = 0)
    {
        Process? process;
        lock (_lock) _processes.TryGetValue($"{name}.1", out process);
        if (process is not null) End(process, ExitStatus.Exited(code));
    }

    public ServiceStatus? Status(string name) => Doors.Board.Statuses.GetValueOrDefault(new ServiceName(name));

    public ServiceState? State(string name) => Status(name)?.State;

    /// <summary>Waits until it is so; looks again whenever the board changes, and now and then: the journal is written without it.</summary>
    public async Task UntilAsync(Func<bool> isSo)
    {
        var began = Doors.Clock.GetTimestamp();
        while (true)
        {
            var changed = Doors.Board.Changed;
            if (isSo()) return;
            if (Doors.Clock.GetElapsedTime(began) > Hung) throw new TimeoutException($"it does not come about:\n{string.Join('\n', Doors.Board.Statuses.Values.Select(s => $"{s.Name} {s.State}: {s.Reason}"))}\n{string.Join('\n', Journal)}");
            await Task.WhenAny(changed, Task.Delay(50));
        }
    }

    /// <summary>Nothing may take this long: what does not come about then is stuck.</summary>
    public static Task OrHangsAsync(Task task) => task.WaitAsync(Hung);

    private void End(Process process, ExitStatus status)
    {
        lock (_lock)
        {
            // Told and released in one moment it is ended twice; by then another one may have its key.
            if (_processes.GetValueOrDefault(process.Key) != process) return;
            _processes.Remove(process.Key);
        }

        process.Post(new ServiceFact.Exited(Doors.Clock.GetUtcNow(), process.Replica, process.Run, status, null));
    }

    private sealed record Process(string Key, int Replica, int Run, Action<ServiceFact> Post)
    {
        public bool IsTold { get; set; }
    }

    private sealed class Hands(FakeHost host, Action<ServiceFact> post) : IServiceHands
    {
        private string? _service;

        public IReadOnlyList<ServiceFact> Do(ServiceAction.OfReplica action, ServiceLife life)
        {
            var key = $"{life.Plan.Name}.{action.Replica}";
            switch (action)
            {
                case ServiceAction.AskRoom ask:
                    _ = AskRoomAsync(ask, life);
                    break;
                case ServiceAction.Arm arm when arm.Timer == ReplicaTimer.Room || (arm.Timer == ReplicaTimer.Backoff && host.RetriesSoon):
                    // The test says when to look again, by what it changes; a moment is as good as a second.
                    _ = Task.Delay(10).ContinueWith(_ => post(new ServiceFact.TimerElapsed(host.Doors.Clock.GetUtcNow(), arm.Replica, arm.Run, arm.Timer)), TaskScheduler.Default);
                    break;
                case ServiceAction.Launch launch:
                    return [Launch(key, launch, life)];
                case ServiceAction.SaveRecord when host.HasBug:
                    host.HasBug = false;
                    throw new InvalidOperationException("a bug of the test's");
                case ServiceAction.SaveRecord:
                    lock (host._lock) host._records[key] = this;
                    break;
                case ServiceAction.DropRecord:
                    Drop(key);
                    break;
                case ServiceAction.Signal signal:
                    Tell(key, signal.Number);
                    break;
                case ServiceAction.Sweep sweep when !Tell(key, sweep.Number):
                    return [new ServiceFact.TreeGone(host.Doors.Clock.GetUtcNow(), sweep.Replica, sweep.Run, 0)];
            }

            return [];
        }

        public ServiceFact.Adopted? Adopt(ReplicaRecord record, ServiceLife life) => null;

        public Task<IReadOnlyList<AskedReplica>> AskAsync(ServiceLife life, CancellationToken cancel) => Task.FromResult<IReadOnlyList<AskedReplica>>([]);

        public ValueTask DisposeAsync()
        {
            lock (host._lock) host._lives.Remove(this);
            return ValueTask.CompletedTask;
        }

        private async Task AskRoomAsync(ServiceAction.AskRoom ask, ServiceLife life)
        {
            var room = host.Doors.Room is { } door ? await door(life.Plan.Name, ask.Replica) : new StartRoom.There();
            post(new ServiceFact.RoomTold(host.Doors.Clock.GetUtcNow(), ask.Replica, ask.Run, room));
        }

        private ServiceFact.Launched Launch(string key, ServiceAction.Launch launch, ServiceLife life)
        {
            lock (host._lock)
            {
                _service = life.Plan.Name.Value;
                if (host._lives.Any(other => other != this && other._service == _service)) host._faults.Add($"{key} is started while its earlier life has not ended");
                if (!host._lives.Contains(this)) host._lives.Add(this);
                if (!host._processes.TryAdd(key, new Process(key, launch.Replica, launch.Run, post))) host._faults.Add($"{key} is started twice");
                host._records[key] = this;
                host._launched.Add(_service);
                return new ServiceFact.Launched(host.Doors.Clock.GetUtcNow(), launch.Replica, launch.Run, ++host._pid);
            }
        }

        private void Drop(string key)
        {
            lock (host._lock)
            {
                if (host._records.TryGetValue(key, out var owner) && owner != this) host._faults.Add($"the record of {key} is dropped by another life");
                host._records.Remove(key);
            }
        }

        /// <summary>False: there is nothing to tell it to.</summary>
        private bool Tell(string key, int signal)
        {
            Process? process;
            lock (host._lock)
            {
                if (!host._processes.TryGetValue(key, out process)) return false;
                process.IsTold = true;
            }

            if (!host.IsStubborn || signal == Signals.Kill) host.End(process, ExitStatus.Killed(signal));
            return true;
        }
    }

    private sealed class MovedTime : TimeProvider
    {
        private long _ahead;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref _ahead));

        public override long GetTimestamp() => base.GetTimestamp() + (Interlocked.Read(ref _ahead) * TimestampFrequency / TimeSpan.TicksPerSecond);

        public void PutForward(TimeSpan time) => Interlocked.Add(ref _ahead, time.Ticks);
    }
}
