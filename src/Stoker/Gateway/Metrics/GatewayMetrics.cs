using System.Collections.Concurrent;
using Stoker.Gateway.Ledger;
using Stoker.Limits;
using Stoker.Gateway.Routing;

namespace Stoker.Gateway.Metrics;

/// <summary>
/// What the gateway counts, by OpenTelemetry's GenAI conventions where they have a name for it and by its own where not. Written by all
/// loops without a lock. Labels are models, operations and outcomes: never keys, of which there may be any number (the ledger has them).
/// </summary>
internal sealed class GatewayMetrics
{
    private readonly ConcurrentDictionary<(string Model, string Operation), ModelMetrics> _models = new();
    private readonly ConcurrentDictionary<(string Name, string Labels), Counter> _counters = new();
    private long _connections;
    private long _active;

    /// <summary>The gateway's own part of a request: from its last byte to its being handed to a replica, without the time it waited.</summary>
    public Histogram OverheadSeconds { get; } = new([0.000_025, 0.000_05, 0.000_1, 0.000_2, 0.000_4, 0.000_8, 0.001_6, 0.003_2, 0.006_4, 0.0128, 0.0256, 0.0512, 0.1024]);

    public IEnumerable<KeyValuePair<(string Model, string Operation), ModelMetrics>> Models => _models;

    /// <summary>Counters by name and labels, as they stand in the page.</summary>
    public IEnumerable<(string Name, string Labels, long Count)> Counters => _counters.Select(c => (c.Key.Name, c.Key.Labels, Interlocked.Read(ref c.Value.Count)));

    public long OpenConnections => Interlocked.Read(ref _connections);

    public long ActiveRequests => Interlocked.Read(ref _active);

    public void Connections(int change) => Interlocked.Add(ref _connections, change);

    public void Overhead(TimeSpan time) => OverheadSeconds.Record(Math.Max(0, time.TotalSeconds));

    /// <summary>A request was admitted; <see cref="Ended"/> follows for each.</summary>
    public void Begun() => Interlocked.Increment(ref _active);

    public void Ended(in LedgerRow row, string operation)
    {
        Interlocked.Decrement(ref _active);
        var metrics = _models.GetOrAdd((row.Model, operation), static _ => new ModelMetrics());
        metrics.Count(row.Outcome);
        metrics.Duration.Record(row.Duration / 1000);
        if (row.FirstToken is { } first && row.Outcome == RequestOutcome.Good)
        {
            metrics.FirstToken.Record(first / 1000);
            if (row.IsStream && row.Completion > 1) metrics.PerToken.Record((row.Duration - first) / 1000 / (row.Completion - 1));
        }

        // The conventions say: no usage where it is not reliably known.
        if (row.IsEstimated) return;
        if (row.Prompt > 0) metrics.InputTokens.Record(row.Prompt);
        if (row.Completion > 0) metrics.OutputTokens.Record(row.Completion);
    }

    /// <summary>Not admitted, or not let in.</summary>
    public void Refused(int status) => Count("stoker_gateway_refused_total", status == 401 ? "status=\"401\"" : $"status=\"{status}\"");

    public void Limited(LimitKind kind) => Count("stoker_gateway_limited_total", $"limit=\"{DecisionLine.Word(kind)}\"");

    public void Retried(AttemptEnd end) => Count("stoker_gateway_retries_total", $"reason=\"{DecisionLine.Word(end)}\"");

    /// <summary>An answer was cut off after it had begun, and its client told.</summary>
    public void Cut(AttemptEnd end) => Count("stoker_gateway_cut_total", $"reason=\"{DecisionLine.Word(end)}\"");

    public void Bug() => Count("stoker_gateway_bugs_total", "");

    private void Count(string name, string labels) => Interlocked.Increment(ref _counters.GetOrAdd((name, labels), static _ => new Counter()).Count);

    private sealed class Counter
    {
        public long Count;
    }
}

/// <summary>What is counted of one model and operation. Bounds are the conventions', with more at the ends where few GPUs and small models need them.</summary>
internal sealed class ModelMetrics
{
    private static readonly double[] Seconds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68];
    private static readonly double[] FirstTokens = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 30, 60, 120];
    private static readonly double[] Tokens = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864];

    private readonly long[] _outcomes = new long[5];

    public Histogram Duration { get; } = new(Seconds);

    public Histogram FirstToken { get; } = new(FirstTokens);

    public Histogram PerToken { get; } = new([0.002, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]);

    public Histogram InputTokens { get; } = new(Tokens);

    public Histogram OutputTokens { get; } = new(Tokens);

    public void Count(RequestOutcome outcome) => Interlocked.Increment(ref _outcomes[(int)outcome]);

    public long CountOf(RequestOutcome outcome) => Interlocked.Read(ref _outcomes[(int)outcome]);
}
