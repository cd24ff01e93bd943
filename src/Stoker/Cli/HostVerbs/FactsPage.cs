using Stoker.Estates;
using Stoker.Hosts.Facts;

namespace Stoker.Cli.HostVerbs;

/// <summary>Facts for people: a line or some for each part, tables for what there are several of, and last what is not known and why.</summary>
internal static class FactsPage
{
    private const int Label = 12;

    /// <summary>Links of containers come and go by the dozen, and say nothing about the machine.</summary>
    private const int MostVirtual = 3;

    public static IReadOnlyList<string> Lay(HostFacts facts, int width, Style style)
    {
        var page = new FactLines(width, Label, style);
        System(page, facts);
        Processors(page, facts);
        Memory(page, facts.Memory);
        Disks(page, facts);
        Network(page, facts.Network);
        Gpus(page, facts.Gpu);
        Sensors(page, facts);
        Software(page, facts);
        if (facts.Unknown.Count > 0)
        {
            page.Heading("not known");
            foreach (var same in facts.Unknown.GroupBy(u => u.Why)) page.Line("", $"{string.Join(", ", same.Select(u => u.Fact))}: {same.Key}", Tone.Dim);
        }

        page.Blank();
        page.Line("", $"read in {facts.TookMs:0} ms", Tone.Dim);
        return page.Lines;
    }

    private static void System(FactLines page, HostFacts facts)
    {
        var (os, machine) = (facts.Os, facts.Machine);
        page.Title(os.Hostname ?? "this machine");
        page.Line("system", Join(os.Name, os.Kernel is { } kernel ? $"kernel {kernel}" : null, facts.Cpu.Architecture, os.Init is { } init ? $"init {init}" : null, os.Boot));
        page.Line("machine", Join($"{machine.Vendor} {machine.Product}".Trim(), machine.Board, machine.Firmware is { } firmware ? $"firmware {firmware}" : null, Virtual(machine)));
        if (os.UptimeSeconds is { } seconds) page.Line("up", Join(Durations.Short(TimeSpan.FromSeconds(seconds)), os.SecureBoot is { } secure ? $"secure boot {(secure ? "on" : "off")}" : null));
        if (os.RebootRequired) page.Line("", "a reboot is required by updates", Tone.Busy);
    }

    private static string Virtual(MachineFacts machine) => (machine.Virtualisation, machine.Container) switch
    {
        ("none", null) => "no virtual machine",
        (null, { } container) => $"container ({container})",
        ({ } hypervisor, null) => $"virtual machine ({hypervisor})",
        ("none", { } container) => $"container ({container})",
        ({ } hypervisor, { } container) => $"virtual machine ({hypervisor}), container ({container})",
        _ => "",
    };

    private static void Processors(FactLines page, HostFacts facts)
    {
        var cpu = facts.Cpu;
        page.Line("processors", Join(cpu.Model, Counted(cpu.Sockets, "socket"), Counted(cpu.Cores, "core"), Counted(cpu.Threads, "thread")));
        page.Line("", Join(
            cpu.MaxMhz is { } mhz ? $"up to {mhz:0} MHz" : null,
            cpu.Governors.Count > 0 ? $"governor {string.Join(" and ", cpu.Governors)}" : null,
            cpu.Microcode is { } microcode ? $"microcode {microcode}" : null,
            Counted(cpu.Flags.Count, "flag")));
        foreach (var node in facts.Numa.Count > 1 ? facts.Numa : []) page.Line($"numa {node.Node}", Join($"cpus {node.Cpus}", Size(node.Memory), $"distances {string.Join(' ', node.Distances)}"));
    }

    private static void Memory(FactLines page, MemoryFacts memory)
    {
        page.Line("memory", Join(
            Size(memory.Total), memory.Available is { } free ? $"{Size(free)} available" : null, memory.SwapTotal is > 0 ? $"swap {Size(memory.SwapTotal)}" : "no swap",
            memory.Installed is { } installed ? $"{Size(installed)} installed" : null));
        page.Line("", Join(memory.Kind, memory.SpeedMts is { } speed ? $"{speed} MT/s" : null, Counted(memory.Modules.Count, "module"), memory.Ecc is { } ecc ? $"error correction: {ecc}" : null));
        if (memory.UncorrectedErrors is > 0) page.Line("", $"{Counted((int)memory.UncorrectedErrors, "error")} could not be corrected since boot", Tone.Bad);
        if (memory.CorrectedErrors is > 0) page.Line("", $"{Counted((int)memory.CorrectedErrors, "error")} corrected since boot", Tone.Busy);
    }

