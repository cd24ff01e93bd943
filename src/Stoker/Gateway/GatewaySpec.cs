using System.Net;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Keys;

namespace Stoker.Gateway;

/// <summary>What <c>gateway:</c> declares.</summary>
/// <param name="Listen">At least one.</param>
internal sealed record GatewaySpec(IReadOnlyList<Positioned<IPEndPoint>> Listen, SourcePosition Where)
{
    /// <summary>The name of its service, which no other service may have.</summary>
    public static readonly ServiceName Service = new("gateway");

    public bool RequiresKeys { get; init; } = true;

    public HostName? Host { get; init; }

    public IReadOnlyList<DeclaredKeySpec> Keys { get; init; } = [];

    public IReadOnlyList<ModelLimitPlan> Limits { get; init; } = [];

    public TimesPlan Times { get; init; } = new();

    public ByteSize MaxBody { get; init; } = ByteSize.FromMebibytes(32);

    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    public string? SessionHeader { get; init; }

    public TimeSpan KeepLedger { get; init; } = TimeSpan.FromDays(90);

    public int LogDecisions { get; init; } = 100;
}
