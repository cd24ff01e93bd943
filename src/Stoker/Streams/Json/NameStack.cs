using System.Runtime.InteropServices;

namespace Stoker.Streams.Json;

/// <summary>
/// The names of all objects that are open, innermost last, to find a name that stands twice. Hashes are compared many at once; the seed
/// differs from process to process, so that nobody can make names that collide.
/// </summary>
internal sealed class NameStack
{
    private static readonly ulong s_seed = ((ulong)(uint)HashCode.Combine(1) << 32) | (uint)HashCode.Combine(2) | 1;

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
        if (name.Length > 16)
        {
            var whole = default(HashCode);
            whole.AddBytes(name);
            return (uint)whole.ToHashCode();
        }

        var (low, high) = name.Length >= 8
            ? (MemoryMarshal.Read<ulong>(name), MemoryMarshal.Read<ulong>(name[^8..]))
            : (Few(name), (ulong)name.Length);
        var mixed = Math.BigMul(low ^ s_seed, (high + (ulong)name.Length) ^ (s_seed >> 7), out var below);
        return (uint)((mixed ^ below) * 0x9e3779b97f4a7c15UL >> 32);
    }

    private static ulong Few(ReadOnlySpan<byte> name)
    {
        ulong value = 0;
        foreach (var letter in name) value = (value << 8) | letter;
        return value;
    }

    private void Grow()
    {
        Array.Resize(ref _hashes, Count * 2);
        Array.Resize(ref _tokens, Count * 2);
    }
}
