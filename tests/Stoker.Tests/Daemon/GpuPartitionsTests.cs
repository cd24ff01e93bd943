using Stoker.Daemon;
using Stoker.Estates;
using Stoker.Gpus;
using Stoker.Gpus.Mig;
using Stoker.Gpus.Simulation;
using Stoker.Planning;
using Stoker.Platform.Gpus;
using Stoker.Supervision;
using Stoker.Tests.Shared;
using Stoker.Tests.Supervision;
using Xunit;

namespace Stoker.Tests.Daemon;

/// <summary>MIG as transactions: on a simulated A100 that outlives the daemons that divide it, as a real card does.</summary>
public sealed class GpuPartitionsTests : IDisposable
{
    private const string Uuid = "GPU-a100";

    /// <summary>A driver that does not hang is waited for also where the machine stands still.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);


    private readonly string _directory = Directory.CreateTempSubdirectory("stoker-mig-").FullName;
    private readonly FakeHost _host = new();
    private readonly SimulatedGpuDriver _card = new([new SimulatedCard("NVIDIA A100-SXM4-40GB", null, Uuid, null, 0)], TimeProvider.System);
    private readonly FaultyDriver _driver;
    private readonly GpuDoor _door;
    private readonly List<SimulatedClient> _strangers = [];

    /// <summary>Services that are on the card though it was not given to them.</summary>
    private readonly HashSet<string> _intruders = [];
    private readonly List<GpuPartitions> _made = [];
    private GpuPartitions _partitions;

    public GpuPartitionsTests()
    {
        _driver = new FaultyDriver(_card);
        _door = new GpuDoor(() => new GpuOpening.Opened(_driver), TimeProvider.System, Long);
        _partitions = Daemon("boot-1");
    }

    private string Record => Path.Combine(_directory, "gpus.json");

