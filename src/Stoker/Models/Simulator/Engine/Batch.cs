using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Engine;

/// <summary>
/// Who runs and who waits, as continuous batching has it: so many sequences run together, the rest wait in the order in which they came,
/// and nobody overtakes. A sequence that needs a block when none is left takes those of the one admitted last, which waits again, first in the
/// line. Thread-safe.
/// </summary>
internal sealed class Batch(int mostRunning, int mostWaiting, BlockPool pool, EngineCounts counts)
{
    private readonly Lock _access = new();
    private readonly LinkedList<Sequence> _waiting = [];
    private readonly List<Sequence> _running = [];

    public (int Running, int Waiting, int BlocksUsed) Load
    {
        get
        {
            lock (_access) return (_running.Count, _waiting.Count, pool.Used);
        }
    }

    /// <summary>Share of the blocks that sequences use, 0 to 1.</summary>
    public double CacheUse => (double)Load.BlocksUsed / pool.Count;

    /// <summary>Whether its place is given at once, after a wait, or not at all because too many wait.</summary>
    /// <param name="admitted">True once it runs; false when the client has left, and then it is not in the line any more.</param>
    public bool TryEnter(Sequence sequence, out ValueTask<bool> admitted)
    {
        lock (_access)
        {
            if (_waiting.Count == 0 && TryStart(sequence))
            {
                admitted = ValueTask.FromResult(true);
                return true;
            }

            if (_waiting.Count >= mostWaiting)
            {
                admitted = default;
                return false;
            }

            admitted = Queue(sequence, first: false);
            return true;
        }
    }

    /// <summary>One step's tokens. False: it was preempted and has to be admitted again by <see cref="ReenterAsync"/>.</summary>
    public bool Grow(Sequence sequence, ReadOnlySpan<uint> tokens)
    {
        lock (_access)
        {
            if (sequence.IsPreempted) return false;
            var sealedBefore = sequence.Chain.Length;
            sequence.Add(tokens);
            while (sequence.Blocks.Count < sequence.BlocksNeeded)
            {
                if (pool.TryGrow(sequence.Blocks)) continue;
                Preempt(_running[^1]);
                if (sequence.IsPreempted) return false;
            }

            for (var i = sealedBefore; i < sequence.Chain.Length; i++) pool.Seal(sequence.Blocks[i], sequence.Chain[i]);
            return true;
        }
    }

    /// <summary>After a preemption.</summary>
    public ValueTask<bool> ReenterAsync(Sequence sequence)
    {
        lock (_access)
        {
            sequence.IsPreempted = false;
            return TryStart(sequence) ? ValueTask.FromResult(true) : Queue(sequence, first: true);
        }
    }

    /// <summary>The end of a sequence, wherever it stands.</summary>
    public void Leave(Sequence sequence)
    {
        lock (_access)
        {
            if (sequence.Place is { } place)
            {
                _waiting.Remove(place);
                sequence.Place = null;
            }

            _running.Remove(sequence);
            pool.Release(sequence.Blocks);
            StartWaiting();
        }
    }

    public void ForgetPrefixes()
    {
        lock (_access) pool.Forget();
    }

    private ValueTask<bool> Queue(Sequence sequence, bool first)
    {
        sequence.Place = first ? _waiting.AddFirst(sequence) : _waiting.AddLast(sequence);
        // Elsewhere, because whoever makes room goes on itself.
        sequence.Wait = sequence.Pause.Arm(elsewhere: true);
        return sequence.Pause.Wait(sequence.Wait);
    }

    private void StartWaiting()
    {
        while (_waiting.First is { Value: var next } && TryStart(next))
        {
            _waiting.RemoveFirst();
            next.Place = null;
            next.Pause.Wake(next.Wait);
        }
    }

    private bool TryStart(Sequence sequence)
    {
        if (_running.Count >= mostRunning) return false;
        var most = Math.Min(sequence.Chain.Length, (sequence.Tokens - 1) / pool.Size);
        var hits = pool.TryTake(sequence.Chain, most, sequence.BlocksNeeded, sequence.Blocks);
        if (hits < 0) return false;
        sequence.CachedTokens = hits * pool.Size;
        _running.Add(sequence);
        return true;
    }

    private void Preempt(Sequence victim)
    {
        counts.AddPreemption();
        victim.IsPreempted = true;
        pool.Release(victim.Blocks);
        _running.Remove(victim);
    }
}
