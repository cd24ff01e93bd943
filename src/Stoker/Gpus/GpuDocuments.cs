using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus;

/// <summary>The answer of <c>GET /v1/gpus</c>, and what <c>stoker gpu list --json</c> prints. Memory in bytes; null is what is not told.</summary>
/// <param name="Estate">Null: looked at without a daemon, so that nobody's processes are known.</param>
/// <param name="Driver">Of this machine; null where it has none, or only simulated cards are there.</param>
/// <param name="Problems">What keeps a driver from answering, in words.</param>
internal sealed record GpusDocument(string? Estate, DateTimeOffset At, string? Driver, string? Cuda, IReadOnlyList<string> Problems, IReadOnlyList<GpuDocument> Gpus);

/// <summary>One card.</summary>
/// <param name="Index">Among the cards shown; of the machine's own cards it is NVML's.</param>
internal sealed record GpuDocument(int Index, bool Simulated, GpuDevice Device)
{
    /// <summary>Of a simulated card, whose it is.</summary>
    public string? Host { get; init; }

    /// <summary>Null: it does not answer, and <see cref="Silent"/> says why.</summary>
    public GpuReading? Now { get; init; }

    public string? Silent { get; init; }

    /// <summary>What keeps its clocks low, by DCGM's words; idleness is not among them.</summary>
    public IReadOnlyList<string> ThrottledBy { get; init; } = [];

    /// <summary>Services that have processes on it, and those it was given to.</summary>
    public IReadOnlyList<string> Services { get; init; } = [];

    public IReadOnlyList<GpuClientDocument> Clients { get; init; } = [];

    /// <summary>The last Xid since the daemon began.</summary>
    public long? LastXid { get; init; }

    public DateTimeOffset? LastXidAt { get; init; }

    /// <summary>As people call it.</summary>
    [JsonIgnore]
    public string Name => Device.Name ?? "a GPU without a name";
}

/// <summary>A process on a GPU.</summary>
/// <param name="Owner"><c>service</c>, <c>orphan</c>, <c>other_estate</c> or <c>stranger</c>.</param>
internal sealed record GpuClientDocument(int Pid, string? Command, string Owner)
{
    public string? Service { get; init; }

    public int? Replica { get; init; }

    public string Kind { get; init; } = "compute";

    public long? Memory { get; init; }

    public int? GpuPercent { get; init; }

    /// <summary>Of one processor; null until measured twice.</summary>
    public double? CpuPercent { get; init; }

    public long? HostMemory { get; init; }

    public int? Instance { get; init; }

    /// <summary>Service and replica, or what it is instead.</summary>
    [JsonIgnore]
    public string OwnerText => Owner switch
    {
        "service" => Replica is > 1 ? $"{Service}/{Replica}" : Service!,
        "orphan" => $"orphan of {Service}",
        "other_estate" => "another estate",
        _ => "stranger",
    };
}

/// <summary>The answer of <c>GET /v1/gpus/ledger</c>.</summary>
internal sealed record LedgerDocument(string Estate, DateTimeOffset At, IReadOnlyList<GpuLedger> Gpus, IReadOnlyList<string> Problems);

/// <summary>What is to happen to a simulated card: <c>POST /v1/gpus/simulate</c>.</summary>
/// <param name="Gpu">Its index or UUID.</param>
/// <param name="Load">Beside that of its clients, 0 to 1.</param>
/// <param name="Cooling">1 is as it should be.</param>
/// <param name="MemoryFault">A bit of its memory sticks from now on.</param>
/// <param name="Work">For so many seconds a diagnosis keeps it busy.</param>
internal sealed record GpuSimulationRequest(string Gpu, int? Xid, double? Load, double? Cooling, bool Reset, bool MemoryFault = false, double? Work = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(GpusDocument))]
[JsonSerializable(typeof(LedgerDocument))]
[JsonSerializable(typeof(GpuSimulationRequest))]
internal sealed partial class GpuJson : JsonSerializerContext
{
    /// <summary>Back-ticks stay as they are; none of it is ever put into HTML.</summary>
    public static GpuJson Readable { get; } = new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
