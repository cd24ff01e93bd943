namespace Stoker.Models.Simulator.Engine;

/// <summary>
/// The blocks of a KV cache, as a paged engine keeps them: each holds the keys of so many tokens, is shared by sequences with the same
/// beginning, and is kept after its last use until its place is needed, the least recently used first. Not thread-safe.
/// </summary>
internal sealed class BlockPool
{
    private const int None = -1;

    private readonly bool caches;
    private readonly ulong[] hashes;
    private readonly int[] users, next, previous;
    private readonly Dictionary<ulong, int> known = [];
    private int oldest = None, newest = None;

    /// <param name="size">Tokens in a block.</param>
    public BlockPool(int count, int size, bool caches)
    {
        Size = size;
        this.caches = caches;
        hashes = new ulong[count];
        users = new int[count];
        next = new int[count];
        previous = new int[count];
        for (var block = 0; block < count; block++) AddFree(block);
    }

    public int Size { get; }

    public int Count => hashes.Length;

    public int Used { get; private set; }

    /// <summary>The hash of a block is that of its tokens and of all before it.</summary>
    public static ulong Chain(ulong before, ReadOnlySpan<uint> tokens)
    {
        var hash = before ^ 0x9e3779b97f4a7c15ul;
        foreach (var token in tokens) hash = Chance.Mix(hash + token);
        // 0 marks a block without content.
        return hash | 1;
    }

    /// <summary>Takes the blocks of a prompt, those that are known first.</summary>
    /// <param name="full">Hashes of the blocks that the prompt fills.</param>
    /// <param name="most">How many of them may come from the cache: the last token is always computed.</param>
    /// <param name="total">Blocks that the prompt needs.</param>
    /// <returns>How many were known; -1: there is no room, and nothing was taken.</returns>
    public int TryTake(ReadOnlySpan<ulong> full, int most, int total, List<int> into)
    {
        var hits = 0;
        var revived = 0;
        while (caches && hits < most && known.TryGetValue(full[hits], out var block))
        {
            if (users[block] == 0) revived++;
            hits++;
        }

        if (Count - Used - revived < total - hits) return -1;
        for (var i = 0; i < hits; i++) Use(known[full[i]], into);
        for (var i = hits; i < total; i++)
        {
            TryGrow(into);
            if (i < full.Length) Seal(into[^1], full[i]);
        }

        return hits;
    }

    /// <summary>One more block; false: there is none.</summary>
    public bool TryGrow(List<int> into)
    {
        if (oldest == None) return false;
        var block = oldest;
        if (hashes[block] != 0 && known.TryGetValue(hashes[block], out var holder) && holder == block) known.Remove(hashes[block]);
        hashes[block] = 0;
        Use(block, into);
        return true;
    }

    /// <summary>The block is full: whoever begins alike may use it too.</summary>
    public void Seal(int block, ulong hash)
    {
        if (!caches) return;
        hashes[block] = hash;
        known.TryAdd(hash, block);
    }

    /// <summary>The end of a sequence: its last block is given up first, so that common beginnings stay longest.</summary>
    public void Release(List<int> blocks)
    {
        for (var i = blocks.Count - 1; i >= 0; i--)
        {
            if (--users[blocks[i]] > 0) continue;
            Used--;
            AddFree(blocks[i]);
        }

        blocks.Clear();
    }

    /// <summary>Forgets all content that no sequence uses.</summary>
    public void Forget()
    {
        for (var block = oldest; block != None; block = next[block])
        {
            if (hashes[block] != 0 && known.TryGetValue(hashes[block], out var holder) && holder == block) known.Remove(hashes[block]);
            hashes[block] = 0;
        }
    }

    private void Use(int block, List<int> into)
    {
        if (users[block]++ == 0)
        {
            Used++;
            RemoveFree(block);
        }

        into.Add(block);
    }

    private void AddFree(int block)
    {
        previous[block] = newest;
        next[block] = None;
        if (newest == None) oldest = block;
        else next[newest] = block;
        newest = block;
    }

    private void RemoveFree(int block)
    {
        if (previous[block] == None) oldest = next[block];
        else next[previous[block]] = next[block];
        if (next[block] == None) newest = previous[block];
        else previous[next[block]] = previous[block];
    }
}