    private static void Disks(FactLines page, HostFacts facts)
    {
        if (facts.Disks.Count > 0)
        {
            page.Table(
                [new("DISK"), new("KIND"), new("LINK", Sacrifice: 1), new("SIZE", Right: true), new("PARTS", Right: true, Sacrifice: 2), new("HEALTH"), new("MODEL")],
                facts.Disks.Select(d => new TableRow(
                [
                    new(d.Name, Tone.Name), new(d.Kind), new(d.Link ?? ""), new(Size(d.Size) ?? ""), new(d.Partitions.Count > 0 ? $"{d.Partitions.Count}" : ""),
                    new(d.Health ?? "", d.Health is null or "passed" ? Tone.Good : Tone.Bad), new(Join(d.Mapping, d.Model, d.ReadOnly ? "read-only" : null)),
                ])));
        }

        if (facts.Mounts.Count == 0) return;
        page.Table(
            [new("MOUNT", Most: 32), new("TYPE"), new("SIZE", Right: true), new("FREE", Right: true), new("FROM")],
            facts.Mounts.Select(m => new TableRow([new(m.Path, Tone.Name), new(m.Type), new(Size(m.Size) ?? ""), new(Size(m.Free) ?? ""), new(m.Source)])));
    }

    private static void Network(FactLines page, NetworkFacts network)
    {
        var hidden = network.Links.Where(l => l is { Kind: "virtual" }).Skip(MostVirtual).ToList();
        page.Table(
            [new("LINK"), new("KIND", Sacrifice: 2), new("STATE"), new("SPEED", Right: true), new("DRIVER", Sacrifice: 1), new("ADDRESSES")],
            network.Links.Except(hidden).Select(l => new TableRow(
            [
                new(l.Name, Tone.Name), new(l.Kind), new(l.State, l.State == "up" ? Tone.Good : Tone.Dim), new(Speed(l.SpeedMbits)),
                new(l.Driver ?? ""), new(string.Join(' ', l.Addresses)),
            ])));
        if (hidden.Count > 0) page.Line("", $"and {hidden.Count} more virtual links", Tone.Dim);
        page.Blank();
        page.Line("routes", string.Join("; ", network.Routes.Select(r => $"{r.To}{(r.Via is { } via ? $" via {via}" : "")} on {r.Link}")));
        var names = network.Names;
        page.Line("names", Join(
            names.Servers.Count > 0 ? $"by {string.Join(", ", names.Servers)}" : "no server",
            names.Search.Count > 0 ? $"search {string.Join(' ', names.Search)}" : null,
            $"order: {string.Join(' ', names.Sources)}"));
        foreach (var reach in network.Reach)
        {
            var isOpen = reach.Outcome == "open";
            var detail = isOpen ? $" in {reach.TookMs:0.#} ms" : $" ({reach.Detail})";
            page.Line("reach", $"{reach.Name} at {reach.Host}:{reach.Port}: {reach.Outcome}{detail}", isOpen ? Tone.Good : Tone.Bad);
        }
    }

    private static void Gpus(FactLines page, GpuFacts gpu)
    {
        if (gpu.Cards.Count > 0)
        {
            page.Table(
                [new("GPU"), new("MEMORY", Right: true), new("DRIVER"), new("LINK", Sacrifice: 1), new("ECC", Sacrifice: 2), new("AT", Sacrifice: 3)],
                gpu.Cards.Select(c => new TableRow(
                [
                    new(c.Model ?? c.Vendor, Tone.Name), new(Size(c.Memory) ?? ""), new(c.Driver ?? "none", c.Driver is null ? Tone.Bad : Tone.Plain),
                    new(c.Link is null ? "" : $"{c.Link} (max {c.LinkMax})"), new(c.Ecc ?? ""), new(c.Address ?? "built in"),
                ])));
        }

        page.Line("gpu", gpu.Cards.Count == 0 ? "none" : Join(
            gpu.Driver is { } driver ? $"driver {driver}" : "no driver",
            gpu.Cuda is { } cuda ? $"CUDA up to {cuda}" : null,
            gpu.CudaToolkit is { } toolkit ? $"CUDA toolkit {toolkit}" : null,
            gpu.ContainerToolkit is { } container ? $"container toolkit {container}" : "no container toolkit",
            gpu.ContainerAccess.Count > 0 ? $"for containers by {string.Join(", ", gpu.ContainerAccess)}" : null));
    }

