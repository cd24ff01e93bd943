using System.Diagnostics;
using Stoker.Daemon;
using Stoker.Estates;
using Stoker.Gpus;
using Stoker.Planning;
using Stoker.Platform.Gpus;
using Stoker.Supervision;
using Stoker.Tests.Shared;
using Stoker.Tests.Supervision;
using Xunit;

namespace Stoker.Tests.Daemon;

/// <summary>What uses more of a GPU than it declared: ended where the file says so, and told where it does not.</summary>
public sealed class GpuOveruseTests : IDisposable
{
    private readonly FakeHost _host = new();
    private readonly EstatePlan _plan;
    private readonly GpuOveruse _overuse;

    public GpuOveruseTests()
    {
        var spec = new EstateBuilder().Group("pair", gpu: EstateBuilder.GpuShare(EstateBuilder.GiB(4)) with { EndsOveruse = true })
            .Service("greedy", s => Ends(s.Gpu(memory: EstateBuilder.GiB(4)))).Service("told", s => s.Gpu(memory: EstateBuilder.GiB(4)))
            .Service("much", s => Ends(s.Group("pair").Gpu())).Service("little", s => Ends(s.Group("pair").Gpu())).Build();
        _plan = new EstatePlan(spec, null, Rehearse: false) { Services = spec.Services.ToDictionary(s => s.Key, s => new ServicePlan(s.Value, "f")) };
        _overuse = new GpuOveruse(_host.Doors, _host.Supervisor);
    }

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task It_is_ended_in_the_third_look_where_declared_and_only_told_where_not()
    {
        await UpAsync("greedy", "told");
        var told = PidOf("told");
        Look(("greedy", 5), ("told", 9));
        Look(("greedy", 5), ("told", 9));
        Assert.Equal(2, _host.Launched.Count);
        Look(("greedy", 5), ("told", 9));
        await _host.UntilAsync(() => _host.Launched.Count == 3 && _host.State("greedy") == ServiceState.Running);
        Assert.Contains(_host.Journal, l => l.Contains("greedy is ended: greedy uses 5 GiB of GPU 0 (card) and declared 4 GiB (on_overuse: end)", StringComparison.Ordinal));
        Assert.Equal(told, PidOf("told"));
        Assert.Equal(["greedy", "greedy"], _host.Launched.Where(s => s != "told"));
    }

    [Fact]
    public async Task Memory_that_comes_and_goes_while_a_program_loads_is_not_overuse()
    {
        await UpAsync("greedy");
        foreach (var used in (int[])[5, 5, 3, 5, 5]) Look(("greedy", used));
        Assert.DoesNotContain(_host.Journal, l => l.Contains("\"ended\"", StringComparison.Ordinal));
        Assert.Single(_host.Launched);
    }

    [Fact]
    public async Task Of_a_group_the_one_that_has_the_most_is_ended()
    {
        await UpAsync("much", "little");
        var little = PidOf("little");
        for (var look = 0; look < 3; look++) Look(("much", 3), ("little", 2));
        await _host.UntilAsync(() => _host.Launched.Count(s => s == "much") == 2);
        Assert.Equal(little, PidOf("little"));
    }

    [Fact]
    public void What_an_earlier_run_left_behind_is_killed_where_declared()
    {
        using var own = Process.Start("/bin/sleep", "1000");
        using var others = Process.Start("/bin/sleep", "1000");
        try
        {
            for (var look = 0; look < 3; look++)
                Meet(new GpuClientDocument(own.Id, "sleep", "orphan") { Service = "greedy", Memory = 1L << 30 }, new GpuClientDocument(others.Id, "sleep", "orphan") { Service = "told", Memory = 1L << 30 });
            Assert.True(own.WaitForExit(TimeSpan.FromSeconds(10)));
            Assert.False(others.HasExited);
            Assert.Contains(_host.Journal, l => l.Contains($"pid {own.Id}, sleep, left behind by greedy on GPU 0 (card) with 1 GiB, is ended (on_overuse: end)", StringComparison.Ordinal));
        }
        finally
        {
            own.Kill();
            others.Kill();
        }
    }

    private static ServiceDraft Ends(ServiceDraft draft) =>
        draft.With(draft.Spec with { Resources = draft.Spec.Resources with { Gpus = [.. draft.Spec.Resources.Gpus.Select(g => g with { EndsOveruse = true })] } });

    private async Task UpAsync(params string[] services)
    {
        _host.Apply([.. services.Select(name => FakeMachine.Plan(name, s => s with { Restart = new RestartSpec(RestartMode.Always) }))]);
        await _host.UntilAsync(() => services.All(s => _host.State(s) == ServiceState.Running));
    }

    private int PidOf(string service) => _host.Status(service)!.Replicas[0].Pid!.Value;

    private void Look(params (string Service, int GiB)[] used) =>
        Meet([.. used.Select(u => new GpuClientDocument(_host.Status(u.Service)?.Replicas[0].Pid ?? 0, u.Service, "service") { Service = u.Service, Replica = 1, Memory = (long)u.GiB << 30 })]);

    private void Meet(params IReadOnlyList<GpuClientDocument> clients)
    {
        var device = new GpuDevice(0) { Name = "card", Uuid = "GPU-1" };
        var gpu = new Stoker.Gpus.GpuDocument(0, false, device) { Clients = clients, Now = new GpuReading(0) };
        var four = 4L << 30;
        _overuse.Meet(new GpusDocument("test", default, null, null, [], [gpu]), _plan, _ => [new("greedy", four, ["greedy"]), new("told", four, ["told"]), new("group pair", four, ["much", "little"])]);
    }
}
