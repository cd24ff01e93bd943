using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Stoker.Platform;

namespace Stoker.Streams.Stores.Mongo;

/// <summary>
/// OP_MSG over one connection (https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/): a message is length, number, number it answers, 2013, flags, then
/// sections: a document (0), or a name and many documents (1). One question at a time; after a failure the connection is of no use.
/// </summary>
internal sealed class MongoWire : IDisposable
{
    public const int Opcode = 2013, HeaderLength = 16, Longest = 48_000_000;

    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly BsonWriter _message = new();
    private byte[] _answer = new byte[64 * 1024];
    private int _number;

    private MongoWire(Socket socket, Stream stream) => (_socket, _stream) = (socket, stream);

    public static async Task<MongoWire> ConnectAsync(string host, int port, StoreAddress address, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(host, port, cancellation);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (address.Option("tls") != "true") return new MongoWire(socket, stream);
            var secured = new SslStream(stream);
            await secured.AuthenticateAsClientAsync(Tls(host, address.Option("tlsCAFile")), cancellation);
            return new MongoWire(socket, secured);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <param name="command">Without <c>$db</c>.</param>
    /// <param name="name">Of the documents that go with it, where there are some.</param>
    /// <param name="documents">One BSON document after the other.</param>
    public async Task<BsonMap> AskAsync(string database, BsonMap command, string? name, ReadOnlyMemory<byte> documents, CancellationToken cancellation)
    {
        Compose(database, command, name, documents.Span);
        await _stream.WriteAsync(_message.WrittenMemory, cancellation);
        await _stream.ReadExactlyAsync(_answer.AsMemory(0, HeaderLength), cancellation);
        var length = BinaryPrimitives.ReadInt32LittleEndian(_answer);
        var (answered, opcode) = (BinaryPrimitives.ReadInt32LittleEndian(_answer.AsSpan(8)), BinaryPrimitives.ReadInt32LittleEndian(_answer.AsSpan(12)));
        if (length is < HeaderLength + 5 or > Longest || answered != _number || opcode != Opcode) throw new InvalidDataException("what answers does not speak MongoDB's protocol (OP_MSG)");
        if (_answer.Length < length) Array.Resize(ref _answer, length);
        await _stream.ReadExactlyAsync(_answer.AsMemory(HeaderLength, length - HeaderLength), cancellation);
        return Answer(_answer.AsSpan(HeaderLength, length - HeaderLength));
    }

    public void Dispose()
    {
        _stream.Dispose();
        _socket.Dispose();
    }

    private static SslClientAuthenticationOptions Tls(string host, string? authorities)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = host };
        if (authorities is null) return options;
        var trusted = new X509Certificate2Collection();
        trusted.ImportFromPem(Files.ReadAllText(authorities));
        options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        options.CertificateChainPolicy.CustomTrustStore.AddRange(trusted);
        return options;
    }

    private void Compose(string database, BsonMap command, string? name, ReadOnlySpan<byte> documents)
    {
        _message.Clear();
        _message.Int32(0);
        _message.Int32(++_number);
        _message.Int32(0);
        _message.Int32(Opcode);
        _message.Int32(0);
        _message.Byte(0);
        _message.Map(new BsonMap(command).With("$db", database));
        if (name is not null)
        {
            _message.Byte(1);
            var section = _message.Length;
            _message.Int32(0);
            _message.Raw(System.Text.Encoding.ASCII.GetBytes(name));
            _message.Byte(0);
            _message.Raw(documents);
            _message.Patch(section, _message.Length - section);
        }

        _message.Patch(0, _message.Length);
    }

    // Answers have one section, of the first kind.
    private static BsonMap Answer(ReadOnlySpan<byte> body)
    {
        var reader = new BsonReader(body);
        _ = reader.Int32();
        return reader.Byte() == 0 ? reader.Map() : throw new InvalidDataException("the answer has no document");
    }
}
