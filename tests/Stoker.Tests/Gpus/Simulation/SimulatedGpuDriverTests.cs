using Stoker.Gpus.Simulation;
using Stoker.Platform.Gpus;
using Stoker.Tests.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus.Simulation;

public sealed class SimulatedGpuDriverTests : GpuDriverConformance
{
    private readonly MovedClock _clock = new();
    private SimulatedGpuDriver _driver;
    private readonly List<SimulatedClient>[] _clients = [[], []];

    public SimulatedGpuDriverTests() =>
        _driver = new SimulatedGpuDriver([new SimulatedCard("RTX 4090", null, null, "mainpc", 0), new SimulatedCard("NVIDIA A100-SXM4-40GB", 40L << 30, null, "mainpc", 1)], _clock);

    private protected override IGpuDriver Driver => _driver;

    public override void Dispose() => _driver.Dispose();

    [Fact]
    public void Every_card_is_marked_as_simulated()
    {
        Assert.All(_driver.ReadDevices(), d => Assert.True(d.Simulated));
        Assert.True(_driver.System.IsSimulated);
        Assert.Equal("GPU-simulated-mainpc-0", _driver.ReadDevices()[0].Uuid);
    }

    [Fact]
    public void Under_load_a_card_warms_up_and_draws_power_and_cools_again()
    {
        var cold = _driver.ReadNow()[0];
        _driver.Strain(0, load: 0.8, cooling: null);
        Pass(300);
        var warm = _driver.ReadNow()[0];
        Assert.InRange(warm.Celsius!.Value, 60, 80);
        Assert.InRange(warm.Watts!.Value, 300, 450);
        Assert.Equal(80, warm.GpuPercent);
        Assert.InRange((warm.Energy!.Value - cold.Energy!.Value) / 1000.0, 300 * 250, 300 * 450);
        _driver.Strain(0, load: 0, cooling: null);
        Pass(600);
        Assert.InRange(_driver.ReadNow()[0].Celsius!.Value, cold.Celsius!.Value - 1, cold.Celsius.Value + 2);
    }

    [Fact]
    public void A_card_at_full_load_is_held_to_its_power()
    {
        _driver.Strain(0, load: 1, cooling: null);
        Pass(120);
        var now = _driver.ReadNow()[0];
        Assert.True(now.Watts <= now.PowerLimit);
        Assert.Contains("power_cap", ThrottleReasons.Of(now.Throttle));
        Assert.True(now.SmClock < 2520);
    }

    [Fact]
    public void A_card_whose_fan_fails_slows_down_and_stays_near_its_limit_instead_of_burning()
    {
        _driver.Strain(0, load: 0.9, cooling: 0.4);
        var slowed = false;
        for (var minute = 0; minute < 20; minute++)
        {
            Pass(60);
            slowed |= ThrottleReasons.Of(_driver.ReadNow()[0].Throttle).Contains("sw_thermal");
        }

        var now = _driver.ReadNow()[0];
        Assert.True(slowed);
        Assert.InRange(now.Celsius!.Value, 84, 93);
        Assert.True(now.SmClock < 2520 * 0.9);
    }

    [Fact]
    public void The_table_of_cards_knows_those_of_the_estates_by_the_names_people_write()
    {
        Assert.Equal(32607, CardFigures.Of("NVIDIA GeForce RTX 5090", null).Mebibytes);
        Assert.Equal(16311, CardFigures.Of("RTX 5060 Ti", null).Mebibytes);
        Assert.Equal(81920, CardFigures.Of("NVIDIA A100 80GB", null).Mebibytes);
        Assert.Equal(40960, CardFigures.Of("NVIDIA A100-SXM4-40GB", null).Mebibytes);
        Assert.Equal("9.0", CardFigures.Of("NVIDIA H200", null).ComputeCapability);
        Assert.True(CardFigures.Of("Jetson AGX Orin", null).IsJetson);
        Assert.Equal(24 << 10, CardFigures.Of("NVIDIA L4", 24L << 30).Mebibytes);
    }

    [Fact]
    public void A_reset_brings_a_lost_card_back()
    {
        _driver.Raise(1, 79);
        Assert.NotNull(_driver.ReadNow()[1].Lost);
        _driver.Reset(1);
        Assert.Null(_driver.ReadNow()[1].Lost);
    }

    private protected override void Raise(int gpu, int xid) => _driver.Raise(gpu, xid);

    private protected override void Lose(int gpu) => _driver.Raise(gpu, 79);

    private protected override void Begin(int gpu, int pid, long memory)
    {
        _clients[gpu].Add(new SimulatedClient(pid, memory, 0.4));
        _driver.Place(gpu, [.. _clients[gpu]]);
    }

    private protected override void BeginIn(int gpu, int instance, int pid, long memory)
    {
        _clients[gpu].Add(new SimulatedClient(pid, memory, 0.4, (uint)instance));
        _driver.Place(gpu, [.. _clients[gpu]]);
    }

    private protected override void EndAll(int gpu)
    {
        _clients[gpu].Clear();
        _driver.Place(gpu, []);
    }

    private protected override void TakeLaterCards() =>
        _driver = new SimulatedGpuDriver([new SimulatedCard("RTX 5090", null, null, "mainpc", 0), new SimulatedCard("NVIDIA H100", null, null, "mainpc", 1)], _clock);

    private protected override void Pass(TimeSpan time) => _clock.Now += time.Ticks;

    private void Pass(int seconds)
    {
        Pass(TimeSpan.FromSeconds(seconds));
        _driver.ReadNow();
    }

    private sealed class MovedClock : TimeProvider
    {
        public long Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;
    }
}
