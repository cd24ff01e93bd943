using System.Security.Cryptography;
using System.Text;
using Stoker.Streams.Stores.Mongo;

namespace Stoker.Tests.Streams.Stores.Wire;

/// <summary>The server's half of SCRAM, for one account.</summary>
internal sealed class ScramServer((string User, string Password)? account)
{
    private const int Rounds = 4096;

    private static readonly byte[] Salt = [.. Enumerable.Range(1, 16).Select(n => (byte)n)];

    private HashAlgorithmName _hash;
    private string _bare = "", _first = "";

    public bool IsDone { get; private set; } = account is null;

    public BsonMap Answer(BsonMap command)
    {
        var payload = Encoding.UTF8.GetString((byte[])command["payload"]!);
        if (command[0].Key == "saslStart")
        {
            _hash = command.Text("mechanism") == "SCRAM-SHA-256" ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1;
            _bare = payload["n,,".Length..];
            _first = $"r={_bare[(_bare.IndexOf(",r=", StringComparison.Ordinal) + 3)..]}server,s={Convert.ToBase64String(Salt)},i={Rounds}";
            return Step(_first, isDone: false);
        }

        return IsDone ? Step("", isDone: true) : Final(payload);
    }

    private BsonMap Final(string payload)
    {
        var at = payload.LastIndexOf(",p=", StringComparison.Ordinal);
        var (user, password) = account!.Value;
        var isSha1 = _hash == HashAlgorithmName.SHA1;
        var secret = isSha1 ? Convert.ToHexStringLower(CryptographicOperations.HashData(HashAlgorithmName.MD5, Encoding.UTF8.GetBytes($"{user}:mongo:{password}"))) : password;
        var salted = Rfc2898DeriveBytes.Pbkdf2(secret, Salt, Rounds, _hash, isSha1 ? 20 : 32);
        var message = Encoding.UTF8.GetBytes($"{_bare},{_first},{payload[..at]}");
        var clientKey = CryptographicOperations.HmacData(_hash, salted, "Client Key"u8);
        var signature = CryptographicOperations.HmacData(_hash, CryptographicOperations.HashData(_hash, clientKey), message);
        var proof = Convert.ToBase64String(clientKey.Zip(signature, (a, b) => (byte)(a ^ b)).ToArray());
        if (!_bare.StartsWith($"n={user},", StringComparison.Ordinal) || proof != payload[(at + 3)..]) return MongoCommands.Error(18, "Authentication failed.");
        IsDone = true;
        return Step($"v={Convert.ToBase64String(CryptographicOperations.HmacData(_hash, CryptographicOperations.HmacData(_hash, salted, "Server Key"u8), message))}", isDone: true);
    }

    private static BsonMap Step(string payload, bool isDone) =>
        new() { { "conversationId", 1 }, { "done", isDone }, { "payload", Encoding.UTF8.GetBytes(payload) }, { "ok", 1.0 } };
}
