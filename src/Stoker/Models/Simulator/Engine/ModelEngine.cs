using Stoker.Models.Simulator.Answers;
using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Engine;

/// <summary>
/// Makes tokens at the pace of a model.
/// <code>
///   wait for a place ─→ prefill: ttft + prefill-per-token × tokens not cached ─→ one token of every choice each itl ─→ place free
///        ▲                                                                            │ no block left: preempted
///        └────────────────────────────────────────────────────────────────────────────┘
/// </code>
/// All choices of a request go in step and have one place together. The client's leaving ends it at any point of this.
/// </summary>
internal sealed class ModelEngine : IDisposable
{
    private readonly SimulatorOptions _options;
    private readonly BlockPool _pool;
    private readonly Batch _batch;
    private readonly Ticker _ticker;
    private readonly long _readyAt;
    private long _awakeAt, _requests;
    private volatile bool _sleeps;

    public ModelEngine(SimulatorOptions options, TimeProvider clock)
    {
        _options = options;
        _ticker = new Ticker(clock);
        _pool = new BlockPool(options.Blocks, options.BlockSize, options.CachesPrefixes);
        Counts = new EngineCounts();
        _batch = new Batch(options.MaxRunning, options.MaxWaiting, _pool, Counts);
        _readyAt = _ticker.Now + _ticker.Ticks(options.LoadTime);
        _awakeAt = _readyAt;
    }

    public EngineCounts Counts { get; }

    public Batch Batch => _batch;

    public Ticker Ticker => _ticker;

    public bool IsLoaded => _options.LoadTime == TimeSpan.Zero || _ticker.Now >= _readyAt;

    public bool IsAsleep => _sleeps || _ticker.Now < Volatile.Read(ref _awakeAt);

    public int BlockCount => _pool.Count;

    public void Sleep()
    {
        _sleeps = true;
        _batch.ForgetPrefixes();
    }

    public void WakeUp()
    {
        if (!_sleeps) return;
        Volatile.Write(ref _awakeAt, _ticker.Now + _ticker.Ticks(_options.WakeTime));
        _sleeps = false;
    }

    /// <summary>How many blocks a request needs at its end.</summary>
    public int BlocksFor(int tokens) => (tokens + _pool.Size - 1) / _pool.Size;

    /// <summary>Runs a request from its admission to its end.</summary>
    /// <param name="admitted">What <see cref="Batch.TryEnter"/> gave.</param>
    /// <param name="answers">One for each choice; none: only the prompt is read, as for embeddings.</param>
    /// <param name="progress">Tokens made for each choice; filled also when it ends early.</param>
    /// <returns>True when every choice came to its end.</returns>
    public async ValueTask<bool> RunAsync(Sequence sequence, ValueTask<bool> admitted, Answer[] answers, ITokenSink? sink, int[] progress)
    {
        var chance = new Chance((ulong)_options.Seed ^ Chance.Mix((ulong)Interlocked.Increment(ref _requests)));
        var came = _ticker.Now;
        try
        {
            if (sink is not null && !await sink.BeginAsync()) return Aborted(answers, progress);
            if (!await admitted) return Aborted(answers, progress);
            var started = _ticker.Now;
            Counts.Queued.Observe(_ticker.Seconds(came, started));
            Counts.AddPrompt(sequence.PromptTokens, sequence.CachedTokens);
            var due = started + Prefill(sequence, ref chance);
            if (!await _ticker.Until(sequence.Pause, due)) return Aborted(answers, progress);
            var first = _ticker.Now;
            Counts.FirstToken.Observe(_ticker.Seconds(came, first));
            Counts.Prefill.Observe(_ticker.Seconds(started, first));
            if (!await DecodeAsync(sequence, answers, sink, progress, due, chance)) return Aborted(answers, progress);
            var end = _ticker.Now;
            Counts.Decode.Observe(_ticker.Seconds(first, end));
            Counts.EndToEnd.Observe(_ticker.Seconds(came, end));
            foreach (var answer in answers) Counts.AddEnded(answer.Ending, 1);
            if (answers.Length == 0) Counts.AddEnded(Ending.Stop, 1);
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return Aborted(answers, progress);
        }
        finally
        {
            _batch.Leave(sequence);
        }
    }

    public void Dispose() => _ticker.Dispose();

    private async ValueTask<bool> DecodeAsync(Sequence sequence, Answer[] answers, ITokenSink? sink, int[] progress, long due, Chance chance)
    {
        var steps = 0;
        foreach (var answer in answers) steps = Math.Max(steps, answer.Tokens.Length);
        var before = _ticker.Now;
        for (var step = 0; step < steps; step++)
        {
            if (step > 0)
            {
                var gap = _options.Itl.IsZero ? 0 : _ticker.Ticks(_options.Itl.Sample(ref chance));
                due += gap;
                if (gap > 0 && sink is not null && !await sink.FlushAsync()) return false;
                if (sequence.Pause.IsOver || (gap > 0 && !await _ticker.Until(sequence.Pause, due))) return false;
                var now = _ticker.Now;
                Counts.BetweenTokens.Observe(_ticker.Seconds(before, now));
                before = now;
            }

            for (var choice = 0; choice < answers.Length; choice++)
            {
                var answer = answers[choice];
                if (step >= answer.Tokens.Length) continue;
                if (!_batch.Grow(sequence, [answer.NumberOf(step)]))
                {
                    if (!await ComeBackAsync(sequence, sink, chance)) return false;
                    due = _ticker.Now;
                }

                progress[choice]++;
                Counts.AddGenerated(1);
                if (sink is not null && !await sink.AddAsync(choice, answer.Tokens[step])) return false;
            }
        }

        return true;
    }

    private async ValueTask<bool> ComeBackAsync(Sequence sequence, ITokenSink? sink, Chance chance)
    {
        do
        {
            if (sink is not null && !await sink.FlushAsync()) return false;
            if (!await _batch.ReenterAsync(sequence)) return false;
            if (!await _ticker.Until(sequence.Pause, _ticker.Now + Prefill(sequence, ref chance))) return false;
        }
        while (sequence.IsPreempted);
        return true;
    }

    private long Prefill(Sequence sequence, ref Chance chance) =>
        _ticker.Ticks(_options.Ttft.Sample(ref chance) + (_options.PrefillPerToken * Math.Max(0, sequence.Tokens - sequence.CachedTokens)));

    private bool Aborted(Answer[] answers, int[] progress)
    {
        for (var choice = 0; choice < Math.Max(1, answers.Length); choice++)
        {
            // A choice that was done before the client left is done.
            var isWhole = choice < answers.Length && progress[choice] == answers[choice].Tokens.Length && progress[choice] > 0;
            Counts.AddEnded(isWhole ? answers[choice].Ending : Ending.Abort, 1);
        }

        return false;
    }
}
