using System.Numerics;
using System.Text;

namespace Stoker.Keys;

/// <summary>What a secret looks like, before anyone has looked it up.</summary>
internal enum SecretForm
{
    /// <summary>As this program makes them, complete and unchanged.</summary>
    Ours,

    /// <summary>Begins as ours do and is not one: cut short, or a character is wrong.</summary>
    Mistyped,

    /// <summary>Another program's, or one that the owner declared.</summary>
    Foreign,
}

/// <summary>
/// The text of a key: <c>sk-stoker-</c>, 43 characters that carry 256 random bits, 6 that check the rest. <c>sk-</c> is what OpenAI's clients and
/// secret scanners expect; the checksum (CRC-32C) tells a slip of the copying hand from a key that nobody knows.
/// </summary>
internal static class SecretText
{
    public const string Prefix = "sk-stoker-";

    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int RandomBytes = 32, BodyLength = 43, CheckLength = 6;

    public static int Length => Prefix.Length + BodyLength + CheckLength;

    /// <param name="fill">Cryptographic chance.</param>
    public static string Make(SecretSource fill)
    {
        Span<byte> random = stackalloc byte[RandomBytes];
        fill(random);
        var text = Prefix + Encode(new BigInteger(random, isUnsigned: true, isBigEndian: true), BodyLength);
        random.Clear();
        return text + Encode(Checksum(Encoding.ASCII.GetBytes(text)), CheckLength);
    }

    public static KeyId MakeId(SecretSource fill)
    {
        Span<byte> random = stackalloc byte[12];
        fill(random);
        return new KeyId("key_" + Encode(new BigInteger(random, isUnsigned: true, isBigEndian: true), 16));
    }

    public static SecretForm Judge(ReadOnlySpan<byte> secret)
    {
        if (!secret.StartsWith("sk-stoker-"u8)) return SecretForm.Foreign;
        if (secret.Length != Length) return SecretForm.Mistyped;
        long check = 0;
        foreach (var character in secret[^CheckLength..])
        {
            var digit = Digits.IndexOf((char)character, StringComparison.Ordinal);
            if (digit < 0) return SecretForm.Mistyped;
            check = (check * 62) + digit;
        }

        return check == Checksum(secret[..^CheckLength]) ? SecretForm.Ours : SecretForm.Mistyped;
    }

    /// <summary>As it may stand in a message: enough to know one's own key by, nothing to use it with.</summary>
    public static string Masked(ReadOnlySpan<byte> secret)
    {
        if (secret.Length < 16) return "***";
        var begin = secret.StartsWith("sk-stoker-"u8) ? Prefix.Length : 3;
        return $"{Printable(secret[..begin])}***{Printable(secret[^4..])}";
    }

    private static string Printable(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (var each in bytes) text.Append(each is > 0x20 and < 0x7F ? (char)each : '?');
        return text.ToString();
    }

    private static uint Checksum(ReadOnlySpan<byte> text)
    {
        var sum = uint.MaxValue;
        foreach (var each in text) sum = BitOperations.Crc32C(sum, each);
        return ~sum;
    }

    private static string Encode(BigInteger number, int length) => string.Create(length, number, static (text, rest) =>
    {
        for (var i = text.Length - 1; i >= 0; i--)
        {
            rest = BigInteger.DivRem(rest, 62, out var digit);
            text[i] = Digits[(int)digit];
        }
    });
}

/// <summary>Fills with chance that nobody can foresee.</summary>
internal delegate void SecretSource(Span<byte> bytes);
