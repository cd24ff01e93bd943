using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Platform.Gpus;

/// <summary>The path through NVML's functions, against a library that is compiled for the test, and what such a library can do wrong.</summary>
public sealed class NvmlDriverTests : GpuDriverConformance
{
    private readonly MovedClock _clock = new();
    private StandInLibrary _library = new();
    private IGpuDriver _driver;

    public NvmlDriverTests() => _driver = Open(_library);

    private protected override IGpuDriver Driver => _driver;

    public override void Dispose()
    {
        _driver.Dispose();
        _library.Dispose();
    }

    [Fact]
    public void The_software_under_the_cards_is_told() => Assert.Equal(new GpuSystem("580.65.06", "13.580.65.06", "13.0", IsSimulated: false), _driver.System);

    [Fact]
    public void A_card_is_told_in_full()
    {
        var device = _driver.ReadDevices()[1];
        Assert.Equal(("GPU-a100", "1560220", "92.00.45.00.03", 1, 4, 16), (device.Uuid, device.Serial, device.Vbios, device.Minor, device.PcieGeneration, device.PcieWidth));
        Assert.Equal((100.0, 400.0, 1410, 1215), (device.PowerMin, device.PowerMax, device.SmClockMax, device.MemoryClockMax));
        Assert.Equal((true, true, "default"), (device.Ecc, device.Persistence, device.ComputeMode));
        _library.Begin(1, 4711, 1L << 30);
        var now = _driver.ReadNow()[1];
        Assert.Equal((87, 41, 5, 0, 71, 48), (now.GpuPercent, now.MemoryPercent, now.EncoderPercent, now.DecoderPercent, now.Celsius, now.MemoryCelsius));
        Assert.Equal((310.5, 400.0, 123456789L, 1410, 1215, 0), (now.Watts, now.PowerLimit, now.Energy, now.SmClock, now.MemoryClock, now.PerformanceState));
        Assert.Equal((ThrottleReasons.PowerCap, 4, 16, 3L), (now.Throttle, now.PcieGeneration, now.PcieWidth, now.PcieReplays));
        Assert.Equal((2L, 0L, 7L, 7L), (now.EccCorrected, now.EccUncorrected, now.EccCorrectedEver, now.EccUncorrectedEver));
        Assert.Equal((0L, 0L, 1L, 2L, false, false), (now.RetiredBySingleBit, now.RetiredByDoubleBit, now.RemappedCorrectable, now.RemappedUncorrectable, now.RemapPending, now.RemapFailed));
        Assert.Equal((60, 20), (now.Processes[0].GpuPercent, now.Processes[0].MemoryPercent));
    }

    [Fact]
    public void A_library_that_does_not_match_the_driver_is_told_with_a_way_out()
    {
        using var library = new StandInLibrary("-DINIT=18");
        Assert.Equal(
            "NVML cannot begin: Driver/library version mismatch (code 18); the driver was updated and the old one is still loaded: restart the machine, or load the kernel modules again",
            Assert.IsType<GpuOpening.Failed>(NvmlDriver.Open(library.Path)).Words);
    }

    [Fact]
    public void What_an_older_library_lacks_is_not_supported_and_the_rest_is_told()
    {
        using var library = new StandInLibrary("-DOLD");
        using var driver = Open(library);
        var device = driver.ReadDevices()[1];
        Assert.Null(device.Cores);
        Assert.Contains("cores", device.NotSupported);
        Assert.Equal(40960L << 20, device.Memory);
        var now = driver.ReadNow()[1];
        Assert.Equal((512L << 20, (long?)null), (now.UsedMemory, now.ReservedMemory));
        Assert.Contains("remapped_rows", now.NotSupported);
        Assert.Contains("throttle", now.NotSupported);
    }

    [Fact]
    public void Numbers_that_cannot_be_are_left_out_and_told()
    {
        using var library = new StandInLibrary("-DGARBAGE");
        using var driver = Open(library);
        var device = driver.ReadDevices()[0];
        Assert.Null(device.Memory);
        Assert.Equal(96, device.Name!.Length);
        var now = driver.ReadNow()[0];
        Assert.Equal(((int?)null, (int?)null, (long?)null), (now.Celsius, now.GpuPercent, now.UsedMemory));
        Assert.Contains("celsius: the driver says 65535, which cannot be", now.Problems);
        Assert.Contains("utilisation: the driver says 4000000000 % and 0 %, which cannot be", now.Problems);
        Assert.NotNull(now.Watts);
    }

    [Fact]
    public void Two_looks_at_once_are_told_the_same_and_a_share_that_cannot_be_is_left_out_and_told()
    {
        TakeLaterCards("-DGARBAGE");
        _driver.ReadDevices();
        _library.Begin(0, 4711, 1L << 30);
        _driver.ReadNow();
        Pass(TimeSpan.FromSeconds(1));
        var first = _driver.ReadNow()[0];
        Assert.Contains("activity.tensor: the driver says 4000000000, which cannot be", first.Problems);
        Assert.Equal(((double?)null, 0.87), (first.Activity!.Tensor, first.Activity.Engine));
        Assert.Contains("activity.fp64", first.NotSupported);
        _library.EndAll(0);
        Pass(TimeSpan.FromMilliseconds(99));
        Assert.Same(first.Activity, _driver.ReadNow()[0].Activity);
        Pass(TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, _driver.ReadNow()[0].Activity!.Engine);
    }

