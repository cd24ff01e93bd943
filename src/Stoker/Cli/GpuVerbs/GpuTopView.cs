using System.Globalization;
using Stoker.Estates;
using Stoker.Gpus;
using Stoker.Platform;
using Stoker.Platform.Gpus;

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
    private const double Gibibyte = 1L << 30;

    private const int WideFrom = 120, NarrowBar = 8, WideBar = 24, NameWidth = 15;

    public static IReadOnlyList<string> Lay(GpuTopModel model, TerminalSize size, TimeProvider clock, Style style)
    {
        var (columns, rows) = (Math.Max(40, size.Columns), Math.Max(6, size.Rows));
        if (model.Gpus is not { } gpus) return ["waiting for the GPUs"];
        var lines = new List<string>(rows) { Title(gpus, model, columns, clock, style), Machine(model, columns, style), "" };
        // Processes have at least three rows.
        AddGpus(lines, gpus.Gpus, Math.Max(1, rows - 8), columns, style);
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
        var name = $"{gpu.Index} {GpuTables.Model(gpu)}";
        if (gpu.Now is not { Lost: null } now) return $"{Name(name, style)}  {style.Paint(TextWidth.Cut(gpu.Silent ?? "it does not answer", columns - NameWidth - 2), Tone.Bad)}";
        var clock = now.SmClock is { } mhz ? $"{mhz} MHz" : "-";
        var link = now.PcieGeneration is { } generation ? $"{generation}.0 x{now.PcieWidth}" : "-";
        var fan = $"fan {GpuTables.Percent(now.FanPercent)}";
        var throttled = string.Join(' ', gpu.ThrottledBy);
        return AsWideAs(columns, style, Line, (throttled, Tone.Busy), (clock, Tone.Plain), (Units(now.Activity), Tone.Plain), (fan, Tone.Plain), ($"pcie {link}", Tone.Plain));

        string Line(Style by)
        {
            var celsius = by.Paint(now.Celsius is { } degrees ? $"{degrees,2}°C" : "  - ", GpuTables.Heat(gpu));
            return $"{Name(name, by)}  {Use(now.GpuPercent, now.UsedMemory, gpu.Device.Memory, columns, by)}  {celsius} {GpuTables.Power(gpu)}";
        }
    }

    /// <summary>Each card, and below one in partitions these, where there is room for all; else the cards come first, and how many are left out is said.</summary>
    private static void AddGpus(List<string> lines, IReadOnlyList<GpuDocument> gpus, int room, int columns, Style style)
    {
        var hasRoom = gpus.Sum(g => 1 + InstancesOf(g).Count) <= room;
        foreach (var gpu in gpus.Take(room))
        {
            lines.Add(Gpu(gpu, columns, style));
            if (hasRoom) lines.AddRange(InstancesOf(gpu).Select(i => Instance(gpu, i, columns, style)));
        }

        if (gpus.Count > room) lines.Add(style.Paint($"and {gpus.Count - room} more GPUs", Tone.Dim));
        else if (!hasRoom) lines.Add(style.Paint($"and {gpus.Sum(g => InstancesOf(g).Count)} instances", Tone.Dim));
    }

    private static IReadOnlyList<GpuInstanceReading> InstancesOf(GpuDocument gpu) => gpu.Now is { Lost: null } now ? now.Instances : [];

    private static string Instance(GpuDocument gpu, GpuInstanceReading instance, int columns, Style style)
    {
        var busy = instance.Activity?.Engine is { } engine ? (int)Math.Round(engine * 100) : (int?)null;
        var name = $"{gpu.Index}/{instance.Id} {instance.Profile}";
        return AsWideAs(columns, style, by => $"{Name(name, by)}  {Use(busy, instance.UsedMemory, instance.Memory, columns, by)}", (Units(instance.Activity), Tone.Plain));
    }

    private static string Use(int? percent, long? used, long? total, int columns, Style style)
    {
        var bar = columns >= WideFrom ? WideBar : NarrowBar;
        var busy = percent is { } known ? $"{Bar(known, bar, style)} {known,3} %" : $"{new string(' ', bar)}   - %";
        var memory = used is { } taken && total is > 0 ? $"{Bar(taken * 100.0 / total.Value, bar, style)} {taken / Gibibyte:0.0}/{total.Value / Gibibyte:0.0}G" : "-";
        return $"gpu {busy}  mem {memory}";
    }

    private static string Units(GpuActivity? activity) =>
        activity is { Tensor: { } tensor, Dram: { } dram } ? string.Create(CultureInfo.InvariantCulture, $"tensor {tensor * 100:0} %  dram {dram * 100:0} %") : "";

    private static string Name(string name, Style style) => style.Paint(TextWidth.Fit(name, NameWidth), Tone.Name);

    /// <param name="line">What is always there.</param>
    /// <param name="more">What a wide screen has room for, the more important first.</param>
    private static string AsWideAs(int columns, Style style, Func<Style, string> line, params ReadOnlySpan<(string Text, Tone Tone)> more)
    {
        var (wide, width) = (line(style), TextWidth.Of(line(Style.None)));
        if (columns < WideFrom) return wide;
        foreach (var (text, tone) in more)
        {
            if (text.Length == 0 || width + 2 + TextWidth.Of(text) > columns) continue;
            wide += $"  {style.Paint(text, tone)}";
            width += 2 + TextWidth.Of(text);
        }

        return wide;
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
