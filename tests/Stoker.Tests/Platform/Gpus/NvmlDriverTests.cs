using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Platform.Gpus;

/// <summary>The path through NVML's functions, against a library that is compiled for the test, and what such a library can do wrong.</summary>
public sealed class NvmlDriverTests : GpuDriverConformance
{
    private readonly StandInLibrary _library = new();
    private readonly IGpuDriver _driver;

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

    private static IGpuDriver Open(StandInLibrary library) => Assert.IsType<GpuOpening.Opened>(NvmlDriver.Open(library.Path)).Driver;
}
