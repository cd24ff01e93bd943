namespace Stoker.Models.Simulator.Engine;

/// <summary>
/// The blocks of a KV cache, as a paged engine keeps them: each holds the keys of so many tokens, is shared by sequences with the same
/// beginning, and is kept after its last use until its place is needed, the least recently used first. Not thread-safe.
/// </summary>
internal sealed class BlockPool
{
    private const int None = -1;

    private readonly bool _caches;
    private readonly ulong[] _hashes;
    private readonly int[] _users, _next, _previous;
    private readonly Dictionary<ulong, int> _known = [];
    private int _oldest = None, _newest = None;

    /// <param name="size">Tokens in a block.</param>
    public BlockPool(int count, int size, bool caches)
    {
        Size = size;
        _caches = caches;
        _hashes = new ulong[count];
        _users = new int[count];
        _next = new int[count];
        _previous = new int[count];
        for (var block = 0; block < count; block++) AddFree(block);
    }

    public int Size { get; }

    public int Count => _hashes.Length;

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
        while (_caches && hits < most && _known.TryGetValue(full[hits], out var block))
        {
            if (_users[block] == 0) revived++;
            hits++;
        }

        if (Count - Used - revived < total - hits) return -1;
        for (var i = 0; i < hits; i++) Use(_known[full[i]], into);
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
        if (_oldest == None) return false;
        var block = _oldest;
        if (_hashes[block] != 0 && _known.TryGetValue(_hashes[block], out var holder) && holder == block) _known.Remove(_hashes[block]);
        _hashes[block] = 0;
        Use(block, into);
        return true;
    }

    /// <summary>The block is full: whoever begins alike may use it too.</summary>
    public void Seal(int block, ulong hash)
    {
        if (!_caches) return;
        _hashes[block] = hash;
        _known.TryAdd(hash, block);
    }

    /// <summary>The end of a sequence: its last block is given up first, so that common beginnings stay longest.</summary>
    public void Release(List<int> blocks)
    {
        for (var i = blocks.Count - 1; i >= 0; i--)
        {
            if (--_users[blocks[i]] > 0) continue;
            Used--;
            AddFree(blocks[i]);
        }

        blocks.Clear();
    }

    /// <summary>Forgets all content that no sequence uses.</summary>
    public void Forget()
    {
        for (var block = _oldest; block != None; block = _next[block])
        {
            if (_hashes[block] != 0 && _known.TryGetValue(_hashes[block], out var holder) && holder == block) _known.Remove(_hashes[block]);
            _hashes[block] = 0;
        }
    }

    private void Use(int block, List<int> into)
    {
        if (_users[block]++ == 0)
        {
            Used++;
            RemoveFree(block);
        }

        into.Add(block);
    }

    private void AddFree(int block)
    {
        _previous[block] = _newest;
        _next[block] = None;
        if (_newest == None) _oldest = block;
        else _next[_newest] = block;
        _newest = block;
    }

    private void RemoveFree(int block)
    {
        if (_previous[block] == None) _oldest = _next[block];
        else _next[_previous[block]] = _next[block];
        if (_next[block] == None) _newest = _previous[block];
        else _previous[_next[block]] = _previous[block];
    }
}
