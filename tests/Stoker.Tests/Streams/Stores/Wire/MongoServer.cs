using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Stoker.Streams.Stores.Mongo;

namespace Stoker.Tests.Streams.Stores.Wire;

/// <summary>
/// A server that speaks MongoDB's protocol over memory, as far as stores and drivers need it: OP_MSG, hello, SCRAM, updates in bulk, finding, indexes. Can be away, lose the
/// answer to a command, refuse documents.
/// </summary>
internal sealed class MongoServer : IDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _end = new();
    private readonly List<TcpClient> _open = [];
    private readonly MongoCommands _commands = new();

    public MongoServer(int port = 0)
    {
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Who may ask; null: everybody.</summary>
    public (string User, string Password)? Account { get; init; }

    public X509Certificate2? Certificate { get; init; }

    /// <summary>What hello says of the primary, where this is not it.</summary>
    public string? Primary { get; init; }

    public int MaxDocument { get; init; } = 16 * 1024 * 1024;

    /// <summary>The first word of a command that is done, and whose answer does not arrive.</summary>
    public string? CutsAnswerTo { get; set; }

    /// <summary>The error that every command of this first word gets instead of being done.</summary>
    public (string Command, int Code, string Words)? Fails { get; set; }

    public bool RefusesPoison
    {
        get => _commands.RefusesPoison;
        set => _commands.RefusesPoison = value;
    }

    public bool IsAway
    {
        get;
        set
        {
            lock (_open)
            {
                field = value;
                if (!value) return;
                foreach (var client in _open) client.Dispose();
                _open.Clear();
            }
        }
    }

    /// <summary>The longest message and the most documents in one that came.</summary>
    public (int Bytes, int Documents) Largest { get; private set; }

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        IsAway = true;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                _ = ServeAsync(client);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or SocketException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        lock (_open)
        {
            // Not after all have been cut.
            if (IsAway)
            {
                client.Dispose();
                return;
            }

            _open.Add(client);
        }

        try
        {
            using var stream = await SecureAsync(client.GetStream());
            var session = new ScramServer(Account);
            var header = new byte[MongoWire.HeaderLength];
            while (true)
            {
                await stream.ReadExactlyAsync(header, _end.Token);
                var body = new byte[BinaryPrimitives.ReadInt32LittleEndian(header) - header.Length];
                await stream.ReadExactlyAsync(body, _end.Token);
                var (number, opcode) = (BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(4)), BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(12)));
                var isLegacy = opcode == Legacy;
                if (!isLegacy && opcode != MongoWire.Opcode) throw new InvalidDataException($"opcode {opcode}");
                var command = isLegacy ? LegacyCommand(body) : Command(body);
                Largest = (Math.Max(Largest.Bytes, body.Length), Math.Max(Largest.Documents, command.Maps("updates").Count()));
                var answer = Answer(command, session);
                if (CutsAnswerTo == command[0].Key)
                {
                    CutsAnswerTo = null;
                    return;
                }

                await stream.WriteAsync(Message(number, answer, isLegacy), _end.Token);
            }
        }
        catch (Exception ended) when (ended is IOException or ObjectDisposedException or OperationCanceledException or AuthenticationException)
        {
        }
        finally
        {
            client.Dispose();
        }
    }

    private async Task<Stream> SecureAsync(Stream stream)
    {
        if (Certificate is null) return stream;
        var secured = new SslStream(stream);
        await secured.AuthenticateAsServerAsync(Certificate);
        return secured;
    }

    private BsonMap Answer(BsonMap command, ScramServer session)
    {
        var name = command[0].Key;
        if (Fails is { } failure && failure.Command == name) return MongoCommands.Error(failure.Code, failure.Words);
        return name switch
        {
            "hello" or "isMaster" or "ismaster" => Hello(command),
            "saslStart" or "saslContinue" => session.Answer(command),
            _ when !session.IsDone => MongoCommands.Error(13, $"command {name} requires authentication"),
            _ => _commands.Run(command),
        };
    }

    private BsonMap Hello(BsonMap command)
    {
        var hello = new BsonMap
        {
            { "isWritablePrimary", Primary is null }, { "ismaster", Primary is null }, { "maxBsonObjectSize", MaxDocument }, { "maxMessageSizeBytes", 48000000 },
            { "maxWriteBatchSize", 100000 }, { "localTime", DateTime.UnixEpoch }, { "minWireVersion", 0 }, { "maxWireVersion", 13 }, { "readOnly", false },
        };
        if (Primary is not null) hello.Add("primary", Primary);
        if (command["saslSupportedMechs"] is not null) hello.Add("saslSupportedMechs", new List<object?> { "SCRAM-SHA-1", "SCRAM-SHA-256" });
        return hello.With("ok", 1.0);
    }

    /// <summary>OP_QUERY, in which older drivers still say hello; answered by OP_REPLY.</summary>
    private const int Legacy = 2004, LegacyReply = 1;

    private static BsonMap LegacyCommand(byte[] body)
    {
        var reader = new BsonReader(body);
        _ = reader.Int32();
        _ = reader.CString();
        _ = reader.Int64();
        return reader.Map();
    }

    private static BsonMap Command(byte[] body)
    {
        var reader = new BsonReader(body);
        _ = reader.Int32();
        BsonMap? command = null;
        var sequences = new List<(string Name, List<object?> Documents)>();
        while (!reader.IsAtEnd)
        {
            if (reader.Byte() == 0)
            {
                command = reader.Map();
                continue;
            }

            _ = reader.Int32();
            var sequence = (reader.CString(), new List<object?>());
            while (!reader.IsAtEnd) sequence.Item2.Add(reader.Map());
            sequences.Add(sequence);
        }

        foreach (var (name, documents) in sequences) command!.Add(name, documents);
        return command!;
    }

    private static ReadOnlyMemory<byte> Message(int answered, BsonMap answer, bool isLegacy)
    {
        var message = new BsonWriter();
        message.Int32(0);
        message.Int32(1);
        message.Int32(answered);
        message.Int32(isLegacy ? LegacyReply : MongoWire.Opcode);
        message.Int32(0);
        if (isLegacy)
        {
            message.Int64(0);
            message.Int32(0);
            message.Int32(1);
        }
        else
        {
            message.Byte(0);
        }

        message.Map(answer);
        message.Patch(0, message.Length);
        return message.WrittenMemory;
    }
}
