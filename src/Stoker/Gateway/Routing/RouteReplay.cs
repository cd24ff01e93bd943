using System.Globalization;

namespace Stoker.Gateway.Routing;

/// <summary>A decision that is another one now.</summary>
/// <param name="Line">In the file, from 1 on.</param>
/// <param name="Was">A replica, or the outcome where there was none.</param>
internal sealed record ReplayDifference(int Line, string Model, string Was, string WasWhy, string Now, string NowWhy);

/// <summary>How many requests a replica got, and would get.</summary>
internal sealed record ReplayShare(string Model, string Replica, int Was, int Now);

/// <param name="Decisions">Lines that were decided again.</param>
/// <param name="Unreadable">Lines with a decision that could not be read, with the reason.</param>
/// <param name="Other">Lines without a decision.</param>
internal sealed record ReplayReport(
    int Decisions, int Same, IReadOnlyList<ReplayDifference> Differences, IReadOnlyList<ReplayShare> Shares, IReadOnlyList<(int Line, string Why)> Unreadable, int Other);

/// <summary>
/// Decides recorded decisions again. With the recorded policy each must come out as it was; with another, the differences are what the change would
/// do to each request in the situation as it was. That a changed policy would have led to other situations is not played.
/// </summary>
internal static class RouteReplay
{
    /// <summary>The names of <see cref="With"/>.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "staleness_cut", "tokens_per_request", "escape_floor", "escape_share", "prefix_share", "near_equal", "cache_knee", "cache_penalty",
        "failure_penalty", "busy_penalty", "engine_waiting",
    ];

    /// <summary>The options with one changed; null when there is none of that name or the value is no number from 0 on.</summary>
    /// <param name="value">A number; seconds for times.</param>
    public static RoutingOptions? With(RoutingOptions options, string name, string value)
    {
        if (!double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !(number >= 0 && double.IsFinite(number))) return null;
        return name switch
        {
            "staleness_cut" => options with { StalenessCut = TimeSpan.FromSeconds(Math.Min(number, 1e9)) },
            "tokens_per_request" when number > 0 => options with { TokensPerRequest = number },
            "escape_floor" => options with { EscapeFloor = number },
            "escape_share" => options with { EscapeShare = number },
            "prefix_share" => options with { PrefixShare = number },
            "near_equal" => options with { NearEqual = number },
            "cache_knee" => options with { CacheKnee = number },
            "cache_penalty" => options with { CachePenalty = number },
            "failure_penalty" => options with { FailurePenalty = number },
            "busy_penalty" => options with { BusyPenalty = number },
            "engine_waiting" => options with { EngineWaiting = (int)Math.Min(number, int.MaxValue) },
            _ => null,
        };
    }

    /// <param name="lines">UTF-8 lines without their ends.</param>
    public static ReplayReport Run(IEnumerable<ReadOnlyMemory<byte>> lines, RoutingOptions options)
    {
        var (number, decisions, same, other) = (0, 0, 0, 0);
        var differences = new List<ReplayDifference>();
        var unreadable = new List<(int, string)>();
        var shares = new SortedDictionary<(string Model, string Replica), (int Was, int Now)>();
        foreach (var line in lines)
        {
            number++;
            RecordedDecision? recorded;
            try
            {
                recorded = RecordedDecision.Read(line.Span);
            }
            catch (FormatException e)
            {
                unreadable.Add((number, e.Message));
                continue;
            }

            if (recorded is null)
            {
                other++;
                continue;
            }

            decisions++;
            var now = Now(recorded, options);
            var (was, will) = (Target(recorded, recorded.Was), Target(recorded, now));
            if (recorded.Was == now) same++;
            else differences.Add(new ReplayDifference(number, recorded.Model, was, Why(recorded.Was), will, Why(now)));
            if (recorded.Was.Chosen >= 0) Add(shares, (recorded.Model, was), 1, 0);
            if (now.Chosen >= 0) Add(shares, (recorded.Model, will), 0, 1);
        }

        return new ReplayReport(
            decisions, same, differences, [.. shares.Select(s => new ReplayShare(s.Key.Model, s.Key.Replica, s.Value.Was, s.Value.Now))], unreadable, other);
    }

    /// <summary>Who came while others waited had to wait, whatever the policy says of the replicas.</summary>
    private static Decision Now(RecordedDecision recorded, RoutingOptions options)
    {
        var now = recorded.Redecide(options);
        return recorded is { Queue: > 0, Was.Outcome: RouteOutcome.Full } && now.Outcome == RouteOutcome.Placed ? recorded.Was : now;
    }

    private static string Target(RecordedDecision recorded, Decision decision) =>
        decision.Chosen >= 0 ? recorded.Replicas[decision.Chosen].ToString() : DecisionLine.Word(decision.Outcome);

    private static string Why(Decision decision)
    {
        var why = DecisionLine.Word(decision.Why);
        if (decision.Escaped != RouteReason.None) why += $", {DecisionLine.Word(decision.Escaped)} escaped";
        return decision.Panic ? why + ", panic" : why;
    }

    private static void Add(SortedDictionary<(string, string), (int Was, int Now)> shares, (string, string) replica, int was, int now)
    {
        var (before, after) = shares.GetValueOrDefault(replica);
        shares[replica] = (before + was, after + now);
    }
}
