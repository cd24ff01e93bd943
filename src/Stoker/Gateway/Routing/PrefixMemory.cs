using System.Numerics;

namespace Stoker.Gateway.Routing;

/// <summary>
/// Which replica has been sent which beginning of a prompt: an approximation of the engines' prefix caches, as large as those are worth. Eight
/// places for each hash, the one that was used longest ago is given away; what was not used for <see cref="Lifetime"/> is taken for evicted.
/// Read and written by many threads without a lock: what a race garbles is a hint that is wrong once.
/// </summary>
internal sealed class PrefixMemory
{
    /// <summary>Replicas of a model that are remembered; more have no prefix affinity.</summary>
    public const int MaxSlots = 64;

    private const int Ways = 8;

    private readonly Entry[] _entries;

    /// <param name="blocks">Hashes that are remembered, a power of two.</param>
    public PrefixMemory(int blocks = 1 << 14)
    {
        if (!BitOperations.IsPow2(blocks) || blocks < Ways) throw new ArgumentOutOfRangeException(nameof(blocks), blocks, "not a power of two from 8 on");
        _entries = new Entry[blocks];
    }

    public static TimeSpan Lifetime { get; } = TimeSpan.FromMinutes(10);

    /// <summary>For each slot, how many of the first hashes it knows without a gap.</summary>
    public void Match(ReadOnlySpan<ulong> prefix, long now, Span<int> matched)
    {
        matched.Clear();
        var before = matched.Length >= MaxSlots ? ulong.MaxValue : (1UL << matched.Length) - 1;
        for (var i = 0; i < prefix.Length && before != 0; i++)
        {
            var known = before & Known(prefix[i], now);
            Set(matched, before & ~known, i);
            before = known;
        }

        Set(matched, before, prefix.Length);
    }

    /// <summary>The prompt goes to this slot.</summary>
    public void Remember(ReadOnlySpan<ulong> prefix, int slot, long now)
    {
        if (slot is < 0 or >= MaxSlots) return;
        foreach (var hash in prefix) Remember(hash, 1UL << slot, now);
    }

    /// <summary>The slot's cache is empty: it was restarted, or another replica has it now.</summary>
    public void Forget(int slot)
    {
        if (slot is < 0 or >= MaxSlots) return;
        for (var i = 0; i < _entries.Length; i++) Interlocked.And(ref _entries[i].Slots, ~(1UL << slot));
    }

    private static void Set(Span<int> matched, ulong slots, int blocks)
    {
        for (; slots != 0; slots &= slots - 1) matched[BitOperations.TrailingZeroCount(slots)] = blocks;
    }

    private ulong Known(ulong hash, long now)
    {
        foreach (ref var entry in Set(hash))
        {
            if (Volatile.Read(ref entry.Hash) == hash) return now - Volatile.Read(ref entry.Used) > Lifetime.Ticks ? 0 : Volatile.Read(ref entry.Slots);
        }

        return 0;
    }

    private void Remember(ulong hash, ulong slot, long now)
    {
        var set = Set(hash);
        ref var oldest = ref set[0];
        foreach (ref var entry in set)
        {
            if (Volatile.Read(ref entry.Hash) == hash)
            {
                if (now - Volatile.Read(ref entry.Used) > Lifetime.Ticks) Volatile.Write(ref entry.Slots, slot);
                else Interlocked.Or(ref entry.Slots, slot);
                Volatile.Write(ref entry.Used, now);
                return;
            }

            if (entry.Used < oldest.Used || entry.Hash == 0 && oldest.Hash != 0) oldest = ref entry;
        }

        // Unfindable while it changes hands.
        Volatile.Write(ref oldest.Hash, 0);
        Volatile.Write(ref oldest.Slots, slot);
        Volatile.Write(ref oldest.Used, now);
        Volatile.Write(ref oldest.Hash, hash);
    }

    private Span<Entry> Set(ulong hash) => _entries.AsSpan((int)(hash & (ulong)(_entries.Length / Ways - 1)) * Ways, Ways);

    private struct Entry
    {
        public ulong Hash;
        public ulong Slots;
        public long Used;
    }
}
