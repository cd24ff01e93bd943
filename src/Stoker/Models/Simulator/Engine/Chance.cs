using System.Text;

namespace Stoker.Models.Simulator.Engine;

/// <summary>Chance that is decided by its seed: splitmix64, so that the same request has the same answer on every machine.</summary>
internal struct Chance(ulong seed)
{
    private ulong _state = seed;

    public static ulong Hash(ReadOnlySpan<char> text)
    {
        var hash = 14695981039346656037ul;
        foreach (var c in text) hash = (hash ^ c) * 1099511628211ul;
        return Mix(hash);
    }

    public static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        var hash = 14695981039346656037ul;
        foreach (var b in bytes) hash = (hash ^ b) * 1099511628211ul;
        return Mix(hash);
    }

    public static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ul;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebul;
        return x ^ (x >> 31);
    }

    public ulong Next() => Mix(_state += 0x9e3779b97f4a7c15ul);

    /// <summary>At least 0 and less than the bound.</summary>
    public int Next(int bound) => (int)(Next() % (ulong)bound);

    /// <summary>At least 0 and less than 1.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1ul << 53));

    public T Pick<T>(ReadOnlySpan<T> of) => of[Next(of.Length)];

    public string Letters(int count)
    {
        var text = new StringBuilder(count);
        for (var i = 0; i < count; i++) text.Append("0123456789abcdef"[Next(16)]);
        return text.ToString();
    }
}
