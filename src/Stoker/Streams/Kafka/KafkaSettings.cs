using Confluent.Kafka;

namespace Stoker.Streams.Kafka;

/// <summary>What the client is told. Pure.</summary>
/// <param name="Stream">Its name; also the consumer group's, unless the address has one.</param>
/// <param name="Password">Null: none is needed.</param>
internal sealed record KafkaSettings(KafkaAddress Address, string Stream, string? Password)
{
    /// <summary>How long an event may wait for its acknowledgement: less than producers wait for their answer.</summary>
    public static readonly TimeSpan DeliveryTime = TimeSpan.FromSeconds(15);

    /// <summary>How long a process may be silent until its partitions are another's.</summary>
    public static readonly TimeSpan SessionTime = TimeSpan.FromSeconds(10);

    /// <summary>How often the library tells its numbers.</summary>
    public static readonly TimeSpan StatisticsEvery = TimeSpan.FromSeconds(5);

    public string Group => Address.Option("group") ?? Stream;

    /// <summary>A message has at most this, with its headers; what the broker takes may be less.</summary>
    private const int MostMessage = 80 << 20;

    public ProducerConfig Producer() => new(Client())
    {
        EnableIdempotence = true,
        Acks = Acks.All,
        MaxInFlight = 5,
        LingerMs = 2,
        MessageTimeoutMs = (int)DeliveryTime.TotalMilliseconds,
        MessageMaxBytes = MostMessage,
        // What waits is bounded before it comes here.
        QueueBufferingMaxMessages = 2_000_000,
        QueueBufferingMaxKbytes = 1 << 20,
        DeliveryReportFields = "status",
        StatisticsIntervalMs = (int)StatisticsEvery.TotalMilliseconds,
    };

    /// <summary>Only to agree with other processes who stores which partition; it fetches nothing.</summary>
    public ConsumerConfig Member() => new(Client())
    {
        GroupId = Group,
        PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
        EnableAutoCommit = false,
        EnableAutoOffsetStore = false,
        AutoOffsetReset = AutoOffsetReset.Latest,
        SessionTimeoutMs = (int)SessionTime.TotalMilliseconds,
        HeartbeatIntervalMs = (int)SessionTime.TotalMilliseconds / 4,
    };

    /// <summary>Reads from where it is told to; knows no group.</summary>
    public ConsumerConfig Reader() => new(Client())
    {
        // Must be there and is of no use.
        GroupId = $"{Group}-reading",
        EnableAutoCommit = false,
        EnableAutoOffsetStore = false,
        AutoOffsetReset = AutoOffsetReset.Error,
        // A question to a broker that is away has no other end.
        SocketTimeoutMs = 5000,
        EnablePartitionEof = true,
        FetchWaitMaxMs = 200,
        FetchErrorBackoffMs = 200,
        QueuedMaxMessagesKbytes = 8 << 10,
        CheckCrcs = true,
    };

    private ClientConfig Client()
    {
        var config = new ClientConfig
        {
            BootstrapServers = Address.Brokers,
            ClientId = $"stoker-{Stream}",
            SocketKeepaliveEnable = true,
            ReconnectBackoffMaxMs = 2000,
            SecurityProtocol = (Address.HasTls, Address.User is not null) switch
            {
                (false, false) => SecurityProtocol.Plaintext,
                (true, false) => SecurityProtocol.Ssl,
                (false, true) => SecurityProtocol.SaslPlaintext,
                (true, true) => SecurityProtocol.SaslSsl,
            },
        };
        if (Address.Option(KafkaAddress.Authority) is { } authority) config.SslCaLocation = authority;
        (config.SslCertificateLocation, config.SslKeyLocation) = (Address.Option(KafkaAddress.Certificate), Address.Option(KafkaAddress.Key));
        if (Address.User is not { } user) return config;
        config.SaslMechanism = Address.Mechanism switch
        {
            "PLAIN" => SaslMechanism.Plain,
            "SCRAM-SHA-256" => SaslMechanism.ScramSha256,
            _ => SaslMechanism.ScramSha512,
        };
        (config.SaslUsername, config.SaslPassword) = (user, Password ?? "");
        return config;
    }
}
