using System.Security.Cryptography;
using System.Text;

namespace Stoker.Planning;

/// <summary>
/// Whether a file of host keys has one for a host. A line: <c>[@cert-authority|@revoked] NAMES TYPE KEY</c>, names with commas, <c>*</c> and <c>?</c>, <c>!</c> for "but not",
/// <c>[host]:port</c> for ports other than 22, or hashed: <c>|1|SALT|HMAC-SHA1</c>. Pure.
/// </summary>
internal static class KnownHosts
{
    private const int SaltSize = 20;

    public static bool Has(string text, string host, int port)
    {
        var name = (port == 22 ? host : $"[{host}]:{port}").ToLowerInvariant();
        return text.Split('\n').Any(line => IsFor(line.Trim(), name));
    }

    private static bool IsFor(string line, string name)
    {
        if (line.Length == 0 || line[0] == '#' || line.StartsWith("@revoked", StringComparison.Ordinal)) return false;
        var words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        var names = words[0] == "@cert-authority" ? words.ElementAtOrDefault(1) : words[0];
        if (names is null || words.Length < 3) return false;
        if (names.StartsWith("|1|", StringComparison.Ordinal)) return IsHashOf(names, name);
        var patterns = names.ToLowerInvariant().Split(',');
        return patterns.Any(pattern => Matches(pattern, name)) && !patterns.Any(pattern => pattern is ['!', ..] && Matches(pattern.AsSpan(1), name));
    }

    private static bool IsHashOf(string hashed, string name)
    {
        if (hashed.Split('|') is not ["", "1", var salt, var hash]) return false;
        var key = new byte[SaltSize];
        return Convert.TryFromBase64String(salt, key, out var length) && Convert.ToBase64String(Hash(key.AsSpan(0, length), name)) == hash;
    }

    // The format is OpenSSH's; the hash hides names, and protects nothing.
    private static byte[] Hash(ReadOnlySpan<byte> salt, string name) => CryptographicOperations.HmacData(HashAlgorithmName.SHA1, salt, Encoding.UTF8.GetBytes(name));

    private static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        if (pattern.IsEmpty) return name.IsEmpty;
        if (pattern[0] != '*') return !name.IsEmpty && (pattern[0] == '?' || pattern[0] == name[0]) && Matches(pattern[1..], name[1..]);
        for (var i = 0; i <= name.Length; i++)
        {
            if (Matches(pattern[1..], name[i..])) return true;
        }

        return false;
    }
}
