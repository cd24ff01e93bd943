using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>A plan as <c>stoker plan --json</c> and the control API give it; documented in docs/plan.md. Fields are added, never changed.</summary>
internal sealed record PlanDocument
{
    /// <summary>Back-ticks and arrows stand as they are: this is read on terminals, never put into a page.</summary>
    private static readonly PlanJson Readable = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    public required string Estate { get; init; }

    /// <summary>Null where no hosts are declared, or a rehearsal plays all of them.</summary>
    public string? Host { get; init; }

    public bool Rehearse { get; init; }

    public bool Refused { get; init; }

    public IReadOnlyList<IReadOnlyList<string>> Waves { get; init; } = [];

    public IReadOnlyList<CriticalStepDocument> CriticalPath { get; init; } = [];

    public IReadOnlyList<ServicePlanDocument> Services { get; init; } = [];

    public IReadOnlyList<ChangeDocument> Changes { get; init; } = [];

    public IReadOnlyList<GpuDocument> Gpus { get; init; } = [];

    public IReadOnlyList<DiagnosticDocument> Diagnostics { get; init; } = [];

    public static PlanDocument From(EstatePlan plan) => new()
    {
        Estate = plan.Estate.Name,
        Host = plan.Host?.Value,
        Rehearse = plan.Rehearse,
        Refused = plan.IsRefused,
        Waves = [.. plan.Waves.Select(w => (IReadOnlyList<string>)[.. w.Select(s => s.Value)])],
        CriticalPath = [.. plan.CriticalPath.Select(s => new CriticalStepDocument(s.Service.Value, Condition(s.Condition), s.Expected?.TotalMilliseconds))],
        Services = [.. plan.Services.Values.Select(Service)],
        Changes = [.. plan.Changes.Select(c => new ChangeDocument(c.Service.Value, Lower(c.Kind), c.Reason))],
        Gpus =
        [
            .. plan.Gpus.Select(g => new GpuDocument(
                g.Host?.Value, g.Index, g.Model, g.Memory?.Bytes, g.IsPresent, g.Share,
                [.. g.Holders.Select(h => new GpuHolderDocument(h.Owner, h.Memory?.Bytes))])),
        ],
        Diagnostics =
        [
            .. plan.Diagnostics.Select(d => new DiagnosticDocument(
                d.Code.Id, Lower(d.Severity), d.Where.File, d.Where.Line, d.Where.Column, d.Message, d.Hint)),
        ],
    };

    public string ToJson() => JsonSerializer.Serialize(this, Readable.PlanDocument);

    private static ServicePlanDocument Service(ServicePlan plan) => new()
    {
        Name = plan.Name.Value,
        Group = plan.Spec.Group?.Value.Value,
        Host = plan.Host?.Value,
        Local = plan.IsLocal,
        Runtime = plan.Runtime == RuntimeKind.StandIn ? "stand_in" : Lower(plan.Runtime),
        StandIn = plan.StandIn,
        Executable = plan.Executable,
        Fingerprint = plan.Fingerprint,
        DependsOn =
        [
            .. plan.Dependencies.Select(d => new DependencyDocument(d.Service.Value, Condition(d.Condition), d.Restart, d.Required, d.Remote, d.Why)),
        ],
        Replicas =
        [
            .. plan.Replicas.Select(r => new ReplicaDocument(
                r.Index, [.. r.Ports.Select(p => new PortDocument(p.Published, p.Target, p.Protocol, p.HostIp))])),
        ],
        Gpus = plan.Gpus,
        NotEnforced = plan.NotEnforced,
    };

    /// <summary>The words of <c>depends_on</c>.</summary>
    private static string Condition(DependencyCondition condition) => condition switch
    {
        DependencyCondition.Started => "service_started",
        DependencyCondition.Healthy => "service_healthy",
        DependencyCondition.CompletedSuccessfully => "service_completed_successfully",
    };

    private static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}

internal sealed record CriticalStepDocument(string Service, string Condition, double? ExpectedMs);

internal sealed record ServicePlanDocument
{
    public required string Name { get; init; }

    public string? Group { get; init; }

    public string? Host { get; init; }

    public bool Local { get; init; }

    public required string Runtime { get; init; }

    public string? StandIn { get; init; }

    public string? Executable { get; init; }

    public required string Fingerprint { get; init; }

    public IReadOnlyList<DependencyDocument> DependsOn { get; init; } = [];

    public IReadOnlyList<ReplicaDocument> Replicas { get; init; } = [];

    public IReadOnlyList<string> Gpus { get; init; } = [];

    public IReadOnlyList<string> NotEnforced { get; init; } = [];
}

internal sealed record DependencyDocument(string Service, string Condition, bool Restart, bool Required, bool Remote, string Why);

internal sealed record ReplicaDocument(int Index, IReadOnlyList<PortDocument> Ports);

internal sealed record PortDocument(int Published, int Target, string Protocol, string? HostIp);

internal sealed record ChangeDocument(string Service, string Change, string Reason);

internal sealed record GpuDocument(
    string? Host, int Index, string Model, long? MemoryBytes, bool Present, string? Share, IReadOnlyList<GpuHolderDocument> Holders);

internal sealed record GpuHolderDocument(string Owner, long? MemoryBytes);

internal sealed record DiagnosticDocument(string Code, string Severity, string File, int Line, int Column, string Message, string? Hint);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(PlanDocument))]
internal sealed partial class PlanJson : JsonSerializerContext;
