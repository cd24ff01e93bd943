namespace Stoker.Streams.Kafka;

/// <summary>
/// Which topic: <c>kafka://broker:9092,other:9092/topic?tls=true&amp;user=stoker</c>. Options: <c>tls</c>, <c>tlsCAFile</c>, <c>tlsCertificateFile</c>,
/// <c>tlsKeyFile</c>, <c>user</c>, <c>mechanism</c> (<c>SCRAM-SHA-512</c>, <c>SCRAM-SHA-256</c>, <c>PLAIN</c>), <c>group</c>. Without a password, which is a secret and given apart.
/// </summary>
/// <param name="Brokers">With their ports, apart by commas.</param>
internal sealed record KafkaAddress(string Brokers, string Topic, IReadOnlyDictionary<string, string> Options)
{
    public const string Scheme = "kafka://";

    /// <summary>Options that name files in PEM: who vouches for the brokers, and what proves the client to them.</summary>
    public const string Authority = "tlsCAFile", Certificate = "tlsCertificateFile", Key = "tlsKeyFile";

    private const string Expected = "expected `kafka://BROKER:PORT/TOPIC`";

    private static readonly string[] Known = ["tls", Authority, Certificate, Key, "user", "mechanism", "group"];

    private static readonly string[] Mechanisms = ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"];

    public bool HasTls => Option("tls") == "true";

    public string? User => Option("user");

    /// <summary>How the user is proven.</summary>
    public string Mechanism => Option("mechanism") ?? Mechanisms[0];

    public string? Option(string name) => Options.GetValueOrDefault(name);

    /// <summary>As it may be shown.</summary>
    public override string ToString() => $"{Scheme}{Brokers}/{Topic}";

    /// <returns>What is wrong with it; null: nothing.</returns>
    public static string? Parse(string text, out KafkaAddress? address)
    {
        address = null;
        if (!text.StartsWith(Scheme, StringComparison.Ordinal)) return Expected;
        var (rest, query) = text[Scheme.Length..].Split('?', 2) is [var left, var right] ? (left, right) : (text[Scheme.Length..], "");
        if (rest.Split('/') is not [var hosts, var topic]) return $"one topic has to follow the brokers: {Expected}";
        var brokers = new List<string>();
        foreach (var host in hosts.Split(','))
        {
            if (host.Contains('@', StringComparison.Ordinal)) return "the user stands in the options: `?user=NAME`";
            if (BrokerOf(host) is not { } broker) return $"`{host}` is no broker: {Expected}";
            brokers.Add(broker);
        }

        if (ProblemOf(topic) is { } problem) return problem;
        if (OptionsOf(query, out var options) is { } other) return other;
        address = new KafkaAddress(string.Join(',', brokers), topic, options);
        return null;
    }

    private static string? BrokerOf(string text)
    {
        const string usualPort = "9092";
        var colon = text.EndsWith(']') ? -1 : text.LastIndexOf(':');
        var (host, port) = colon < 0 ? (text, usualPort) : (text[..colon], text[(colon + 1)..]);
        var isHost = host.Length > 0 && Uri.CheckHostName(host.Trim('[', ']')) != UriHostNameType.Unknown;
        return isHost && ushort.TryParse(port, out var number) && number > 0 ? $"{host}:{number}" : null;
    }

    /// <summary>Kafka's own rule.</summary>
    private static string? ProblemOf(string topic) =>
        topic.Length is > 0 and <= 249 && topic is not ("." or "..") && topic.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-')
            ? null
            : $"`{topic}` is no topic: letters, digits, `.`, `_` and `-`, 249 at most";

    private static string? OptionsOf(string query, out Dictionary<string, string> options)
    {
        options = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = pair.Split('=', 2) is [var left, var right] ? (left, Uri.UnescapeDataString(right)) : (pair, "");
            if (name is "password") return "a password does not belong in an address; `log_password` names the variable that has it";
            if (!Known.Contains(name)) return $"`{name}` is not known; known are {string.Join(", ", Known)}";
            if (value.Length == 0) return $"`{name}` has no value";
            options[name] = value;
        }

        if (options.GetValueOrDefault("tls") is not (null or "true" or "false")) return "`tls` is `true` or `false`";
        foreach (var name in new[] { Authority, Certificate, Key })
        {
            if (options.ContainsKey(name) && options.GetValueOrDefault("tls") != "true") return $"`{name}` is of use with `tls=true` only";
        }

        if (options.ContainsKey(Certificate) != options.ContainsKey(Key)) return $"`{Certificate}` and `{Key}` go together";
        if (options.GetValueOrDefault("mechanism") is { } mechanism && !Mechanisms.Contains(mechanism)) return $"`mechanism` is one of {string.Join(", ", Mechanisms)}";
        return options.ContainsKey("mechanism") && !options.ContainsKey("user") ? "`mechanism` is of use with `user` only" : null;
    }
}
