namespace Stoker.Planning;

/// <summary>
/// FNV-1a: tells that a text has changed, against nobody who means harm. The framework's own hashes for that load OpenSSL, which is
/// 6 MiB of a daemon that needs it for nothing else.
/// </summary>
internal static class Fnv
{
    private const ulong Basis = 0xcbf29ce484222325;
    private const ulong Prime = 0x100000001b3;

    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        var hash = Basis;
        foreach (var each in bytes) hash = unchecked((hash ^ each) * Prime);
        return hash;
    }
}
