using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Platform.Gpus;

/// <summary>What every driver keeps: of two cards, an RTX 4090 (0) and an A100 of 40 GiB (1).</summary>
public abstract class GpuDriverConformance : IDisposable
{
    private protected abstract IGpuDriver Driver { get; }

    private protected IGpuControl Control => (IGpuControl)Driver;

    private protected abstract void Raise(int gpu, int xid);

    /// <summary>The card falls off the bus.</summary>
    private protected abstract void Lose(int gpu);

    private protected abstract void Begin(int gpu, int pid, long memory);

    private protected abstract void BeginIn(int gpu, int instance, int pid, long memory);

    private protected abstract void EndAll(int gpu);

    /// <summary>The same two places with cards that have performance monitors; from now on these are meant.</summary>
    private protected abstract void TakeLaterCards();

    private protected abstract void Pass(TimeSpan time);

    public abstract void Dispose();

    [Fact]
    public void Cards_are_told_in_order_with_what_they_are()
    {
        var devices = Driver.ReadDevices();
        Assert.Equal(["NVIDIA GeForce RTX 4090", "NVIDIA A100-SXM4-40GB"], devices.Select(d => d.Name));
        Assert.Equal([0, 1], devices.Select(d => d.Index));
        Assert.Equal([24564L << 20, 40960L << 20], devices.Select(d => d.Memory));
        Assert.Equal(["8.9", "8.0"], devices.Select(d => d.ComputeCapability));
        Assert.Equal([16384, 6912], devices.Select(d => d.Cores));
        Assert.Equal(["0x268410DE", "0x20B010DE"], devices.Select(d => d.PciId));
        Assert.Equal([450.0, 400.0], devices.Select(d => d.PowerDefault));
        Assert.All(devices, d => Assert.Matches("^GPU-", d.Uuid));
        Assert.All(devices, d => Assert.Matches("^00000000:[0-9A-F]{2}:00.0$", d.PciBusId));
        Assert.All(devices, d => Assert.Empty(d.Problems));
    }

    [Fact]
    public void What_a_card_does_not_support_stays_so_field_by_field()
    {
        var devices = Driver.ReadDevices();
        Assert.Null(devices[0].Mig);
        Assert.Null(devices[0].SlowdownCelsius);
        Assert.Contains("mig", devices[0].NotSupported);
        Assert.Contains("serial", devices[0].NotSupported);
        Assert.False(devices[1].Mig);
        Assert.Equal((89, 92), (devices[1].SlowdownCelsius, devices[1].ShutdownCelsius));
        Assert.DoesNotContain("mig", devices[1].NotSupported);
        var now = Driver.ReadNow();
        Assert.Contains("ecc_corrected", now[0].NotSupported);
        Assert.Contains("memory_celsius", now[0].NotSupported);
        Assert.Null(now[0].EccCorrected);
        Assert.NotNull(now[1].EccCorrected);
        Assert.NotNull(now[1].MemoryCelsius);
        Assert.Contains("fan", now[1].NotSupported);
        Assert.NotNull(now[0].FanPercent);
    }

    [Fact]
    public void Memory_adds_up_and_a_card_without_clients_is_idle()
    {
        var devices = Driver.ReadDevices();
        foreach (var (device, now) in devices.Zip(Driver.ReadNow()))
        {
            Assert.Equal(device.Memory, now.UsedMemory + now.FreeMemory + now.ReservedMemory);
            Assert.Equal((0L, 0), (now.UsedMemory, now.GpuPercent));
            Assert.Equal(ThrottleReasons.Idle, now.Throttle);
            Assert.Empty(now.Processes);
        }
    }

    [Fact]
    public void A_process_comes_with_its_memory_and_goes()
    {
        Driver.ReadDevices();
        Begin(0, 4711, 6L << 30);
        Begin(0, 4712, 1L << 30);
        var now = Driver.ReadNow();
        Assert.Equal([(4711, 6L << 30, "compute"), (4712, 1L << 30, "compute")], now[0].Processes.Select(p => (p.Pid, p.Memory!.Value, p.Kind)));
        Assert.All(now[0].Processes, p => Assert.InRange(p.GpuPercent!.Value, 1, 100));
        Assert.Equal(7L << 30, now[0].UsedMemory);
        Assert.InRange(now[0].GpuPercent!.Value, 1, 100);
        Assert.Empty(now[1].Processes);
        EndAll(0);
        Assert.Empty(Driver.ReadNow()[0].Processes);
    }

