using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Engine;

/// <summary>One request in the engine: its tokens, its blocks, and where it stands.</summary>
internal sealed class Sequence
{
    private readonly int _blockSize;
    private readonly List<ulong> _chain = [];
    private readonly List<uint> _open = [];

    public Sequence(Pause pause, List<uint> prompt, int blockSize)
    {
        _blockSize = blockSize;
        Pause = pause;
        PromptTokens = prompt.Count;
        Add(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(prompt));
    }

    public Pause Pause { get; }

    public int PromptTokens { get; }

    /// <summary>Tokens of prompt and answer so far.</summary>
    public int Tokens { get; private set; }

    public List<int> Blocks { get; } = [];

    /// <summary>Hashes of the blocks that are full.</summary>
    public ReadOnlySpan<ulong> Chain => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_chain);

    public int BlocksNeeded => (Tokens + _blockSize - 1) / _blockSize;

    /// <summary>Tokens of the prompt that the prefix cache had when it was admitted.</summary>
    public int CachedTokens { get; set; }

    /// <summary>Its blocks were taken for another; it has to be admitted again.</summary>
    public bool IsPreempted { get; set; }

    /// <summary>Where it waits, null while it does not.</summary>
    public LinkedListNode<Sequence>? Place { get; set; }

    /// <summary>The wait for its admission.</summary>
    public short Wait { get; set; }

    public void Add(ReadOnlySpan<uint> tokens)
    {
        Tokens += tokens.Length;
        while (tokens.Length > 0)
        {
            var part = Math.Min(tokens.Length, _blockSize - _open.Count);
            _open.AddRange(tokens[..part]);
            tokens = tokens[part..];
            if (_open.Count < _blockSize) return;
            _chain.Add(BlockPool.Chain(_chain.Count == 0 ? 0 : _chain[^1], System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_open)));
            _open.Clear();
        }
    }
}
