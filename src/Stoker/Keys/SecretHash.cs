using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Stoker.Keys;

/// <summary>
/// SHA-256 of a secret, which is all that is kept of it. A fast hash is right here: against guessing, a slow one helps a password of 30 bits, and a key
/// has 256 random ones; declared keys have to be long for the same reason. It is asked on every request.
/// Comparing takes the same time whatever differs. That the table finds its bucket by some bits of the hash tells an attacker nothing: nobody can
/// choose a secret by the bits of its hash.
/// </summary>
internal readonly struct SecretHash : IEquatable<SecretHash>
{
    public const int Bytes = 32;

    private readonly ulong _a, _b, _c, _d;

    private SecretHash(ReadOnlySpan<byte> hash)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(hash);
        (_a, _b, _c, _d) = (words[0], words[1], words[2], words[3]);
    }

    /// <summary>Allocates nothing.</summary>
    public static SecretHash Of(ReadOnlySpan<byte> secret)
    {
        Span<byte> hash = stackalloc byte[Bytes];
        SHA256.HashData(secret, hash);
        return new SecretHash(hash);
    }

    public static SecretHash Of(string secret) => Of(Encoding.UTF8.GetBytes(secret));

    /// <summary>One that was kept.</summary>
    public static SecretHash From(ReadOnlySpan<byte> hash) =>
        hash.Length == Bytes ? new SecretHash(hash) : throw new ArgumentException($"a hash of {hash.Length} bytes", nameof(hash));

    public void CopyTo(Span<byte> into)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(into);
        (words[0], words[1], words[2], words[3]) = (_a, _b, _c, _d);
    }

    public bool Equals(SecretHash other) => ((_a ^ other._a) | (_b ^ other._b) | (_c ^ other._c) | (_d ^ other._d)) == 0;

    public override bool Equals(object? obj) => obj is SecretHash other && Equals(other);

    public override int GetHashCode() => (int)_a;
}
