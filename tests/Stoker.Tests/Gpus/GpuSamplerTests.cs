using System.Diagnostics;
using Stoker.Gpus;
using Stoker.Gpus.Simulation;
using Stoker.Platform;
using Stoker.Platform.Gpus;
using Stoker.Tests.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus;

public sealed class GpuSamplerTests
{
    [Fact]
    public async Task Eight_cards_are_on_one_page_with_whom_they_serve()
    {
        using var driver = new SimulatedGpuDriver([.. Enumerable.Range(0, 8).Select(i => new SimulatedCard("NVIDIA H100 80GB HBM3", null, null, "box", i))], TimeProvider.System);
        for (var i = 0; i < 8; i++) driver.Place(i, [new SimulatedClient(Environment.ProcessId, 40L << 30, 0.8)]);
        using var door = new GpuDoor(() => new GpuOpening.Opened(driver), TimeProvider.System, TimeSpan.FromMinutes(1));
        var sampler = new GpuSampler([door], TimeProvider.System);
        var view = new GpuView("estate", TimeProvider.System);
        ReplicaProcess[] replicas = [new("vision", 1, Environment.ProcessId)];
        var page = "";

        // What two looks differ by is told by the second.
        for (var i = 0; i < 2; i++)
        {
            using var written = GpuMetricsPage.Write(view.Lay(await sampler.SampleAsync(), replicas, _ => ["vision"], _ => "box"), "box");
            page = written.ToString();
        }

        Assert.Contains("DCGM_FI_DEV_GPU_UTIL{gpu=\"7\"", page, StringComparison.Ordinal);
        Assert.Contains("service=\"vision\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cards_of_a_driver_that_stops_answering_stay_in_view_with_the_reason()
    {
        using var library = new StandInLibrary();
        using var door = new GpuDoor(() => NvmlDriver.Open(library.Path), TimeProvider.System, TimeSpan.FromMilliseconds(300));
        var clock = new MovedClock();
        var sampler = new GpuSampler([door], clock);
        // To load the library may take longer than that, on a machine that has much to do.
        for (var first = await sampler.SampleAsync(); first.Gpus.Count == 0 || first.Gpus.Any(g => g.Now is null); first = await sampler.SampleAsync())
        {
            Assert.True(clock.Now < new DateTimeOffset(2026, 11, 21, 18, 0, 0, TimeSpan.Zero), "the driver never answers");
            clock.Now += TimeSpan.FromMinutes(2);
        }

        // What there is, is asked again after a minute: there the library hangs.
        library.Hang(true);
        clock.Now += TimeSpan.FromMinutes(2);
        var snapshot = await sampler.SampleAsync();
        Assert.Equal(["NVIDIA GeForce RTX 4090", "NVIDIA A100-SXM4-40GB"], snapshot.Gpus.Select(g => g.Device.Name));
        Assert.All(snapshot.Gpus, g => Assert.Null(g.Now));
        Assert.All(snapshot.Gpus, g => Assert.StartsWith("the driver does not answer", g.Silent, StringComparison.Ordinal));
        Assert.Single(snapshot.Problems);
    }

    [Fact]
    public async Task Cards_of_two_drivers_are_numbered_through_and_an_incident_finds_its_card()
    {
        using var library = new StandInLibrary();
        using var own = new GpuDoor(() => NvmlDriver.Open(library.Path), TimeProvider.System, TimeSpan.FromMinutes(1));
        using var simulated = new SimulatedGpuDriver([new SimulatedCard("RTX 5090", null, null, "box", 0)], TimeProvider.System);
        using var stage = new GpuDoor(() => new GpuOpening.Opened(simulated), TimeProvider.System, TimeSpan.FromMinutes(1));
        var sampler = new GpuSampler([own, stage], TimeProvider.System);
        await sampler.SampleAsync();
        simulated.Raise(0, 31);
        var snapshot = await sampler.SampleAsync();
        Assert.Equal([(0, false), (1, false), (2, true)], snapshot.Gpus.Select(g => (g.Number, g.Device.Simulated)));
        Assert.Equal((2, GpuEventKind.Xid, 31L), snapshot.Incidents.Select(i => (i.Gpu.Number, i.Kind, i.Data)).Single());
    }

    [Fact]
    public void A_process_belongs_to_the_replica_above_it_or_to_the_one_whose_marks_it_has()
    {
        var marks = new Dictionary<string, string?> { ["STOKER_ESTATE"] = "box", ["STOKER_SERVICE"] = "vision", ["STOKER_REPLICA"] = "2", [ProcessTree.MarkerVariable] = "run-1" };
        using var leader = Start(marks);
        using var other = Start(marks);
        using var left = Start(new(marks) { [ProcessTree.MarkerVariable] = "run-0" });
        using var elsewhere = Start(new(marks) { ["STOKER_ESTATE"] = "lab" });
        using var stranger = Start([]);
        try
        {
            ReplicaProcess[] replicas = [new("vision", 2, leader.Id), new("tests", 1, Environment.ProcessId)];
            // Under this process they would all be its own: the tree is asked only below the replica that is there.
            var owners = new GpuOwners("box").Find([leader.Id, other.Id, left.Id, elsewhere.Id, stranger.Id, 999_999_999], [replicas[0]]);
            Assert.Equal((OwnerKind.Service, "vision/2"), (owners[leader.Id].Kind, owners[leader.Id].Name));
            Assert.Equal((OwnerKind.Service, "vision/2"), (owners[other.Id].Kind, owners[other.Id].Name));
            Assert.Equal((OwnerKind.Orphan, "vision/2"), (owners[left.Id].Kind, owners[left.Id].Name));
            Assert.Equal((OwnerKind.OtherEstate, "lab"), (owners[elsewhere.Id].Kind, owners[elsewhere.Id].Estate));
            Assert.Equal(OwnerKind.Stranger, owners[stranger.Id].Kind);
            Assert.Equal(OwnerKind.Stranger, owners[999_999_999].Kind);
            Assert.Equal("tests", new GpuOwners("box").Find([stranger.Id], replicas)[stranger.Id].Name);
        }
        finally
        {
            foreach (var process in (Process[])[leader, other, left, elsewhere, stranger])
            {
                process.Kill();
                process.WaitForExit();
            }
        }
    }

    private static Process Start(Dictionary<string, string?> variables)
    {
        var start = new ProcessStartInfo("/bin/sleep", "1000");
        foreach (var name in (string[])["STOKER_ESTATE", "STOKER_SERVICE", "STOKER_REPLICA", ProcessTree.MarkerVariable]) start.Environment.Remove(name);
        foreach (var (name, value) in variables) start.Environment[name] = value;
        var process = Process.Start(start)!;
        // A program that has just taken its process over has none for a moment.
        SpinWait.SpinUntil(() => File.ReadAllText($"/proc/{process.Id}/environ").Length > 0);
        return process;
    }

    private sealed class MovedClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
