namespace Stoker.Gateway.Routing;

/// <summary>What makes up a replica's load. The unit is one request in flight.</summary>
/// <param name="Own">Our requests in flight.</param>
/// <param name="Prompts">Their prompt tokens that are not computed yet.</param>
/// <param name="Engine">What the engine has besides ours, and once more what waits in it.</param>
/// <param name="Cache">A cache that is nearly full.</param>
/// <param name="Failures">The latest failures in a row.</param>
/// <param name="Busy">It has asked for a pause.</param>
internal readonly record struct LoadParts(double Own, double Prompts, double Engine, double Cache, double Failures, double Busy)
{
    /// <summary>Something is the matter with it that affinity does not put up with.</summary>
    public bool IsTroubled => Failures > 0 || Busy > 0;

    public double Sum => Own + Prompts + Engine + Cache + Failures + Busy;

    public static LoadParts Of(in ReplicaSnapshot replica, RoutingOptions options)
    {
        double engine = 0, cache = 0;
        if (replica.IsSignalUsed(options))
        {
            var waiting = Math.Max(0, replica.Waiting);
            engine = Math.Max(0, Math.Max(0, replica.Running) + waiting - replica.Requests) + waiting;
            if (replica.CacheUse > options.CacheKnee)
                cache = options.CachePenalty * (Math.Min(1, replica.CacheUse) - options.CacheKnee) / Math.Max(0.01, 1 - options.CacheKnee);
        }

        return new LoadParts(
            replica.Requests,
            replica.Tokens / options.TokensPerRequest,
            engine,
            cache,
            options.FailurePenalty * replica.Failures,
            replica.BusyFor > 0 ? options.BusyPenalty : 0);
    }
}
