using System.Text;
using Stoker.Cli;
using Stoker.Cli.GpuVerbs;
using Stoker.Platform;
using Stoker.Platform.Gpus;
using Xunit;

namespace Stoker.Tests.Cli;

public sealed class GpuTopTests
{
    private static readonly GpuTopModel Model = new()
    {
        Gpus = GpuSample.Gpus, Cpu = 34.2, Load = new MachineLoad(1, 2, 64L << 30, 40L << 30), Now = FrozenClock.Noon,
    };

    [Fact]
    public void At_80_columns_there_is_the_machine_a_line_a_GPU_and_the_processes_with_their_services() => Assert.Equal(
    [
        "ai-system: 2 GPUs, driver 580.65.06, CUDA up to 13.0 (* 1 simulated)    12:00:00",
        "machine          cpu ███░░░░░  34 %  ram ███░░░░░ 24 GiB of 64 GiB",
        "",
        "0 RTX 4090       gpu ███████░  87 %  mem ██████░░ 17.0/24.0G  81°C 432/450 W",
        "1 RTX 3060*      GPU is lost (code 15)",
        "",
        "GPU  SERVICE            PID   MEMORY  BUSY    CPU    RAM  COMMAND",
        "  0  vision             900    6 GiB  60 %  112 %  3 GiB  python3",
        "  0  orphan of vision  4711    5 GiB   0 %      -  2 GiB  python3",
        "  0  speech/2           901    4 GiB  20 %    3 %  1 GiB  python3",
        "  0  stranger           812  512 MiB     -      -      -  Xorg",
        "",
        "sorted by memory: m memory  g GPU  c CPU  r RAM   ↑↓ scroll  q quit",
    ], Lay(80, 13));

    [Fact]
    public void At_200_columns_bars_are_wide_and_clocks_fan_link_and_what_throttles_are_shown()
    {
        var line = Lay(200, 20)[3];
        Assert.Equal("0 RTX 4090       gpu █████████████████████░░░  87 %  mem █████████████████░░░░░░░ 17.0/24.0G  81°C 432/450 W  power_cap  2310 MHz  fan 62 %  pcie 4.0 x16", line);
    }

    [Fact]
    public void Of_a_card_with_monitors_the_tensor_cores_and_the_memory_are_shown_and_of_one_in_partitions_each_partition()
    {
        Assert.EndsWith("power_cap  2310 MHz  tensor 41 %  dram 63 %  fan 62 %  pcie 4.0 x16", Lay(200, 20, Partitioned with { Instances = [] })[3], StringComparison.Ordinal);
        Assert.Equal(
        [
            "0 RTX 4090       gpu            - %  mem ██████░░ 17.0/24.0G  81°C 432/450 W",
            "0/1 1g.10gb      gpu ████░░░░  52 %  mem ██░░░░░░ 2.5/9.5G",
            "0/2 2g.20gb      gpu            - %  mem ░░░░░░░░ 0.0/19.0G",
            "1 RTX 3060*      GPU is lost (code 15)",
        ], Lay(80, 24, Partitioned with { GpuPercent = null, Activity = null }).Skip(3).Take(4));
        // A small screen has no room for both.
        Assert.Equal("and 2 instances", Lay(80, 11, Partitioned)[5]);
    }

    [Theory]
    [InlineData(80, 24)]
    [InlineData(200, 60)]
    [InlineData(120, 30)]
    [InlineData(150, 30)]
    [InlineData(40, 8)]
    public void A_screen_is_filled_exactly_and_no_line_is_wider_than_it(int columns, int rows)
    {
        var lines = Lay(columns, rows);
        Assert.Equal(rows, lines.Count);
        if (columns >= 80) Assert.All(lines, l => Assert.True(TextWidth.Of(l) <= columns, $"{TextWidth.Of(l)}: {l}"));
    }

    [Fact]
    public void Keys_sort_the_processes_and_scroll_them()
    {
        var byCpu = GpuTopModel.Press(Model, new Key(KeyKind.Character, new Rune('c')));
        Assert.Contains("vision", GpuTopView.Lay(byCpu, new TerminalSize(80, 24), new FrozenClock(), Style.None)[7], StringComparison.Ordinal);
        var byRam = GpuTopModel.Press(Model, new Key(KeyKind.Character, new Rune('g')));
        Assert.Contains("speech/2", GpuTopView.Lay(byRam, new TerminalSize(80, 24), new FrozenClock(), Style.None)[8], StringComparison.Ordinal);
        var down = GpuTopModel.Press(GpuTopModel.Press(Model, new Key(KeyKind.Down)), new Key(KeyKind.Down));
        Assert.Equal(2, down.Scroll);
        Assert.Contains("speech/2", GpuTopView.Lay(down, new TerminalSize(80, 10), new FrozenClock(), Style.None)[7], StringComparison.Ordinal);
    }

    [Fact]
    public void Colour_marks_what_is_hot_or_lost()
    {
        var lines = GpuTopView.Lay(Model, new TerminalSize(200, 20), new FrozenClock(), new Style(true));
        Assert.Contains("\e[33m81°C", lines[3], StringComparison.Ordinal);
        Assert.Contains("\e[31mGPU is lost", lines[4], StringComparison.Ordinal);
    }

    [Fact]
    public void The_machines_own_load_is_read_from_proc()
    {
        var load = MachineLoad.Read();
        Assert.InRange(load.MemoryAvailable!.Value, 1, load.MemoryTotal!.Value);
        Assert.Equal((double)HostEnvironment.TotalMemory, load.MemoryTotal.Value, HostEnvironment.TotalMemory * 0.05);
        Assert.Equal(50, new MachineLoad(150, 300, null, null).PercentSince(new MachineLoad(100, 200, null, null)));
        Assert.Null(load.PercentSince(null));
    }

    private static GpuReading Partitioned => GpuSample.Gpus.Gpus[0].Now! with
    {
        Activity = new GpuActivity { Engine = 0.87, Tensor = 0.41, Dram = 0.63 },
        Instances =
        [
            new GpuInstanceReading(1, "1g.10gb") { Memory = 19L << 29, UsedMemory = 5L << 29, Activity = new GpuActivity { Engine = 0.52 } },
            new GpuInstanceReading(2, "2g.20gb") { Memory = 19L << 30, UsedMemory = 0 },
        ],
    };

    private static IReadOnlyList<string> Lay(int columns, int rows, GpuReading first) =>
        GpuTopView.Lay(Model with { Gpus = GpuSample.Gpus with { Gpus = [GpuSample.Gpus.Gpus[0] with { Now = first }, GpuSample.Gpus.Gpus[1]] } }, new TerminalSize(columns, rows), new FrozenClock(), Style.None);

    private static IReadOnlyList<string> Lay(int columns, int rows) => GpuTopView.Lay(Model, new TerminalSize(columns, rows), new FrozenClock(), Style.None);
}
