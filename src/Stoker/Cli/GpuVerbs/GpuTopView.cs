using Stoker.Estates;
using Stoker.Gpus;
using Stoker.Platform;

namespace Stoker.Cli.GpuVerbs;

internal enum GpuTopOrder
{
    Memory,
    Gpu,
    Cpu,
    Ram,
}

/// <summary>All that the view shows.</summary>
internal sealed record GpuTopModel
{
    public GpusDocument? Gpus { get; init; }

    /// <summary>Of all processors of this machine, in percent; null before the second look.</summary>
    public double? Cpu { get; init; }

    public MachineLoad? Load { get; init; }

    public DateTimeOffset Now { get; init; }

    public GpuTopOrder Order { get; init; }

    /// <summary>Rows of processes that are above the screen.</summary>
    public int Scroll { get; init; }

    public static GpuTopModel Press(GpuTopModel model, Key key) => key.Kind switch
    {
        KeyKind.Up => model with { Scroll = Math.Max(0, model.Scroll - 1) },
        KeyKind.Down => model with { Scroll = Math.Min(model.Scroll + 1, Math.Max(0, Count(model) - 1)) },
        KeyKind.PageUp => model with { Scroll = Math.Max(0, model.Scroll - 10) },
        KeyKind.PageDown => model with { Scroll = Math.Min(model.Scroll + 10, Math.Max(0, Count(model) - 1)) },
        KeyKind.Home => model with { Scroll = 0 },
        KeyKind.Character when key.Is('m') => model with { Order = GpuTopOrder.Memory },
        KeyKind.Character when key.Is('g') => model with { Order = GpuTopOrder.Gpu },
        KeyKind.Character when key.Is('c') => model with { Order = GpuTopOrder.Cpu },
        KeyKind.Character when key.Is('r') => model with { Order = GpuTopOrder.Ram },
        _ => model,
    };

    private static int Count(GpuTopModel model) => model.Gpus?.Gpus.Sum(g => g.Clients.Count) ?? 0;
}

/// <summary>A model as the lines of a screen: a title, the machine, a line a GPU with bars, the processes, and a line of keys. Pure; never more lines than there are rows.</summary>
internal static class GpuTopView
{
    private const int WideFrom = 120, NarrowBar = 8, WideBar = 24, NameWidth = 15;

    public static IReadOnlyList<string> Lay(GpuTopModel model, TerminalSize size, TimeProvider clock, Style style)
    {
        var (columns, rows) = (Math.Max(40, size.Columns), Math.Max(6, size.Rows));
        if (model.Gpus is not { } gpus) return ["waiting for the GPUs"];
        var lines = new List<string>(rows) { Title(gpus, model, columns, clock, style), Machine(model, columns, style), "" };
        // Processes have at least three rows.
        foreach (var gpu in gpus.Gpus.Take(Math.Max(1, rows - 8))) lines.Add(Gpu(gpu, columns, style));
        if (gpus.Gpus.Count > rows - 8) lines.Add(style.Paint($"and {gpus.Gpus.Count - Math.Max(1, rows - 8)} more GPUs", Tone.Dim));
        foreach (var problem in gpus.Problems) lines.Add(style.Paint(TextWidth.Cut(problem, columns), Tone.Bad));
        lines.Add("");
        lines.AddRange(Processes(gpus, model, columns, rows - lines.Count - 1, style));
        while (lines.Count < rows - 1) lines.Add("");
        lines.RemoveRange(rows - 1, lines.Count - (rows - 1));
        lines.Add(style.Paint(TextWidth.Cut($"sorted by {Word(model.Order)}: m memory  g GPU  c CPU  r RAM   ↑↓ scroll  q quit", columns), Tone.Dim));
        return lines;
    }

    private static string Title(GpusDocument gpus, GpuTopModel model, int columns, TimeProvider clock, Style style)
    {
        var time = Moments.TimeOfDay(model.Now, clock)[..8];
        var text = $"{(gpus.Estate is { } estate ? $"{estate}: " : "")}{GpuTables.Summary(gpus)}";
        return style.Paint(TextWidth.Fit(text, columns - time.Length - 1), Tone.Strong) + " " + style.Paint(time, Tone.Dim);
    }

