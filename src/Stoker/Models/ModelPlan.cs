using System.Net;
using Stoker.Estates;
using Stoker.Planning;

namespace Stoker.Models;

/// <summary>What whoever routes requests has to know of one model. Made from the estate's plan, anew at each apply and scale.</summary>
/// <param name="Key">Its key in <c>models:</c>; the name of its service, where one is supervised.</param>
/// <param name="Name">What clients call it; may hold <c>/</c>.</param>
internal sealed record ModelPlan(string Key, string Name, EngineKind Engine)
{
    /// <summary>The supervised service that serves it; null: what serves it runs already.</summary>
    public ServiceName? Service { get; init; }

    /// <summary>Further names that clients may use.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>
    /// The names that the replicas answer to. A request under another name (an alias, a fallback) must have the first of them put into
    /// its body; one of these passes untouched.
    /// </summary>
    public required IReadOnlyList<string> UpstreamNames { get; init; }

    public IReadOnlyList<ModelReplica> Replicas { get; init; } = [];

    /// <summary>Tokens; null: not known.</summary>
    public int? ContextSize { get; init; }

    /// <summary>Requests for each replica at a time; null: not limited here.</summary>
    public int? MaxConcurrency { get; init; }

    /// <summary>Names (not keys) of models that answer when this one cannot, in order.</summary>
    public IReadOnlyList<string> Fallbacks { get; init; } = [];

    /// <summary>Name (not key) of the model of whose requests this one takes a part; null: none.</summary>
    public string? CanaryOf { get; init; }

    /// <summary>The part, 0 to 1.</summary>
    public double CanaryShare { get; init; }

    public LoadSpec Load { get; init; } = new();

    /// <summary>Ask the daemon to stop the service after so long without a request; null: never.</summary>
    public TimeSpan? UnloadAfter { get; init; }

    /// <summary>Where the key for the replicas is; null: they want none.</summary>
    public ApiKeySpec? ApiKey { get; init; }

    public ModelTimeouts Timeouts { get; init; } = new();

    /// <summary>Tokens per second that each replica must give one client.</summary>
    public double Floor { get; init; } = ModelSpec.UsualFloor;

    /// <summary>Why a simulator stands in for it; null: the real thing.</summary>
    public string? StandIn { get; init; }

    /// <summary>The models of an estate as planned, in the order of the file; none without <c>models:</c>.</summary>
    public static IReadOnlyList<ModelPlan> Of(EstatePlan plan)
    {
        var models = plan.Estate.Part<ModelsSpec>()?.Models ?? [];
        var names = models.ToDictionary(m => m.Key, m => m.Name);
        // A model whose profile is not active has no planned service, and nothing to route to.
        return [.. models.Where(m => !m.IsSupervised || plan.Services.ContainsKey(m.Service)).Select(m => Of(m, plan, names))];
    }

    private static ModelPlan Of(ModelSpec spec, EstatePlan plan, Dictionary<string, string> names)
    {
        var service = spec.IsSupervised ? plan.Services[spec.Service] : null;
        return new ModelPlan(spec.Key, spec.Name, spec.Engine)
        {
            Service = service?.Name,
            Aliases = spec.Aliases,
            UpstreamNames = EngineCommands.NamesOf(spec),
            Replicas = service is null ? [.. spec.Upstreams.Select(Upstream)] : [.. service.Replicas.Select(r => Supervised(r, service))],
            ContextSize = spec.ContextSize,
            MaxConcurrency = spec.MaxConcurrency,
            Fallbacks = [.. spec.Fallbacks.Select(f => names.GetValueOrDefault(f, f))],
            CanaryOf = spec.Canary is { } canary ? names.GetValueOrDefault(canary.Of, canary.Of) : null,
            CanaryShare = spec.Canary?.Share ?? 0,
            Load = spec.Load,
            UnloadAfter = spec.UnloadAfter,
            ApiKey = spec.ApiKey,
            Timeouts = spec.Timeouts,
            Floor = spec.Floor,
            StandIn = service?.StandIn,
        };
    }

    private static ModelReplica Upstream(UpstreamSpec upstream, int at) => new(at + 1, upstream.Url.IdnHost.Trim('[', ']'), upstream.Url.Port)
    {
        Path = upstream.Url.AbsolutePath.TrimEnd('/'),
        Tls = upstream.Url.Scheme == Uri.UriSchemeHttps,
        Weight = upstream.Weight,
    };

    private static ModelReplica Supervised(ReplicaPlan replica, ServicePlan service) =>
        new(replica.Index, AddressOf(service, replica.Ports[0].HostIp), replica.Ports[0].Published);

    private static string AddressOf(ServicePlan service, string? listen)
    {
        if (!service.IsLocal) return service.RemoteAddress ?? "127.0.0.1";
        // A simulator that stands in listens here, whatever address the real host has.
        return service.Runtime == RuntimeKind.StandIn ? "127.0.0.1" : Reachable(listen);
    }

    /// <summary>Where this machine reaches what listens on an address.</summary>
    public static string Reachable(string? listen) =>
        IPAddress.TryParse(listen, out var address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any) ? listen : "127.0.0.1";
}

/// <summary>One server of a model.</summary>
/// <param name="Index">Counts from 1; for a supervised one the number of its service's replica.</param>
/// <param name="Address">IP address or DNS name, without brackets.</param>
internal sealed record ModelReplica(int Index, string Address, int Port)
{
    /// <summary>What OpenAI's paths begin with there, in place of the <c>/v1</c> that a client writes.</summary>
    public string Path { get; init; } = "/v1";

    public bool Tls { get; init; }

    /// <summary>Its part of the requests, relative to the others.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Up to where OpenAI's paths begin.</summary>
    public string Url => $"{(Tls ? "https" : "http")}://{(Address.Contains(':') ? $"[{Address}]" : Address)}:{Port}{Path}";
}
