namespace Stoker.Streams.Schemas;

/// <summary>A few names, known from the beginning, found by their bytes.</summary>
internal sealed class NameTable<T> where T : class
{
    private readonly (byte[] Name, T Value)[] _slots;
    private readonly int _mask;

    public NameTable(IReadOnlyCollection<KeyValuePair<string, T>> entries)
    {
        Count = entries.Count;
        var size = 4;
        while (size < Count * 3) size *= 2;
        _slots = new (byte[], T)[size];
        _mask = size - 1;
        foreach (var (name, value) in entries)
        {
            var bytes = System.Text.Encoding.UTF8.GetBytes(name);
            var at = Slot(bytes);
            while (_slots[at].Name is not null) at = (at + 1) & _mask;
            _slots[at] = (bytes, value);
        }
    }

    public int Count { get; }

    public T? Find(ReadOnlySpan<byte> name)
    {
        for (var at = Slot(name); _slots[at].Name is { } found; at = (at + 1) & _mask)
        {
            if (name.SequenceEqual(found)) return _slots[at].Value;
        }

        return null;
    }

    private int Slot(ReadOnlySpan<byte> name)
    {
        var hash = (uint)name.Length;
        if (name.Length > 0) hash += (uint)(name[0] * 31 + name[^1] * 577 + name[name.Length / 2] * 7919);
        return (int)(hash * 2654435769u >> 16) & _mask;
    }
}