    [Fact]
    public void What_the_library_keeps_for_the_monitors_is_given_back_also_of_an_instance_that_is_gone()
    {
        TakeLaterCards();
        var uuid = _driver.ReadDevices()[1].Uuid!;
        _driver.ReadNow();
        Assert.Equal(4, _library.Samples);
        Control.SetMigMode(uuid, on: true);
        var made = Control.CreateInstance(uuid, Control.ReadMig(uuid)!.Profiles.First(p => p.Slices == 1).Id, 0).Made!;
        _driver.ReadNow();
        Assert.Equal(6, _library.Samples);
        // The whole card is not asked any more; at the second time it was not asked in between.
        _driver.ReadDevices();
        _driver.ReadNow();
        _driver.ReadDevices();
        Assert.Equal(4, _library.Samples);
        Control.DestroyInstance(uuid, made.Id);
        _driver.ReadDevices();
        _driver.ReadDevices();
        Assert.Equal(0, _library.Samples);
        _driver.ReadNow();
        _driver.Dispose();
        Assert.Equal(0, _library.Samples);
        _driver = Open(_library);
    }

    [Fact]
    public void A_number_of_cards_that_no_machine_has_is_no_answer()
    {
        using var library = new StandInLibrary("-DCOUNT=4294967295u");
        using var driver = Open(library);
        Assert.Equal("NVML says that there are 4294967295 GPUs, which cannot be", Assert.Throws<GpuDriverException>(driver.ReadDevices).Message);
    }

    [Fact]
    public void A_card_that_has_no_handle_is_a_card_with_a_problem()
    {
        _library.Lose(0);
        var devices = _driver.ReadDevices();
        Assert.Equal(["GPU is lost (code 15)"], devices[0].Problems);
        Assert.Equal("GPU-a100", devices[1].Uuid);
    }

    [Fact]
    public async Task A_library_that_hangs_is_left_alone_and_answers_again_when_it_comes_back()
    {
        using var door = new GpuDoor(() => NvmlDriver.Open(_library.Path), TimeProvider.System, TimeSpan.FromMinutes(1));
        Assert.Equal(2, Assert.IsType<GpuReply<int>.Told>(await door.AskAsync(d => d.ReadDevices().Count)).Value);
        _library.Hang(true);
        Assert.Matches("^the driver does not answer \\(for [0-9]+ s\\)$", Assert.IsType<GpuReply<int>.Silent>(await door.AskAsync(d => d.ReadDevices().Count, TimeSpan.FromMilliseconds(300))).Words);
        // The second does not wait at all.
        var second = door.AskAsync(d => d.ReadDevices().Count);
        Assert.True(second.IsCompleted);
        Assert.IsType<GpuReply<int>.Silent>(await second);
        _library.Hang(false);
        var until = DateTime.UtcNow.AddSeconds(10);
        while (await door.AskAsync(d => d.ReadDevices().Count) is GpuReply<int>.Silent && DateTime.UtcNow < until) await Task.Yield();
        Assert.Equal(2, Assert.IsType<GpuReply<int>.Told>(await door.AskAsync(d => d.ReadDevices().Count)).Value);
    }

    [Fact]
    public void Without_a_library_there_is_no_driver_and_a_library_of_another_kind_is_told()
    {
        Assert.IsType<GpuOpening.NotThere>(NvmlDriver.Open("/nowhere/libnvidia-ml.so.1"));
        Assert.Equal("`libc.so.6` is too old, or no NVML: it has no `nvmlInit_v2`", Assert.IsType<GpuOpening.Failed>(NvmlDriver.Open("libc.so.6")).Words);
    }

    private protected override void Raise(int gpu, int xid) => _library.Raise(gpu, xid);

    private protected override void Lose(int gpu) => _library.Lose(gpu);

    private protected override void Begin(int gpu, int pid, long memory) => _library.Begin(gpu, pid, memory);

    private protected override void BeginIn(int gpu, int instance, int pid, long memory) => _library.Begin(gpu, pid, memory, instance);

    private protected override void EndAll(int gpu) => _library.EndAll(gpu);

    private protected override void TakeLaterCards() => TakeLaterCards([]);

    private protected override void Pass(TimeSpan time) => _clock.Now += time.Ticks;

    private void TakeLaterCards(params string[] options)
    {
        Dispose();
        _library = new StandInLibrary(["-DMONITORS", .. options]);
        _driver = Open(_library);
    }

    private IGpuDriver Open(StandInLibrary library) => Assert.IsType<GpuOpening.Opened>(NvmlDriver.Open(library.Path, _clock)).Driver;

    private sealed class MovedClock : TimeProvider
    {
        public long Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;
    }
}
