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
    private readonly SimulatorOptions options;
    private readonly BlockPool pool;
    private readonly Batch batch;
    private readonly Ticker ticker;
    private readonly long readyAt;
    private long awakeAt, requests;
    private volatile bool sleeps;

    public ModelEngine(SimulatorOptions options, TimeProvider clock)
    {
        this.options = options;
        ticker = new Ticker(clock);
        pool = new BlockPool(options.Blocks, options.BlockSize, options.CachesPrefixes);
        Counts = new EngineCounts();
        batch = new Batch(options.MaxRunning, options.MaxWaiting, pool, Counts);
        readyAt = ticker.Now + ticker.Ticks(options.LoadTime);
        awakeAt = readyAt;
    }

    public EngineCounts Counts { get; }

    public Batch Batch => batch;

    public Ticker Ticker => ticker;

    public bool IsLoaded => options.LoadTime == TimeSpan.Zero || ticker.Now >= readyAt;

    public bool IsAsleep => sleeps || ticker.Now < Volatile.Read(ref awakeAt);

    public int BlockCount => pool.Count;

    public void Sleep()
    {
        sleeps = true;
        batch.ForgetPrefixes();
    }

    public void WakeUp()
    {
        if (!sleeps) return;
        Volatile.Write(ref awakeAt, ticker.Now + ticker.Ticks(options.WakeTime));
        sleeps = false;
    }

    /// <summary>How many blocks a request needs at its end.</summary>
    public int BlocksFor(int tokens) => (tokens + pool.Size - 1) / pool.Size;

    /// <summary>Runs a request from its admission to its end.</summary>
    /// <param name="admitted">What <see cref="Batch.TryEnter"/> gave.</param>
    /// <param name="answers">One for each choice; none: only the prompt is read, as for embeddings.</param>
    /// <param name="progress">Tokens made for each choice; filled also when it ends early.</param>
    /// <returns>True when every choice came to its end.</returns>
    public async ValueTask<bool> RunAsync(Sequence sequence, ValueTask<bool> admitted, Answer[] answers, ITokenSink? sink, int[] progress)
    {
        var chance = new Chance((ulong)options.Seed ^ Chance.Mix((ulong)Interlocked.Increment(ref requests)));
        var came = ticker.Now;
        try
        {
            if (sink is not null && !await sink.BeginAsync()) return Aborted(answers, progress);
            if (!await admitted) return Aborted(answers, progress);
            var started = ticker.Now;
            Counts.Queued.Observe(ticker.Seconds(came, started));
            Counts.AddPrompt(sequence.PromptTokens, sequence.CachedTokens);
            var due = started + Prefill(sequence, ref chance);
            if (!await ticker.Until(sequence.Pause, due)) return Aborted(answers, progress);
            var first = ticker.Now;
            Counts.FirstToken.Observe(ticker.Seconds(came, first));
            Counts.Prefill.Observe(ticker.Seconds(started, first));
            if (!await DecodeAsync(sequence, answers, sink, progress, due, chance)) return Aborted(answers, progress);
            var end = ticker.Now;
            Counts.Decode.Observe(ticker.Seconds(first, end));
            Counts.EndToEnd.Observe(ticker.Seconds(came, end));
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
            batch.Leave(sequence);
        }
    }

    public void Dispose() => ticker.Dispose();

    private async ValueTask<bool> DecodeAsync(Sequence sequence, Answer[] answers, ITokenSink? sink, int[] progress, long due, Chance chance)
    {
        var steps = 0;
        foreach (var answer in answers) steps = Math.Max(steps, answer.Tokens.Length);
        var before = ticker.Now;
        for (var step = 0; step < steps; step++)
        {
            if (step > 0)
            {
                var gap = options.Itl.IsZero ? 0 : ticker.Ticks(options.Itl.Sample(ref chance));
                due += gap;
                if (gap > 0 && sink is not null && !await sink.FlushAsync()) return false;
                if (sequence.Pause.IsOver || (gap > 0 && !await ticker.Until(sequence.Pause, due))) return false;
                var now = ticker.Now;
                Counts.BetweenTokens.Observe(ticker.Seconds(before, now));
                before = now;
            }

            for (var choice = 0; choice < answers.Length; choice++)
            {
                var answer = answers[choice];
                if (step >= answer.Tokens.Length) continue;
                if (!batch.Grow(sequence, [answer.NumberOf(step)]))
                {
                    if (!await ComeBackAsync(sequence, sink, chance)) return false;
                    due = ticker.Now;
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
            if (!await batch.ReenterAsync(sequence)) return false;
            if (!await ticker.Until(sequence.Pause, ticker.Now + Prefill(sequence, ref chance))) return false;
        }
        while (sequence.IsPreempted);
        return true;
    }

    private long Prefill(Sequence sequence, ref Chance chance) =>
        ticker.Ticks(options.Ttft.Sample(ref chance) + (options.PrefillPerToken * Math.Max(0, sequence.Tokens - sequence.CachedTokens)));

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
