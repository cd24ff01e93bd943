using System.Text;

namespace Stoker.Streams.Extraction.Embedding;

/// <summary>A vector that features are added to: each has a place and a sign by its hash (FNV-1a), so that any number of them fits.</summary>
internal sealed class HashedVector(int dimension)
{
    private readonly double[] _sums = new double[dimension];

    public void Add(ReadOnlySpan<char> feature, double weight)
    {
        Span<byte> bytes = stackalloc byte[256];
        var length = Encoding.UTF8.TryGetBytes(feature, bytes, out var written) ? written : bytes.Length;
        Add(Hash(bytes[..length]), weight);
    }

    public void Add(ulong hash, double weight) => _sums[hash % (ulong)dimension] += (hash >> 63) == 0 ? weight : -weight;

    /// <summary>Of length 1; null: it is zero.</summary>
    public float[]? Normalised()
    {
        var length = Math.Sqrt(_sums.Sum(sum => sum * sum));
        return length > 0 ? [.. _sums.Select(sum => (float)(sum / length))] : null;
    }

    /// <summary>FNV-1a, with its high bits mixed in.</summary>
    public static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        var hash = 14695981039346656037;
        foreach (var each in bytes) hash = (hash ^ each) * 1099511628211;
        hash ^= hash >> 33;
        hash *= 0xff51afd7ed558ccd;
        return hash ^ (hash >> 33);
    }
}