    private static void Sensors(FactLines page, HostFacts facts)
    {
        if (facts.Sensors.Count > 0)
        {
            page.Table(
                [new("SENSOR"), new("MEASURES"), new("NOW", Right: true), new("CRITICAL")],
                facts.Sensors.Select(s => new TableRow(
                [
                    new(s.Device, Tone.Name), new(s.Name),
                    new($"{s.Value:0.##} {Unit(s.Kind)}", s.Critical is { } most && s.Value >= most ? Tone.Bad : Tone.Plain),
                    new(s.Critical is { } limit ? $"{limit:0.#}" : ""),
                ])));
            page.Blank();
        }

        foreach (var supply in facts.Power.Supplies) page.Line("power", Join(supply.Name, supply.Kind, supply.Status, supply.Percent is { } percent ? $"{percent} %" : null));
        foreach (var limit in facts.Power.Limits) page.Line("power", $"{limit.Name} limited to {limit.Watts:0.#} W");
    }

    private static void Software(FactLines page, HostFacts facts)
    {
        page.Line("runtimes", string.Join(", ", facts.Runtimes.Select(r => $"{r.Name} {r.Version}".TrimEnd())));
        foreach (var python in facts.Python)
        {
            var frameworks = string.Join(", ", python.Frameworks.Select(f => $"{f.Package} {f.Version}{(f.Cuda is { } cuda ? $" (CUDA {cuda})" : "")}"));
            page.Line("python", $"{python.Version} {python.Kind} {python.Path}{(frameworks.Length > 0 ? $": {frameworks}" : "")}");
        }
    }

    private static string Speed(int? mbits) => mbits switch { null => "", >= 1000 => $"{mbits / 1000.0:0.#}G", _ => $"{mbits}M" };

    private static string Unit(string kind) => kind switch { "temperature" => "°C", "fan" => "rpm", "power" => "W", _ => "V" };

    private static string? Size(long? bytes) => bytes is { } known ? new ByteSize(known).ToString() : null;

    private static string? Counted(int? number, string noun) => number is > 0 and var known ? $"{known} {noun}{(known == 1 ? "" : "s")}" : null;

    private static string Join(params IEnumerable<string?> parts) => string.Join(", ", parts.Where(p => !string.IsNullOrEmpty(p)));
}

/// <summary>Lines with a label at the margin, folded between words to a width, and tables between them.</summary>
internal sealed class FactLines(int width, int label, Style style)
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines => _lines;

    public void Title(string text) => _lines.Add(style.Paint(TextWidth.Cut(TextWidth.OneLine(text), width), Tone.Strong));

    public void Heading(string text)
    {
        Blank();
        _lines.Add(style.Paint(text, Tone.Strong));
    }

    public void Blank()
    {
        if (_lines.Count > 0 && _lines[^1].Length > 0) _lines.Add("");
    }

    public void Table(IReadOnlyList<TableColumn> columns, IEnumerable<TableRow> rows)
    {
        Blank();
        _lines.AddRange(Cli.Table.Lay(columns, [.. rows], width, style));
    }

    /// <summary>Nothing where there is nothing to say.</summary>
    public void Line(string name, string text, Tone tone = Tone.Plain)
    {
        if (text.Length == 0) return;
        var first = true;
        var margin = name.Length == 0 && tone == Tone.Dim ? 2 : label;
        foreach (var part in TextWidth.Fold(TextWidth.OneLine(text), Math.Max(20, width - margin - 2)))
        {
            _lines.Add((first && name.Length > 0 ? style.Paint(TextWidth.Fit(name, label), Tone.Name) : new string(' ', first ? margin : margin + (margin == 2 ? 2 : 0))) + style.Paint(part, tone));
            first = false;
        }
    }
}
