using System.Runtime.InteropServices;

namespace Stoker.Streams.Json;

/// <summary>
/// The names of all objects that are open, innermost last, to find a name that stands twice. Hashes are compared many at once; the seed
/// differs from process to process, so that nobody can make names that collide.
/// </summary>
internal sealed class NameStack
{
    private static readonly ulong Seed = ((ulong)(uint)HashCode.Combine(1) << 32) | (uint)HashCode.Combine(2) | 1;

    private uint[] _hashes = new uint[64];
    private int[] _tokens = new int[64];

    public int Count { get; private set; }

    public void Cut(int count) => Count = count;

    /// <summary>Adds a name to the object whose names begin at <paramref name="from"/>; false: it has that name already.</summary>
    public bool Add(JsonTape tape, int token, ReadOnlySpan<byte> content, int from)
    {
        var hash = tape.IsEscaped(token) ? (uint)StringHash(tape.TextOf(token)) : Hash(content);
        var known = _hashes.AsSpan(from, Count - from);
        for (var at = known.IndexOf(hash); at >= 0;)
        {
            if (IsSame(tape, _tokens[from + at], token)) return false;
            var more = known[(at + 1)..].IndexOf(hash);
            at = more < 0 ? -1 : at + 1 + more;
        }

        if (Count == _hashes.Length) Grow();
        _hashes[Count] = hash;
        _tokens[Count++] = token;
        return true;
    }

    private static bool IsSame(JsonTape tape, int left, int right) =>
        !tape.IsEscaped(left) ? tape.Is(right, tape.Content(left))
        : !tape.IsEscaped(right) ? tape.Is(left, tape.Content(right))
        : tape.TextOf(left) == tape.TextOf(right);

    private static uint StringHash(string text) => Hash(System.Text.Encoding.UTF8.GetBytes(text));

    private static uint Hash(ReadOnlySpan<byte> name)
    {
        var hash = Seed ^ ((ulong)name.Length << 56);
        if (name.Length >= 8)
        {
            for (var at = 0; at < name.Length - 8; at += 8) hash = Mix(hash ^ MemoryMarshal.Read<ulong>(name[at..]));
            hash = Mix(hash ^ MemoryMarshal.Read<ulong>(name[^8..]));
        }
        else if (name.Length >= 4)
        {
            hash = Mix(hash ^ MemoryMarshal.Read<uint>(name) ^ ((ulong)MemoryMarshal.Read<uint>(name[^4..]) << 24));
        }
        else if (name.Length > 0)
        {
            hash = Mix(hash ^ name[0] ^ ((ulong)name[name.Length / 2] << 8) ^ ((ulong)name[^1] << 16));
        }

        return (uint)hash;
    }

    private static ulong Mix(ulong value)
    {
        var high = Math.BigMul(value, Seed, out var low);
        return high ^ low;
    }

    private void Grow()
    {
        Array.Resize(ref _hashes, Count * 2);
        Array.Resize(ref _tokens, Count * 2);
    }
}
