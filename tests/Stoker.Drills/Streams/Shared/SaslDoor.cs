using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Stoker.Drills.Streams.Shared;

/// <summary>
/// SASL as brokers ask for it (KIP-43, KIP-152: SaslHandshake and SaslAuthenticate, with PLAIN of RFC 4616 or SCRAM of RFC 5802), before a cluster that has none. What the cluster
/// says of its versions gets these two besides; until the client has proven itself nothing else is passed on.
/// </summary>
internal sealed class SaslDoor(string user, string password)
{
    private const int Handshake = 17, ApiVersions = 18, Authenticate = 36, Rounds = 4096;

    private const short Unsupported = 33, Failed = 58;

    private static readonly string[] Mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

    private readonly Lock _access = new();
    private readonly Dictionary<string, int> _proven = [];

    /// <summary>How many connections were proven by a mechanism.</summary>
    public int Proven(string mechanism)
    {
        lock (_access) return _proven.GetValueOrDefault(mechanism);
    }

    /// <returns>False: the client has not proven itself, and was told.</returns>
    /// <exception cref="IOException">One of both has ended the connection.</exception>
    public async Task<bool> LetInAsync(Stream client, Stream cluster, CancellationToken stop)
    {
        var mechanism = "";
        Scram? scram = null;
        while (true)
        {
            var request = await ReadAsync(client, stop);
            var (key, version, number) = (BinaryPrimitives.ReadInt16BigEndian(request), BinaryPrimitives.ReadInt16BigEndian(request.AsSpan(2)), request[4..8]);
            var body = request.AsMemory(10 + Math.Max((short)0, BinaryPrimitives.ReadInt16BigEndian(request.AsSpan(8))));
            switch (key)
            {
                case ApiVersions:
                    await WriteAsync(cluster, request, stop);
                    await WriteAsync(client, WithSasl(await ReadAsync(cluster, stop), version), stop);
                    break;
                case Handshake:
                    mechanism = Encoding.UTF8.GetString(body.Span[2..]);
                    var isKnown = Mechanisms.Contains(mechanism);
                    if (isKnown && mechanism != "PLAIN") scram = new Scram(mechanism.EndsWith("256", StringComparison.Ordinal) ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA512, user, password);
                    await WriteAsync(client, [.. number, .. Int16(isKnown ? (short)0 : Unsupported), .. Int32(Mechanisms.Length), .. Mechanisms.SelectMany(Text)], stop);
                    if (!isKnown) return false;
                    break;
                case Authenticate:
                    var said = Encoding.UTF8.GetString(body.Span[4..]);
                    var (answer, isEnd) = scram is null ? (said == $"\0{user}\0{password}" ? "" : null, true) : scram.Answer(said);
                    byte[] outcome = answer is null ? [.. Int16(Failed), .. Text("Authentication failed"), .. Int32(0)] : [.. Int16(0), .. Int16(-1), .. Int32(answer.Length), .. Encoding.ASCII.GetBytes(answer)];
                    await WriteAsync(client, [.. number, .. outcome, .. version > 0 ? new byte[8] : []], stop);
                    if (answer is null) return false;
                    if (!isEnd) break;
                    lock (_access) _proven[mechanism] = _proven.GetValueOrDefault(mechanism) + 1;
                    return true;
                default:
                    return false;
            }
        }
    }

    /// <summary>An answer to ApiVersions with two more: an array of (key, least, most), which from version 3 on is compact and has tags.</summary>
    private static byte[] WithSasl(byte[] answer, short version)
    {
        const int array = 6;
        (short Key, short Most)[] more = [(Handshake, 1), (Authenticate, 1)];
        // A version that the cluster does not have is answered in the form of version 0.
        var isOld = version < 3 || BinaryPrimitives.ReadInt16BigEndian(answer.AsSpan(4)) != 0;
        byte[] entries = [.. more.SelectMany(each => (byte[])[.. Int16(each.Key), .. Int16(0), .. Int16(each.Most), .. isOld ? [] : new byte[1]])];
        if (!isOld)
        {
            // One byte, or two: there are fewer than 16,383.
            var (count, length) = answer[array] < 128 ? (answer[array], 1) : ((answer[array] & 127) | (answer[array + 1] << 7), 2);
            count += more.Length;
            byte[] size = count < 128 ? [(byte)count] : [(byte)(count | 128), (byte)(count >> 7)];
            return [.. answer[..array], .. size, .. entries, .. answer[(array + length)..]];
        }

        var known = BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(array));
        return [.. answer[..array], .. Int32(known + more.Length), .. entries, .. answer[(array + 4)..]];
    }

    private static async Task<byte[]> ReadAsync(Stream from, CancellationToken stop)
    {
        var head = new byte[4];
        await from.ReadExactlyAsync(head, stop);
        var message = new byte[BinaryPrimitives.ReadInt32BigEndian(head)];
        await from.ReadExactlyAsync(message, stop);
        return message;
    }

    private static async Task WriteAsync(Stream to, byte[] message, CancellationToken stop)
    {
        await to.WriteAsync((byte[])[.. Int32(message.Length), .. message], stop);
        await to.FlushAsync(stop);
    }

    private static byte[] Int16(short value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Int32(int value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    private static byte[] Text(string text) => [.. Int16((short)text.Length), .. Encoding.UTF8.GetBytes(text)];

    private sealed class Scram(HashAlgorithmName hash, string user, string password)
    {
        private readonly string _salt = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        private string _first = "";
        private string _nonce = "";

        /// <returns>What is answered, null: it is refused; and whether that is all.</returns>
        public (string? Answer, bool IsEnd) Answer(string said)
        {
            if (_first.Length == 0)
            {
                var bare = said[3..];
                var asked = Part(bare, 'n');
                _nonce = Part(bare, 'r') + Convert.ToHexString(RandomNumberGenerator.GetBytes(8));
                var answer = $"r={_nonce},s={_salt},i={Rounds}";
                _first = $"{bare},{answer}";
                return said.StartsWith("n,,", StringComparison.Ordinal) && asked == user ? (answer, false) : (null, true);
            }

            var unproven = said[..said.LastIndexOf(",p=", StringComparison.Ordinal)];
            var whole = Encoding.UTF8.GetBytes($"{_first},{unproven}");
            var length = hash == HashAlgorithmName.SHA256 ? 32 : 64;
            var salted = Rfc2898DeriveBytes.Pbkdf2(password, Convert.FromBase64String(_salt), Rounds, hash, length);
            var own = CryptographicOperations.HmacData(hash, salted, "Client Key"u8);
            var signature = CryptographicOperations.HmacData(hash, CryptographicOperations.HashData(hash, own), whole);
            var proof = Convert.FromBase64String(Part(said, 'p'));
            // As Kafka's own server looks at it: librdkafka before 2.6.1 puts its own nonce before the whole one once more (issue 4895 there).
            var isRight = Part(said, 'r').EndsWith(_nonce, StringComparison.Ordinal) && proof.Length == length && proof.Zip(signature, static (a, b) => (byte)(a ^ b)).SequenceEqual(own);
            if (!isRight) return (null, true);
            return ($"v={Convert.ToBase64String(CryptographicOperations.HmacData(hash, CryptographicOperations.HmacData(hash, salted, "Server Key"u8), whole))}", true);
        }

        private static string Part(string text, char name) => text.Split(',').First(part => part.StartsWith($"{name}=", StringComparison.Ordinal))[2..];
    }
}
