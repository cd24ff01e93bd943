using System.Numerics;

namespace Stoker.Streams.Schemas;

/// <summary>Which items or properties of one value some schema has looked at; what <c>unevaluatedItems</c> and <c>-Properties</c> are about.</summary>
internal sealed class EvaluatedSet
{
    private ulong[] _bits = new ulong[1];

    public void Clear(int count)
    {
        var words = (count + 63) / 64;
        if (_bits.Length < words) _bits = new ulong[BitOperations.RoundUpToPowerOf2((uint)words)];
        else Array.Clear(_bits);
    }

    public void Mark(int index) => _bits[index >> 6] |= 1UL << (index & 63);

    public bool Has(int index) => (_bits[index >> 6] & (1UL << (index & 63))) != 0;

    /// <summary>Both are of the same value.</summary>
    public void Merge(EvaluatedSet other)
    {
        for (var i = 0; i < Math.Min(_bits.Length, other._bits.Length); i++) _bits[i] |= other._bits[i];
    }
}
