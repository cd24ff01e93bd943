using Stoker.Estates;
using Stoker.Gpus;

namespace Stoker.Cli.GpuVerbs;

/// <summary>The GPUs as tables for people.</summary>
internal static class GpuTables
{
    private static readonly TableColumn[] Columns =
    [
        new("GPU", Right: true), new("MODEL", Most: 30), new("USED", Right: true), new("OF", Right: true), new("BUSY", Right: true), new("TEMP", Right: true), new("POWER", Right: true, Sacrifice: 1),
        new("LINK", Sacrifice: 3), new("ECC", Sacrifice: 4), new("MIG", Sacrifice: 5), new("UUID", Sacrifice: 6, Most: 42), new("SERVICES"),
    ];

    private static readonly TableColumn[] Clients =
    [
        new("GPU", Right: true), new("SERVICE", Most: 28), new("PID", Right: true), new("MEMORY", Right: true), new("BUSY", Right: true),
        new("CPU", Right: true), new("RAM", Right: true), new("COMMAND"),
    ];

    public static IReadOnlyList<string> List(GpusDocument gpus, int width, Style style)
    {
        if (gpus.Gpus.Count == 0) return gpus.Problems.Count > 0 ? [] : ["no GPUs: this machine has no NVIDIA driver, and none are simulated"];
        List<string> lines = [.. Table.Lay(Columns, [.. gpus.Gpus.Select(Row)], width, style), "", TextWidth.Cut(Summary(gpus), width)];
        return lines;
    }

    /// <summary><c>2 GPUs, driver 580.65.06, CUDA up to 13.0 (* 1 simulated)</c></summary>
    public static string Summary(GpusDocument gpus)
    {
        var simulated = gpus.Gpus.Count(g => g.Simulated);
        var count = gpus.Gpus.Count == 1 ? "1 GPU" : $"{gpus.Gpus.Count} GPUs";
        var driver = gpus.Driver is { } version ? $", driver {version}" : "";
        var cuda = gpus.Cuda is { } most ? $", CUDA up to {most}" : "";
        return $"{count}{driver}{cuda}{(simulated > 0 ? $" (* {simulated} simulated)" : "")}";
    }

    public static IReadOnlyList<string> Processes(GpusDocument gpus, IEnumerable<(GpuDocument Gpu, GpuClientDocument Client)> clients, int width, Style style) =>
        Table.Lay(Clients, [.. clients.Select(c => ClientRow(c.Gpu, c.Client, gpus.Estate is not null))], width, style);

    /// <summary>Without the maker, which is the same for all.</summary>
    public static string Model(GpuDocument gpu) => gpu.Name.Replace("NVIDIA ", "", StringComparison.Ordinal).Replace("GeForce ", "", StringComparison.Ordinal) + (gpu.Simulated ? "*" : "");

    public static string Percent(int? percent) => percent is { } known ? $"{known} %" : "-";

    public static string Size(long? bytes) => bytes is { } known ? new ByteSize(known).ToString() : "-";

    public static string Power(GpuDocument gpu) => gpu.Now?.Watts is { } watts ? gpu.Now.PowerLimit is { } limit ? $"{watts:0}/{limit:0} W" : $"{watts:0} W" : "-";

    public static Tone Heat(GpuDocument gpu) => gpu.Now?.Celsius is { } celsius && celsius >= (gpu.Device.SlowdownCelsius ?? 90) ? Tone.Bad : gpu.Now?.Celsius >= 80 ? Tone.Busy : Tone.Plain;

    private static TableRow Row(GpuDocument gpu)
    {
        var now = gpu.Now;
        return new TableRow(
        [
            new($"{gpu.Index}"),
            new((gpu.Host is { } host ? $"{host}: " : "") + Model(gpu), Tone.Name),
            new(Size(now?.UsedMemory)),
            new(Size(gpu.Device.Memory)),
            new(Percent(now?.GpuPercent)),
            new(now?.Celsius is { } celsius ? $"{celsius} °C" : "-", Heat(gpu)),
            new(Power(gpu)),
            new(Link(gpu)),
            new(OnOff(gpu.Device.Ecc)),
            new(OnOff(gpu.Device.Mig)),
            new(gpu.Device.Uuid ?? "-", Tone.Dim),
            gpu.Silent is { } silent ? new(silent, Tone.Bad) : new(string.Join(", ", gpu.Services)),
        ]);
    }

    private static TableRow ClientRow(GpuDocument gpu, GpuClientDocument client, bool knowsOwners) => new(
    [
        new($"{gpu.Index}"),
        new(knowsOwners ? client.OwnerText : "", client.Owner == "service" ? Tone.Name : Tone.Busy),
        new($"{client.Pid}"),
        new(Size(client.Memory)),
        new(Percent(client.GpuPercent)),
        new(client.CpuPercent is { } cpu ? $"{cpu:0} %" : "-"),
        new(Size(client.HostMemory)),
        new(client.Command ?? "not visible here", Tone.Dim),
    ]);

    /// <summary>Generation and width as they can be; what they are now goes down when nobody uses the link.</summary>
    private static string Link(GpuDocument gpu) => gpu.Device is { PcieGeneration: { } generation, PcieWidth: { } width } ? $"{generation}.0 x{width}" : "-";

    private static string OnOff(bool? on) => on is { } known ? known ? "on" : "off" : "-";
}