    private static string Machine(GpuTopModel model, int columns, Style style)
    {
        var bar = columns >= WideFrom ? WideBar : NarrowBar;
        var used = model.Load is { MemoryTotal: { } total, MemoryAvailable: { } free } ? (Total: total, Used: total - free) : ((long Total, long Used)?)null;
        var memory = used is { } m ? $"{Bar(m.Used * 100.0 / m.Total, bar, style)} {new ByteSize(m.Used)} of {new ByteSize(m.Total)}" : "-";
        var cpu = model.Cpu is { } percent ? $"{Bar(percent, bar, style)} {percent,3:0} %" : $"{new string(' ', bar)}   - %";
        return $"{TextWidth.Fit("machine", NameWidth)}  cpu {cpu}  ram {memory}";
    }

    private static string Gpu(GpuDocument gpu, int columns, Style style)
    {
        var name = style.Paint(TextWidth.Fit($"{gpu.Index} {GpuTables.Model(gpu)}", NameWidth), Tone.Name);
        if (gpu.Now is not { Lost: null } now) return $"{name}  {style.Paint(TextWidth.Cut(gpu.Silent ?? "it does not answer", columns - NameWidth - 2), Tone.Bad)}";
        var isWide = columns >= WideFrom;
        var bar = isWide ? WideBar : NarrowBar;
        var busy = now.GpuPercent is { } percent ? $"{Bar(percent, bar, style)} {percent,3} %" : $"{new string(' ', bar)}   - %";
        var total = gpu.Device.Memory;
        var memory = now.UsedMemory is { } used && total is > 0
            ? $"{Bar(used * 100.0 / total.Value, bar, style)} {used / (double)(1L << 30):0.0}/{total.Value / (double)(1L << 30):0.0}G"
            : "-";
        var celsius = style.Paint(now.Celsius is { } degrees ? $"{degrees,2}°C" : "  - ", GpuTables.Heat(gpu));
        var line = $"{name}  gpu {busy}  mem {memory}  {celsius} {GpuTables.Power(gpu)}";
        var throttled = gpu.ThrottledBy.Count > 0 ? style.Paint(string.Join(' ', gpu.ThrottledBy), Tone.Busy) : "";
        if (!isWide) return line;
        var clock = now.SmClock is { } mhz ? $"{mhz} MHz" : "-";
        var link = now.PcieGeneration is { } generation ? $"{generation}.0 x{now.PcieWidth}" : "-";
        return $"{line}  {clock}  fan {GpuTables.Percent(now.FanPercent)}  pcie {link}  {throttled}".TrimEnd();
    }

    private static IEnumerable<string> Processes(GpusDocument gpus, GpuTopModel model, int columns, int room, Style style)
    {
        var clients = gpus.Gpus.SelectMany(g => g.Clients.Select(c => (Gpu: g, Client: c))).OrderByDescending(c => Weight(c.Client, model.Order)).ThenBy(c => c.Client.Pid).ToList();
        if (clients.Count == 0) return [style.Paint("no process is on a GPU", Tone.Dim)];
        if (room < 2) return [];
        var lines = GpuTables.Processes(gpus, clients, columns, style);
        var first = Math.Clamp(model.Scroll, 0, Math.Max(0, clients.Count - (room - 1)));
        return [lines[0], .. lines.Skip(1 + first).Take(room - 1)];
    }

    private static double Weight(GpuClientDocument client, GpuTopOrder order) => order switch
    {
        GpuTopOrder.Memory => client.Memory ?? -1,
        GpuTopOrder.Gpu => client.GpuPercent ?? -1,
        GpuTopOrder.Cpu => client.CpuPercent ?? -1,
        GpuTopOrder.Ram => client.HostMemory ?? -1,
    };

    private static string Word(GpuTopOrder order) => order switch
    {
        GpuTopOrder.Memory => "memory",
        GpuTopOrder.Gpu => "GPU",
        GpuTopOrder.Cpu => "CPU",
        GpuTopOrder.Ram => "RAM",
    };

    private static string Bar(double percent, int width, Style style)
    {
        var filled = (int)Math.Round(Math.Clamp(percent, 0, 100) / 100 * width);
        var tone = percent >= 90 ? Tone.Bad : percent >= 70 ? Tone.Busy : Tone.Good;
        return style.Paint(new string('█', filled), tone) + style.Paint(new string('░', width - filled), Tone.Dim);
    }
}
