namespace Stoker.Gateway.Routing;

/// <summary>What the choice of a replica weighs. The defaults are documented in docs/routing.md, and a replay may change each.</summary>
internal sealed record RoutingOptions
{
    public static RoutingOptions Default { get; } = new();

    /// <summary>An engine's metrics older than this say nothing. vLLM's own gauges trail the truth by 3 to 6 s (vllm#49538).</summary>
    public TimeSpan StalenessCut { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>So many prompt tokens that are not computed yet weigh as much as one request.</summary>
    public double TokensPerRequest { get; init; } = 2048;

    /// <summary>Affinity gives way when its replica has more requests in flight than the least busy one, by more than this…</summary>
    public double EscapeFloor { get; init; } = 4;

    /// <summary>…and by more than this share of the mean.</summary>
    public double EscapeShare { get; init; } = 0.5;

    /// <summary>A replica attracts a prompt of which it knows at least this share: a short common system prompt is no reason.</summary>
    public double PrefixShare { get; init; } = 0.5;

    /// <summary>Loads that differ by less than this, or by a tenth, are near-equal, and two of those are drawn.</summary>
    public double NearEqual { get; init; } = 0.5;

    /// <summary>From this use of an engine's cache on, it preempts.</summary>
    public double CacheKnee { get; init; } = 0.8;

    /// <summary>Requests that a cache in full use weighs as much as; in proportion from the knee on.</summary>
    public double CachePenalty { get; init; } = 8;

    /// <summary>Requests that each of the latest failures in a row weighs as much as, so that a dead replica's empty counter attracts nothing.</summary>
    public double FailurePenalty { get; init; } = 4;

    /// <summary>Requests that <c>429</c> or <c>503</c> weighs as much as, until the time that came with it.</summary>
    public double BusyPenalty { get; init; } = 8;

    /// <summary>An engine that has this many requests waiting is at its capacity, when no other limit is declared.</summary>
    public int EngineWaiting { get; init; } = 8;

    /// <summary>How long a replica that has recovered, or is new, needs to get its whole part.</summary>
    public TimeSpan SlowStart { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The share of its weight that it begins with.</summary>
    public double SlowStartFrom { get; init; } = 0.1;
}

/// <summary>When a replica is ejected and for how long.</summary>
internal sealed record ReplicaHealthOptions
{
    public static ReplicaHealthOptions Default { get; } = new();

    /// <summary>Failures in a row that eject.</summary>
    public int Failures { get; init; } = 3;

    /// <summary>The share of failures that ejects…</summary>
    public double FailureShare { get; init; } = 0.5;

    /// <summary>…when at least this many requests have ended…</summary>
    public int Volume { get; init; } = 20;

    /// <summary>…within one to two of these.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the first ejection lasts; each next one twice as long.</summary>
    public TimeSpan EjectFor { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan EjectAtMost { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Ejections last up to this share longer or shorter, so that replicas that fell together do not come back together.</summary>
    public double Jitter { get; init; } = 0.2;

    /// <summary>A replica that has been well for so long since it recovered begins again with the first ejection.</summary>
    public TimeSpan ForgetAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Failures further back do not weigh in the choice any more.</summary>
    public TimeSpan RecentFailure { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an engine is taken to be busy that did not say how long.</summary>
    public TimeSpan BusyFor { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>An engine that says longer is asked again after this.</summary>
    public TimeSpan BusyAtMost { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Failed health probes in a row that eject.</summary>
    public int ProbeFailures { get; init; } = 3;

    /// <summary>Good health probes in a row that let an unreachable replica come back.</summary>
    public int ProbeSuccesses { get; init; } = 2;
}

/// <summary>When a request is tried again.</summary>
internal sealed record RetryOptions
{
    public static RetryOptions Default { get; } = new();

    /// <summary>Attempts of one request at one model, the first included.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>Retries are at most this share of the requests of the window…</summary>
    public double BudgetShare { get; init; } = 0.2;

    /// <summary>…and this many more: what a replica that dies had in flight must find another place, also where there is little traffic.</summary>
    public int BudgetFloor { get; init; } = 32;

    /// <summary>A whole number of seconds.</summary>
    public TimeSpan BudgetWindow { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>How requests wait.</summary>
internal sealed record QueueOptions
{
    public static QueueOptions Default { get; } = new();

    /// <summary>Requests of one model that wait at most.</summary>
    public int MaxWaiting { get; init; } = 4096;

    /// <summary>The share of those that one key may take.</summary>
    public double KeyShare { get; init; } = 0.75;

    /// <summary>A class of priority that waits is served at least once in so many admissions, whatever waits above it.</summary>
    public int StarvationBound { get; init; } = 20;
}
