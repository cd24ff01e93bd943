namespace Stoker.Streams.Ingest;

/// <summary>
/// Room for what is not in the request as it is needed: texts without their escapes, decoded base64, ids that were made. Given out in pieces that
/// stay where they are until the room is used again for the next request.
/// </summary>
internal sealed class Scratch
{
    private const int Usual = 16 * 1024;

    private byte[] _room = new byte[Usual];
    private int _used;

    public void Clear() => _used = 0;

    /// <summary>A piece of this size. Where the room is too small, a new one is taken; pieces of the old one stay.</summary>
    public Memory<byte> Take(int size)
    {
        if (_room.Length - _used < size) (_room, _used) = (new byte[Math.Max(_room.Length * 2, size)], 0);
        var piece = _room.AsMemory(_used, size);
        _used += size;
        return piece;
    }

    /// <summary>Gives the end of the piece that was last taken back.</summary>
    public Memory<byte> Keep(Memory<byte> last, int size)
    {
        _used -= last.Length - size;
        return last[..size];
    }
}
