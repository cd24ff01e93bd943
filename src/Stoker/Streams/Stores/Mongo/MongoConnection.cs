using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Stoker.Platform;

namespace Stoker.Streams.Stores.Mongo;

/// <summary>An answer that says no.</summary>
internal sealed class MongoRefusedException(long code, string words) : Exception($"{words} (code {code.ToString(CultureInfo.InvariantCulture)})")
{
    public long Code => code;
}

/// <summary>The one connection of a store: made when it is needed, with hello and authentication, to the primary; given up when it fails.</summary>
internal sealed class MongoConnection(StoreSpec spec, TimeProvider time) : IDisposable
{
    /// <summary>What every engine takes, where it does not say so itself.</summary>
    private const int DefaultLargest = 16 * 1024 * 1024;

    private readonly BackOff _backOff = new(time);
    private MongoWire? _wire;

    /// <summary>Counted up with every connection.</summary>
    public int Number { get; private set; }

    /// <summary>Bytes of one document.</summary>
    public int Largest { get; private set; } = DefaultLargest;

    /// <summary>It was given up; the next to connect makes another.</summary>
    public bool IsGone => _wire is null;

    private StoreAddress Address => spec.Address;

    /// <exception cref="StoreUnavailableException">It cannot be had now.</exception>
    public async Task ConnectAsync(CancellationToken cancellation)
    {
        if (_wire is not null) return;
        await _backOff.WaitAsync(cancellation);
        using var patience = Patience(cancellation);
        try
        {
            var hello = await GreetAsync(Address.Host, Address.Port, patience.Token);
            if (!IsPrimary(hello))
            {
                var primary = hello.Text("primary").Split(':');
                if (primary.Length != 2 || !int.TryParse(primary[1], CultureInfo.InvariantCulture, out var port)) throw new StoreUnavailableException($"{Address}: it has no primary now");
                GiveUp();
                hello = await GreetAsync(primary[0], port, patience.Token);
                if (!IsPrimary(hello)) throw new StoreUnavailableException($"{Address}: its primary is changing");
            }

            if (hello.Whole("maxBsonObjectSize") is > 0 and var largest) Largest = (int)largest;
            if (Address.User is { } user) await AuthenticateAsync(user, hello, patience.Token);
            _backOff.Worked();
            Number++;
        }
        catch (Exception failed)
        {
            _backOff.Failed();
            GiveUp();
            if (failed is StoreUnavailableException || failed is OperationCanceledException && cancellation.IsCancellationRequested) throw;
            if (failed is not OperationCanceledException && !IsBroken(failed) && failed is not (MongoRefusedException or AuthenticationException)) throw;
            throw new StoreUnavailableException($"{Address}: {InWords(failed)}", failed);
        }
    }

    /// <summary>Asks; throws <see cref="MongoRefusedException"/> for a no. Everything else that it throws leaves open what the server did, and the connection is gone.</summary>
    public async Task<BsonMap> AskAsync(BsonMap command, CancellationToken cancellation, string? name = null, ReadOnlyMemory<byte> documents = default, string? database = null)
    {
        using var patience = Patience(cancellation);
        try
        {
            var answer = await _wire!.AskAsync(database ?? Address.Path, command, name, documents, patience.Token);
            if (answer.Whole("ok") != 1) throw new MongoRefusedException(answer.Whole("code"), answer.Text("errmsg"));
            return answer;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            GiveUp();
            throw new IOException($"it did not answer within {spec.Patience.TotalSeconds:0} s");
        }
        catch (Exception failed) when (failed is not MongoRefusedException)
        {
            GiveUp();
            throw;
        }
    }

    public static bool IsBroken(Exception failed) => failed is IOException or SocketException or InvalidDataException;

    public static string InWords(Exception failed) => failed is OperationCanceledException ? "it does not answer" : failed.Message;

    public void GiveUp()
    {
        _wire?.Dispose();
        _wire = null;
    }

    public void Dispose() => GiveUp();

    private static bool IsPrimary(BsonMap hello) => hello["isWritablePrimary"] is true || hello["ismaster"] is true;

    private async Task<BsonMap> GreetAsync(string host, int port, CancellationToken cancellation)
    {
        _wire = await MongoWire.ConnectAsync(host, port, Address, cancellation);
        var client = new BsonMap
        {
            { "application", new BsonMap { { "name", "stoker" } } },
            { "driver", new BsonMap { { "name", "stoker" }, { "version", "1" } } },
            { "os", new BsonMap { { "type", "Linux" } } },
        };
        var hello = new BsonMap { { "hello", 1 }, { "client", client } };
        if (Address.User is { } user) hello.Add("saslSupportedMechs", $"{AuthenticationDatabase}.{user}");
        try
        {
            return await AskAsync(hello, cancellation, database: "admin");
        }
        catch (MongoRefusedException unknown) when (unknown.Code == MongoErrors.CommandNotFound)
        {
            // Engines from before 2021.
            hello[0] = new("isMaster", 1);
            return await AskAsync(hello, cancellation, database: "admin");
        }
    }

    private string AuthenticationDatabase => Address.Option("authSource") ?? Address.Path;

    private async Task AuthenticateAsync(string user, BsonMap hello, CancellationToken cancellation)
    {
        var known = (hello["saslSupportedMechs"] as List<object?> ?? []).OfType<string>().ToList();
        var mechanism = Address.Option("authMechanism") ?? (known.Contains(Scram.Sha256) ? Scram.Sha256 : Scram.Sha1);
        if (mechanism is not (Scram.Sha256 or Scram.Sha1)) throw new StoreUnavailableException($"{Address}: `authMechanism={mechanism}` is not known; known are {Scram.Sha256} and {Scram.Sha1}");
        var scram = new Scram(mechanism, user, spec.Password?.Invoke() ?? "");
        var database = AuthenticationDatabase;
        var start = new BsonMap
        {
            { "saslStart", 1 },
            { "mechanism", mechanism },
            { "payload", Encoding.UTF8.GetBytes(scram.First) },
            { "options", new BsonMap { { "skipEmptyExchange", true } } },
        };
        var first = await AskAsync(start, cancellation, database: database);
        var last = await ContinueAsync(first, scram.Answer(Payload(first)));
        if (!scram.IsTrue(Payload(last))) throw new StoreUnavailableException($"{Address}: the server does not know the password that it should check");
        if (last["done"] is not true) _ = await ContinueAsync(last, "");

        Task<BsonMap> ContinueAsync(BsonMap before, string payload) =>
            AskAsync(new BsonMap { { "saslContinue", 1 }, { "conversationId", before["conversationId"] }, { "payload", Encoding.UTF8.GetBytes(payload) } }, cancellation, database: database);
    }

    private static string Payload(BsonMap answer) => answer["payload"] is byte[] bytes ? Encoding.UTF8.GetString(bytes) : "";

    private CancellationTokenSource Patience(CancellationToken cancellation)
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(spec.Patience);
        return patience;
    }
}
