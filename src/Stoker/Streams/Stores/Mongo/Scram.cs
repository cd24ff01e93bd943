using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Stoker.Platform;

namespace Stoker.Streams.Stores.Mongo;

/// <summary>
/// The client's half of SCRAM (RFC 5802, RFC 7677): three messages, after which each side knows that the other knows the password, which is never sent.
/// <code>
/// → n,,n=user,r=OURS      ← r=OURS+THEIRS,s=SALT,i=ROUNDS      → c=biws,r=…,p=PROOF      ← v=SIGNATURE
/// </code>
/// </summary>
internal sealed class Scram
{
    public const string Sha256 = "SCRAM-SHA-256", Sha1 = "SCRAM-SHA-1";

    /// <summary>Fewer would be a server that collects passwords.</summary>
    private const int FewestRounds = 4096;

    private readonly HashAlgorithmName _hash;
    private readonly int _length;
    private readonly byte[] _password;
    private readonly string _bare, _nonce;
    private byte[] _signature = [];

    /// <param name="nonce">Chance, where no test gives one.</param>
    public Scram(string mechanism, string user, string password, string? nonce = null)
    {
        var isSha1 = mechanism == Sha1;
        (_hash, _length) = isSha1 ? (HashAlgorithmName.SHA1, SHA1.HashSizeInBytes) : (HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        _password = Encoding.UTF8.GetBytes(isSha1 ? MongoDigest(user, password) : password.Normalize(NormalizationForm.FormKC));
        _nonce = nonce ?? Nonce();
        _bare = $"n={user.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal)},r={_nonce}";
    }

    public string First => $"n,,{_bare}";

    /// <exception cref="InvalidDataException">The server does not speak it as it should.</exception>
    public string Answer(string serverFirst)
    {
        var fields = Fields(serverFirst);
        var (nonce, salt, rounds) = (fields.GetValueOrDefault('r', ""), fields.GetValueOrDefault('s', ""), fields.GetValueOrDefault('i', ""));
        if (!nonce.StartsWith(_nonce, StringComparison.Ordinal) || nonce.Length == _nonce.Length) throw new InvalidDataException("the server answers somebody else's question");
        if (!int.TryParse(rounds, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count < FewestRounds)
            throw new InvalidDataException($"the server asks for `{rounds}` rounds, fewer than {FewestRounds}");
        var salted = Rfc2898DeriveBytes.Pbkdf2(_password, Convert.FromBase64String(salt), count, _hash, _length);
        var withoutProof = $"c=biws,r={nonce}";
        var message = Encoding.UTF8.GetBytes($"{_bare},{serverFirst},{withoutProof}");
        var clientKey = Hmac(salted, "Client Key"u8);
        var proof = Hmac(CryptographicOperations.HashData(_hash, clientKey), message);
        for (var i = 0; i < proof.Length; i++) proof[i] ^= clientKey[i];
        _signature = Hmac(Hmac(salted, "Server Key"u8), message);
        return $"{withoutProof},p={Convert.ToBase64String(proof)}";
    }

    /// <summary>Whether the server knows the password too.</summary>
    public bool IsTrue(string serverFinal) =>
        Fields(serverFinal).TryGetValue('v', out var signature)
        && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(signature), Encoding.ASCII.GetBytes(Convert.ToBase64String(_signature)));

    private byte[] Hmac(byte[] key, ReadOnlySpan<byte> message) => CryptographicOperations.HmacData(_hash, key, message);

    private static Dictionary<char, string> Fields(string message) => message.Split(',').Where(field => field.Length > 1 && field[1] == '=')
        .DistinctBy(field => field[0]).ToDictionary(field => field[0], field => field[2..]);

    // What MongoDB kept before SCRAM, and what its SCRAM-SHA-1 takes for the password.
    private static string MongoDigest(string user, string password) =>
        Convert.ToHexStringLower(CryptographicOperations.HashData(HashAlgorithmName.MD5, Encoding.UTF8.GetBytes($"{user}:mongo:{password}")));

    private static string Nonce()
    {
        Span<byte> chance = stackalloc byte[24];
        SecureRandomness.Fill(chance);
        return Convert.ToBase64String(chance);
    }
}
