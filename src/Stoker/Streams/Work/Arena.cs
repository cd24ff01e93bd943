namespace Stoker.Streams.Work;

/// <summary>Memory that is handed out in pieces and taken back as a whole, block by block, so that what was handed out never moves.</summary>
internal sealed class Arena
{
    private const int BlockSize = 1 << 20;

    private readonly List<byte[]> _blocks = [];
    private int _block = -1;
    private int _used = BlockSize;

    public ReadOnlyMemory<byte> Keep(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return default;
        // Rare, and not worth a block that would be kept for ever.
        if (bytes.Length > BlockSize) return bytes.ToArray();
        if (BlockSize - _used < bytes.Length) Next();
        var place = _blocks[_block].AsMemory(_used, bytes.Length);
        bytes.CopyTo(place.Span);
        _used += bytes.Length;
        return place;
    }

    public void Clear() => (_block, _used) = (-1, BlockSize);

    private void Next()
    {
        if (++_block == _blocks.Count) _blocks.Add(GC.AllocateUninitializedArray<byte>(BlockSize));
        _used = 0;
    }
}
