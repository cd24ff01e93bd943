using System.Numerics;
using System.Runtime.InteropServices;

namespace Stoker.Streams.Stores.Queries;

internal enum VectorDistance
{
    /// <summary>1 − cosine of the angle: 0 the same direction, 1 at right angles, 2 opposite; NaN where one is all zeros.</summary>
    Cosine,

    /// <summary>The length of the difference.</summary>
    L2,
}

/// <summary>Distances of vectors, in the processor's widest steps.</summary>
internal static class VectorDistances
{
    /// <param name="bytes">Float32, little-endian; of the same dimension.</param>
    public static double Between(ReadOnlySpan<float> vector, ReadOnlySpan<byte> bytes, VectorDistance distance)
    {
        var other = MemoryMarshal.Cast<byte, float>(bytes);
        return distance == VectorDistance.Cosine ? Cosine(vector, other) : Math.Sqrt(SquaredDifference(vector, other));
    }

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Vector<float> dots = default, lefts = default, rights = default;
        var at = 0;
        for (; at <= a.Length - Vector<float>.Count; at += Vector<float>.Count)
        {
            var (left, right) = (new Vector<float>(a[at..]), new Vector<float>(b[at..]));
            dots += left * right;
            lefts += left * left;
            rights += right * right;
        }

        double dot = Vector.Sum(dots), ofLeft = Vector.Sum(lefts), ofRight = Vector.Sum(rights);
        for (; at < a.Length; at++)
        {
            dot += a[at] * b[at];
            ofLeft += a[at] * a[at];
            ofRight += b[at] * b[at];
        }

        return 1 - (dot / Math.Sqrt(ofLeft * ofRight));
    }

    private static double SquaredDifference(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Vector<float> sums = default;
        var at = 0;
        for (; at <= a.Length - Vector<float>.Count; at += Vector<float>.Count)
        {
            var difference = new Vector<float>(a[at..]) - new Vector<float>(b[at..]);
            sums += difference * difference;
        }

        double sum = Vector.Sum(sums);
        for (; at < a.Length; at++) sum += (a[at] - b[at]) * (a[at] - b[at]);
        return sum;
    }
}