    [Fact]
    public void An_Xid_is_told_once()
    {
        Driver.ReadDevices();
        Assert.Empty(Driver.TakeEvents());
        Raise(1, 94);
        Raise(0, 31);
        Assert.Equal([new GpuEvent(1, GpuEventKind.Xid, 94), new GpuEvent(0, GpuEventKind.Xid, 31)], Driver.TakeEvents());
        Assert.Empty(Driver.TakeEvents());
    }

    [Fact]
    public void A_card_that_is_lost_in_use_is_told_in_words_and_takes_no_other_with_it()
    {
        Driver.ReadDevices();
        Begin(0, 4711, 1L << 30);
        Lose(0);
        var now = Driver.ReadNow();
        Assert.Equal(("GPU is lost (code 15)", (long?)null, 0), (now[0].Lost, now[0].UsedMemory, now[0].Processes.Count));
        Assert.Null(now[1].Lost);
        Assert.NotNull(now[1].Celsius);
    }

    [Fact]
    public void MIG_is_made_and_ended_by_its_rules()
    {
        var uuid = Driver.ReadDevices()[1].Uuid!;
        Assert.False(Control.ReadMig(uuid)!.IsOn);
        Assert.Null(Control.SetMigMode(uuid, on: true));
        var mig = Control.ReadMig(uuid)!;
        Assert.True(mig.IsOn);
        var (three, two) = (mig.Profiles.Single(p => p.Name == "3g.20gb"), mig.Profiles.Single(p => p.Name == "2g.10gb"));
        Assert.Equal((4, 3, 19968L << 20), (three.Size, three.Slices, three.Memory));
        Assert.Equal([0, 4], three.Starts);
        Assert.Equal([0, 2, 4], two.Starts);

        var (made, problem) = Control.CreateInstance(uuid, three.Id, 4);
        Assert.Null(problem);
        Assert.Equal((4, 4), (made!.Start, made.Size));
        Assert.StartsWith("MIG-", made.Uuid, StringComparison.Ordinal);
        Assert.Equal("Insufficient Resources (code 23)", Control.CreateInstance(uuid, two.Id, 4).Problem);
        Assert.Equal("Invalid Argument (code 2)", Control.CreateInstance(uuid, two.Id, 3).Problem);
        Assert.Null(Control.CreateInstance(uuid, two.Id, 0).Problem);
        Assert.Equal([0, 4], Control.ReadMig(uuid)!.Instances.Select(i => i.Start));
        Assert.Equal("In use by another client (code 19)", Control.SetMigMode(uuid, on: false));

        foreach (var instance in Control.ReadMig(uuid)!.Instances) Assert.Null(Control.DestroyInstance(uuid, instance.Id));
        Assert.Empty(Control.ReadMig(uuid)!.Instances);
        Assert.Equal("Not Found (code 6)", Control.DestroyInstance(uuid, 3));
        Assert.Null(Control.SetMigMode(uuid, on: false));
    }

    [Fact]
    public void MIG_is_not_switched_under_a_client_and_not_at_all_on_a_card_without_it()
    {
        var devices = Driver.ReadDevices();
        Begin(1, 4711, 1L << 30);
        Assert.Equal("In use by another client (code 19)", Control.SetMigMode(devices[1].Uuid!, on: true));
        Assert.Null(Control.ReadMig(devices[0].Uuid!));
        Assert.Equal("Not Supported (code 3)", Control.SetMigMode(devices[0].Uuid!, on: true));
        Assert.Equal("there is no GPU GPU-none", Control.SetMigMode("GPU-none", on: true));
    }

    [Fact]
    public void An_instance_with_a_process_in_it_is_not_ended_and_tells_whose_it_is()
    {
        var uuid = Driver.ReadDevices()[1].Uuid!;
        Control.SetMigMode(uuid, on: true);
        var profile = Control.ReadMig(uuid)!.Profiles.Single(p => p.Name == "1g.5gb");
        var (one, other) = (Control.CreateInstance(uuid, profile.Id, 0).Made!, Control.CreateInstance(uuid, profile.Id, 1).Made!);
        BeginIn(1, (int)one.Id, 4711, 1L << 30);
        Assert.Equal([(4711, (int?)one.Id)], Driver.ReadNow()[1].Processes.Select(p => (p.Pid, p.Instance)));
        Assert.Equal("In use by another client (code 19)", Control.DestroyInstance(uuid, one.Id));
        Assert.Null(Control.DestroyInstance(uuid, other.Id));
        EndAll(1);
        Assert.Null(Control.DestroyInstance(uuid, one.Id));
    }