    public void Dispose()
    {
        _driver.Release();
        // Whoever was abandoned in the middle still notes down how that ended.
        Task.WaitAll([.. _made.Select(each => each.DecidedAsync(Uuid))], TimeSpan.FromSeconds(30));
        _door.Dispose();
        _host.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Before_anybody_starts_the_card_is_divided_and_each_gets_its_instance_by_UUID()
    {
        await UpAsync(("a", 19), ("b", 4));
        Assert.Equal(["3g.20gb at 4", "1g.5gb at 3"], Shape());
        Assert.Equal([_card.ReadMig(Uuid)!.Instances.Single(i => i.Start == 4).Uuid!], _host.Doors.Partitions!(new ServiceName("a"), 1));
        Assert.Equal([_card.ReadMig(Uuid)!.Instances.Single(i => i.Start == 3).Uuid!], _host.Doors.Partitions!(new ServiceName("b"), 1));
        Assert.Contains(_host.Journal, l => l.Contains("is in partitions: 3g.20gb for a, 1g.5gb for b", StringComparison.Ordinal));
        Assert.False(Read().IsChanging);
    }

    [Fact]
    public async Task Only_those_concerned_stop_and_start_again_on_what_was_made()
    {
        await UpAsync(("a", 4), ("b", 4), ("c", 4));
        var before = _host.Launched.Count;
        var (b, c) = (_host.Status("b")!.Replicas[0].Pid, _host.Status("c")!.Replicas[0].Pid);
        Follow(("a", 19), ("b", 4), ("c", 4));
        await _host.UntilAsync(() => Shape().Contains("3g.20gb at 0") && _host.State("a") == ServiceState.Running);
        Assert.Equal(["1g.5gb at 5", "1g.5gb at 4", "3g.20gb at 0"], Shape().Where(s => s != "1g.5gb at 6"));
        Assert.Equal(["a"], _host.Launched.Skip(before));
        Assert.Equal((b, c), (_host.Status("b")!.Replicas[0].Pid, _host.Status("c")!.Replicas[0].Pid));
    }

    [Fact]
    public async Task A_strangers_process_is_named_and_left_alone_and_when_it_ends_the_card_is_divided()
    {
        _strangers.Add(new SimulatedClient(Environment.ProcessId, 1L << 30, 0.1));
        Follow(("a", 19));
        await _host.UntilAsync(() => _host.Status("a")?.Reason?.Contains($"pid {Environment.ProcessId}, ", StringComparison.Ordinal) == true);
        Assert.Contains("(stranger) is on it, and none of this estate: end it, and it is divided", _host.Status("a")!.Reason!, StringComparison.Ordinal);
        Assert.False(_card.ReadMig(Uuid)!.IsOn);
        Assert.Empty(_host.Launched);

        _strangers.Clear();
        using var looks = new Timer(_ => _partitions.LookAgain(), null, 0, 50);
        await _host.UntilAsync(() => _host.State("a") == ServiceState.Running);
        Assert.Equal(["3g.20gb at 4"], Shape());
    }

    [Fact]
    public async Task A_service_that_the_card_was_not_given_to_is_named_and_left_alone()
    {
        _intruders.Add("web");
        _host.Apply(FakeMachine.Plan("web"));
        await _host.UntilAsync(() => _host.State("web") == ServiceState.Running);
        var pid = _host.Status("web")!.Replicas[0].Pid;
        var plan = Plan("mig", ("a", 19));
        Follow(_partitions, _door, plan with { Services = new Dictionary<ServiceName, ServicePlan>(plan.Services) { [new ServiceName("web")] = FakeMachine.Plan("web") } });
        _host.Apply(FakeMachine.Plan("web"), Service("a"));
        await _host.UntilAsync(() => _host.Status("a")?.Reason?.Contains($"web (pid {pid}) is on it, and was not given it: stop it, or give it the GPU", StringComparison.Ordinal) == true);
        Assert.Equal(pid, _host.Status("web")!.Replicas[0].Pid);

        _host.Supervisor.Stop(new ServiceName("web"));
        using var looks = new Timer(_ => _partitions.LookAgain(), null, 0, 50);
        await _host.UntilAsync(() => _host.State("a") == ServiceState.Running);
    }

    [Fact]
    public async Task What_fails_half_way_is_as_it_was_and_the_services_run_on_what_they_had()
    {
        await UpAsync(("a", 4), ("b", 4));
        var before = Shape();
        _driver.Refuse = what => what == "create 9" ? "Insufficient Resources (code 23)" : null;
        Follow(("a", 19), ("b", 4));
        await _host.UntilAsync(() => _host.Journal.Any(l => l.Contains("\"gpu_partitions_rolled_back\"", StringComparison.Ordinal)) && _host.State("b") == ServiceState.Running);
        Assert.Equal(before, Shape());
        Assert.Contains(_host.Journal, l => l.Contains("3g.20gb at slice 4 could not be made: Insufficient Resources (code 23); it is as it was before", StringComparison.Ordinal) || l.Contains("3g.20gb at slice 0 could not be made: Insufficient Resources (code 23); it is as it was before", StringComparison.Ordinal));
        await _host.UntilAsync(() => _host.State("a") == ServiceState.Running);
    }

    [Fact]
    public async Task What_failed_is_tried_again_some_times_less_and_less_often_and_nobody_starts_meanwhile()
    {
        _driver.Refuse = what => what == "create 9" ? "In use by another client (code 19)" : null;
        Follow(("a", 19));
        foreach (var (tries, pause) in ((int, int)[])[(1, 30), (2, 120), (3, 600)])
        {
            await _host.UntilAsync(() => Failures() == tries);
            Assert.Contains($"it is tried again after {(pause < 60 ? $"{pause} s" : $"{pause / 60} min")}", _host.Journal.Last(l => l.Contains("\"gpu_partitions_failed\"", StringComparison.Ordinal)), StringComparison.Ordinal);
            // The clock goes on by itself too, by as much as the test takes.
            _host.PutForward(TimeSpan.FromSeconds(pause - 15));
            _partitions.LookAgain();
            Assert.Equal(tries, Failures());
            Assert.Empty(_host.Launched);
            if (tries == 3) _driver.Refuse = _ => null;
            _host.PutForward(TimeSpan.FromSeconds(15));
            _partitions.LookAgain();
        }

        await _host.UntilAsync(() => _host.State("a") == ServiceState.Running);
        Assert.Equal(["3g.20gb at 4"], Shape());

        int Failures() => _host.Journal.Count(l => l.Contains("\"gpu_partitions_failed\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_library_that_says_yes_and_does_nothing_is_found_by_reading_back()
    {
        _driver.IsLiar = true;
        Follow(("a", 19));
        await _host.UntilAsync(() => _host.Status("a")?.Reason?.Contains("3g.20gb at slice 4 was made, and is not there", StringComparison.Ordinal) == true);
        Assert.False(_card.ReadMig(Uuid)!.IsOn);
    }

    [Fact]
    public async Task A_daemon_that_is_killed_in_the_middle_is_followed_by_one_that_knows_and_goes_on()
    {
        _driver.HangAt = "create 19";
        Follow(("a", 19), ("b", 4));
        await _driver.Hangs.WaitAsync(TimeSpan.FromSeconds(30));
        var begun = Read();
        Assert.True(begun.IsChanging);
        Assert.False(begun.Before!.IsOn);

        // The one before is gone with what it was about to do; its card keeps what was made.
        _driver.Abandon();
        using var host = new FakeHost();
        using var door = new GpuDoor(() => new GpuOpening.Opened(new FaultyDriver(_card)), TimeProvider.System, Long);
        var next = Daemon("boot-1", host);
        Follow(next, host, door, ("a", 19), ("b", 4));
        await host.UntilAsync(() => host.State("a") == ServiceState.Running && host.State("b") == ServiceState.Running);
        Assert.Contains(host.Journal, l => l.Contains("a daemon ended in the middle of a change of its partitions; it goes on from what the card has: 1 partitions", StringComparison.Ordinal));
        Assert.Equal(["3g.20gb at 4", "1g.5gb at 3"], Shape());
        Assert.False(Read().IsChanging);
    }

    [Fact]
    public async Task After_a_restart_of_the_machine_they_are_made_again_before_anybody_starts()
    {
        await UpAsync(("a", 19), ("b", 4));
        var before = Shape();
        // Neither mode nor instances survive it on Hopper and newer.
        _card.Divide(0, on: false, []);
        using var host = new FakeHost();
        var next = Daemon("boot-2", host);
        Assert.Null(next.ShapeOf(Uuid));
        Follow(next, host, _door, ("a", 19), ("b", 4));
        await host.UntilAsync(() => host.State("a") == ServiceState.Running && host.State("b") == ServiceState.Running);
        Assert.Equal(before, Shape());
        Assert.Contains(host.Journal, l => l.Contains("did not survive the restart of the machine", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_restart_of_the_machine_in_the_middle_of_a_change_is_told_and_it_begins_anew()
    {
        _driver.HangAt = "create 19";
        Follow(("a", 19), ("b", 4));
        await _driver.Hangs.WaitAsync(TimeSpan.FromSeconds(30));
        _driver.Abandon();
        _card.Divide(0, on: false, []);
        using var host = new FakeHost();
        using var door = new GpuDoor(() => new GpuOpening.Opened(new FaultyDriver(_card)), TimeProvider.System, Long);
        Follow(Daemon("boot-2", host), host, door, ("a", 19), ("b", 4));
        await host.UntilAsync(() => host.State("a") == ServiceState.Running && host.State("b") == ServiceState.Running);
        Assert.Contains(host.Journal, l => l.Contains("the machine was restarted in the middle of a change of its partitions; it goes on from what the card has: MIG is off", StringComparison.Ordinal));
        Assert.Equal(["3g.20gb at 4", "1g.5gb at 3"], Shape());
    }

    [Fact]
    public async Task A_card_that_is_lost_in_the_middle_is_told_and_nobody_starts_on_it()
    {
        _driver.Refuse = what =>
        {
            if (what.StartsWith("create", StringComparison.Ordinal)) _card.Raise(0, 79);
            return null;
        };
        Follow(("a", 19));
        await _host.UntilAsync(() => _host.Status("a")?.Reason?.Contains("GPU is lost (code 15)", StringComparison.Ordinal) == true);
        Assert.Contains(_host.Journal, l => l.Contains("nor could it be brought back", StringComparison.Ordinal));
        Assert.Empty(_host.Launched);
    }

    [Fact]
    public async Task A_library_that_hangs_holds_up_the_starts_with_a_reason_and_nothing_else()
    {
        using var patient = new GpuDoor(() => new GpuOpening.Opened(_driver), TimeProvider.System, TimeSpan.FromMilliseconds(200));
        _driver.HangAt = "read";
        Follow(_partitions, _host, patient, ("a", 19));
        _host.Apply(FakeMachine.Plan("web"), Service("a"));
        await _host.UntilAsync(() => _host.State("web") == ServiceState.Running && _host.Status("a")?.Reason?.Contains("the driver does not answer", StringComparison.Ordinal) == true);
        _driver.Release();
        using var looks = new Timer(_ => _partitions.LookAgain(), null, 0, 50);
        await _host.UntilAsync(() => _host.State("a") == ServiceState.Running);
    }

    [Fact]
    public async Task A_card_that_is_to_be_used_whole_is_brought_out_of_its_partitions()
    {
        await UpAsync(("a", 19), ("b", 4));
        var whole = Plan("whole", ("a", 19));
        Follow(_partitions, _door, whole);
        await _host.ApplyAsync(Service("a"));
        using var looks = new Timer(_ => _partitions.LookAgain(), null, 0, 50);
        await _host.UntilAsync(() => !_card.ReadMig(Uuid)!.IsOn && _host.State("a") == ServiceState.Running);
        Assert.Empty(_host.Doors.Partitions!(new ServiceName("a"), 1));
    }

    [Fact]
    public void A_note_that_cannot_be_read_is_no_reason_to_fail()
    {
        Assert.Empty(MigRecords.Read("{\"cards\": {\"GPU"u8.ToArray()).Cards);
        Assert.Empty(MigRecords.Read("null"u8.ToArray()).Cards);
    }

    private GpuPartitions Daemon(string boot, FakeHost? host = null)
    {
        host ??= _host;
        var partitions = new GpuPartitions(host.Doors, host.Supervisor, () => Task.FromResult(Look(host)), Record, boot);
        _made.Add(partitions);
        host.Doors.Room = async (service, _) =>
        {
            await Task.WhenAny(partitions.DecidedAsync(Uuid), Task.Delay(50));
            return partitions.HoldsUp(Uuid, service.Value) is { } why ? new StartRoom.NotNow(why) : new StartRoom.There();
        };
        return partitions;
    }

    /// <summary>As the daemon looks: who runs is on its instance, and strangers where they are.</summary>
    private GpusDocument Look(FakeHost host)
    {
        List<(string Service, int Pid)> up = [.. host.Doors.Board.Statuses.Values.SelectMany(s => s.Replicas.Where(r => r.Pid is not null && (IsGiven(s.Name) || _intruders.Contains(s.Name.Value))).Select(r => (s.Name.Value, r.Pid!.Value)))];
        _card.Place(0, [.. up.Select(u => new SimulatedClient(u.Pid, 1L << 30, 0.1, _partitions.InstanceOf(Uuid, u.Service))), .. _strangers]);
        List<GpuClientDocument> clients =
        [
            .. up.Select(u => new GpuClientDocument(u.Pid, u.Service, "service") { Service = u.Service, Instance = (int?)_partitions.InstanceOf(Uuid, u.Service) }),
            .. _strangers.Select(s => new GpuClientDocument(s.Pid, "train", "stranger")),
        ];
        return new GpusDocument("test", default, null, null, [], [new Stoker.Gpus.GpuDocument(0, true, _card.ReadDevices()[0]) { Clients = clients }]);

        bool IsGiven(ServiceName service) => host.Supervisor.Plans.TryGetValue(service, out var plan) && plan.AsksRoom;
    }

    private async Task UpAsync(params (string Owner, int GiB)[] asks)
    {
        Follow(asks);
        await _host.UntilAsync(() => asks.All(a => _host.State(a.Owner) == ServiceState.Running) && _partitions.DecidedAsync(Uuid).IsCompleted);
    }

    private void Follow(params (string Owner, int GiB)[] asks) => Follow(_partitions, _host, _door, asks);

    private void Follow(GpuPartitions partitions, FakeHost host, GpuDoor door, params (string Owner, int GiB)[] asks)
    {
        Follow(partitions, door, Plan("mig", asks));
        host.Apply([.. asks.Select(a => Service(a.Owner))]);
    }

    private void Follow(GpuPartitions partitions, GpuDoor door, EstatePlan plan)
    {
        _partitions = partitions;
        partitions.Follow(plan, [new DividedCard(plan.Gpus[0], Uuid, door, IsSimulated: true)]);
    }

    private static ServicePlan Service(string name) => FakeMachine.Plan(name, s => s with { Restart = new RestartSpec(RestartMode.Always) }) with { Gpus = ["GPU 0 (A100)"] };

    private static EstatePlan Plan(string share, params (string Owner, int GiB)[] asks)
    {
        var estate = new EstateBuilder();
        foreach (var ask in asks) estate.Service(ask.Owner, s => s.Gpu(memory: EstateBuilder.GiB(ask.GiB), share: share));
        var spec = estate.Build();
        return new EstatePlan(spec, null, Rehearse: true)
        {
            Services = spec.Services.ToDictionary(s => s.Key, s => new ServicePlan(s.Value, "f")),
            Gpus = [new GpuPlan(null, 0, "NVIDIA A100-SXM4-40GB", "GPU 0 (A100)", EstateBuilder.GiB(40), false, share, [.. asks.Select(a => new GpuHolderPlan(a.Owner, EstateBuilder.GiB(a.GiB)))]) { Uuid = Uuid }],
        };
    }

    private string[] Shape()
    {
        var mig = _card.ReadMig(Uuid)!;
        return [.. mig.Instances.OrderByDescending(i => i.Start).Select(i => $"{mig.Profiles.Single(p => p.Id == i.ProfileId).Name} at {i.Start}")];
    }

    private MigRecord Read() => MigRecords.Read(File.ReadAllBytes(Record)).Cards[Uuid];

    /// <summary>A driver that refuses, hangs or lies where the test says.</summary>
    private sealed class FaultyDriver(SimulatedGpuDriver card) : IGpuDriver, IGpuControl
    {
        private readonly ManualResetEventSlim _gate = new(false);
        private readonly TaskCompletionSource _hangs = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _isAbandoned;

        public Func<string, string?>? Refuse { get; set; }

        public bool IsLiar { get; set; }

        public string? HangAt { get; set; }

        public Task Hangs => _hangs.Task;

        public GpuSystem System => card.System;

        public void Release()
        {
            HangAt = null;
            _gate.Set();
        }

        /// <summary>What hangs never comes to be.</summary>
        public void Abandon() => _isAbandoned = true;

        public IReadOnlyList<GpuDevice> ReadDevices() => card.ReadDevices();

        public IReadOnlyList<GpuReading> ReadNow() => card.ReadNow();

        public IReadOnlyList<GpuEvent> TakeEvents() => card.TakeEvents();

        public MigState? ReadMig(string uuid)
        {
            _ = Meet("read");
            return card.ReadMig(uuid);
        }

        public string? SetMigMode(string uuid, bool on) => Meet($"mode {on}") ?? card.SetMigMode(uuid, on);

        public (MigInstance? Made, string? Problem) CreateInstance(string uuid, uint profileId, uint start)
        {
            if (Meet($"create {profileId}") is { } problem) return (null, problem);
            return IsLiar ? (new MigInstance(1, profileId, (int)start, 1, "MIG-lie"), null) : card.CreateInstance(uuid, profileId, start);
        }

        public string? DestroyInstance(string uuid, uint instanceId) => Meet("destroy") ?? card.DestroyInstance(uuid, instanceId);

        public void Dispose()
        {
        }

        private string? Meet(string what)
        {
            if (HangAt == what)
            {
                _hangs.TrySetResult();
                _gate.Wait();
            }

            return _isAbandoned ? throw new GpuDriverException("its daemon is gone") : Refuse?.Invoke(what);
        }
    }
}
