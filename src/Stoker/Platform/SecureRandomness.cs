using System.Security.Cryptography;

namespace Stoker.Platform;

/// <summary>Chance that nobody can foresee, for keys and identifiers. Thread-safe.</summary>
internal static class SecureRandomness
{
    public static void Fill(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);
}