    [Fact]
    public void A_card_in_partitions_tells_no_share_of_use()
    {
        var uuid = Driver.ReadDevices()[1].Uuid!;
        Control.SetMigMode(uuid, on: true);
        var profile = Control.ReadMig(uuid)!.Profiles.Single(p => p.Name == "1g.5gb");
        for (var place = 0u; place < 2; place++) Control.CreateInstance(uuid, profile.Id, place);
        var now = Driver.ReadNow()[1];
        Assert.Null(now.GpuPercent);
        Assert.Contains("utilisation", now.NotSupported);
        Assert.Single(now.NotSupported, "activity");
        Assert.All(now.Instances, i => Assert.Null(i.Activity));
    }

    [Fact]
    public void A_card_without_monitors_does_not_tell_what_its_units_do()
    {
        Driver.ReadDevices();
        for (var look = 0; look < 2; look++)
        {
            Assert.All(Driver.ReadNow(), now =>
            {
                Assert.Null(now.Activity);
                Assert.Contains("activity", now.NotSupported);
                Assert.Empty(now.Problems);
            });
            Pass(TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public void Monitors_tell_what_the_units_did_between_two_looks()
    {
        TakeLaterCards();
        Driver.ReadDevices();
        Begin(0, 4711, 6L << 30);
        Assert.All(Driver.ReadNow(), now => Assert.Null(now.Activity));
        Pass(TimeSpan.FromSeconds(1));
        var (busy, idle) = (Driver.ReadNow()[0].Activity!, Driver.ReadNow()[1].Activity!);
        Assert.All([busy.Engine, busy.Sm, busy.Occupancy, busy.Tensor, busy.Dram, busy.Fp32, busy.Fp16], share => Assert.InRange(share!.Value, 0.01, 1));
        Assert.InRange(busy.PcieReceived!.Value, 1e6, 1e9);
        Assert.InRange(busy.PcieSent!.Value, 1e6, busy.PcieReceived!.Value);
        Assert.Equal((0.0, 0.0, 0.0, 0.0, 0.0), (idle.Engine, idle.Tensor, idle.PcieSent, idle.NvlinkSent, idle.NvlinkReceived));
        Assert.Null(busy.NvlinkSent);
    }

    [Fact]
    public void An_instance_has_its_own_memory_and_monitors_and_the_card_none()
    {
        TakeLaterCards();
        var uuid = Driver.ReadDevices()[1].Uuid!;
        Assert.Empty(Driver.ReadNow()[1].Instances);
        Control.SetMigMode(uuid, on: true);
        var profile = Control.ReadMig(uuid)!.Profiles.First(p => p.Slices == 1);
        var (one, other) = (Control.CreateInstance(uuid, profile.Id, 0).Made!, Control.CreateInstance(uuid, profile.Id, 1).Made!);
        BeginIn(1, (int)one.Id, 4711, 1L << 30);
        Driver.ReadNow();
        Pass(TimeSpan.FromSeconds(1));
        var now = Driver.ReadNow()[1];
        Assert.Null(now.Activity);
        Assert.Equal([((int)one.Id, profile.Name, profile.Memory, 1L << 30), ((int)other.Id, profile.Name, profile.Memory, 0L)], now.Instances.Select(i => (i.Id, i.Profile, i.Memory, i.UsedMemory)));
        Assert.All(now.Instances, i => Assert.Equal(i.Memory, i.UsedMemory + i.FreeMemory));
        Assert.InRange(now.Instances[0].Activity!.Sm!.Value, 0.01, 1);
        Assert.Equal(0, now.Instances[1].Activity!.Sm);

        EndAll(1);
        Control.DestroyInstance(uuid, one.Id);
        Assert.Equal([(int)other.Id], Driver.ReadNow()[1].Instances.Select(i => i.Id));
    }
}
