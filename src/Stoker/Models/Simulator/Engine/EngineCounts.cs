namespace Stoker.Models.Simulator.Engine;

/// <summary>How a sequence ended.</summary>
internal enum Ending
{
    Stop,
    Length,

    /// <summary>The client left, or a fault cut it.</summary>
    Abort,
}

/// <summary>What happened since the start. Counters grow only; thread-safe.</summary>
internal sealed class EngineCounts
{
    private readonly long[] _ended = new long[3];
    private long _promptTokens, _generatedTokens, _prefixQueries, _prefixHits, _preemptions;

    public long PromptTokens => Volatile.Read(ref _promptTokens);

    public long GeneratedTokens => Volatile.Read(ref _generatedTokens);

    /// <summary>Tokens of prompts that were looked for in the prefix cache.</summary>
    public long PrefixQueries => Volatile.Read(ref _prefixQueries);

    public long PrefixHits => Volatile.Read(ref _prefixHits);

    public long Preemptions => Volatile.Read(ref _preemptions);

    public Histogram FirstToken { get; } = new(Histogram.FirstToken);

    public Histogram BetweenTokens { get; } = new(Histogram.BetweenTokens);

    public Histogram EndToEnd { get; } = new(Histogram.Request);

    public Histogram Queued { get; } = new(Histogram.Request);

    public Histogram Prefill { get; } = new(Histogram.Request);

    public Histogram Decode { get; } = new(Histogram.Request);

    public long Ended(Ending how) => Volatile.Read(ref _ended[(int)how]);

    public void AddEnded(Ending how, int count) => Interlocked.Add(ref _ended[(int)how], count);

    public void AddPrompt(int tokens, int cached)
    {
        Interlocked.Add(ref _promptTokens, tokens);
        Interlocked.Add(ref _prefixQueries, tokens);
        Interlocked.Add(ref _prefixHits, cached);
    }

    public void AddGenerated(int tokens) => Interlocked.Add(ref _generatedTokens, tokens);

    public void AddPreemption() => Interlocked.Increment(ref _preemptions);
}
