namespace Stoker.Streams.Stores;

internal enum StoreKind
{
    Sqlite,
    Postgres,
    Mongo,
}

/// <summary>
/// Which store: <c>sqlite:metadata.db</c>, <c>postgres://user@host:5432/database?sslmode=verify-full</c>, <c>postgres:///database?host=/run/postgresql</c> (a
/// socket's directory), <c>mongodb://user@host:27017/database?tls=true&amp;authSource=admin</c>. Without a password, which is a secret and given apart.
/// </summary>
/// <param name="Path">The file of SQLite; the database of the others.</param>
internal sealed record StoreAddress(StoreKind Kind, string Host, int Port, string? User, string Path, IReadOnlyDictionary<string, string> Options)
{
    private const int PostgresPort = 5432, MongoPort = 27017;

    private static readonly string[] PostgresOptions = ["host", "sslmode", "sslrootcert", "application_name"];

    private static readonly string[] MongoOptions = ["tls", "tlsCAFile", "authSource", "authMechanism"];

    public string? Option(string name) => Options.GetValueOrDefault(name);

    /// <summary>As it may be shown.</summary>
    public override string ToString() => Kind switch
    {
        StoreKind.Sqlite => $"sqlite:{Path}",
        StoreKind.Postgres => $"postgres://{Host}{(Host.StartsWith('/') ? "" : $":{Port}")}/{Path}",
        StoreKind.Mongo => $"mongodb://{Host}:{Port}/{Path}",
    };

    /// <returns>What is wrong with it; null: nothing.</returns>
    public static string? Parse(string text, out StoreAddress? address)
    {
        address = null;
        if (text.StartsWith("sqlite:", StringComparison.Ordinal))
        {
            var path = text["sqlite:".Length..];
            if (path.Length == 0) return "a file has to follow: `sqlite:metadata.db`";
            address = new StoreAddress(StoreKind.Sqlite, "", 0, null, path, new Dictionary<string, string>());
            return null;
        }

        // Without a host, for a socket in a directory, it is not what .NET takes for an address.
        var uriText = text.Replace(":///", "://localhost/", StringComparison.Ordinal);
        if (!Uri.TryCreate(uriText, UriKind.Absolute, out var uri)) return Expected;
        var kind = uri.Scheme switch
        {
            "postgres" or "postgresql" => StoreKind.Postgres,
            "mongodb" => StoreKind.Mongo,
            _ => StoreKind.Sqlite,
        };
        if (kind == StoreKind.Sqlite) return Expected;
        if (uri.UserInfo.Contains(':', StringComparison.Ordinal)) return "a password does not belong in an address; give it as a secret";
        var database = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/'));
        if (database.Length == 0 || database.Contains('/', StringComparison.Ordinal)) return "the name of a database has to follow the host: `…/metadata`";
        var (options, problem) = OptionsOf(uri.Query, kind == StoreKind.Postgres ? PostgresOptions : MongoOptions);
        if (problem is not null) return problem;
        var port = uri.Port > 0 ? uri.Port : kind == StoreKind.Postgres ? PostgresPort : MongoPort;
        var user = uri.UserInfo.Length == 0 ? null : Uri.UnescapeDataString(uri.UserInfo);
        address = new StoreAddress(kind, options.GetValueOrDefault("host") ?? uri.IdnHost, port, user, database, options);
        return null;
    }

    private const string Expected = "expected `sqlite:FILE`, `postgres://USER@HOST/DATABASE` or `mongodb://USER@HOST/DATABASE`";

    private static (Dictionary<string, string> Options, string? Problem) OptionsOf(string query, string[] known)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = pair.Split('=', 2) is [var left, var right] ? (left, Uri.UnescapeDataString(right)) : (pair, "");
            if (name is "password" or "passfile") return (options, "a password does not belong in an address; give it as a secret");
            if (!known.Contains(name)) return (options, $"`{name}` is not known; known are {string.Join(", ", known)}");
            options[name] = value;
        }

        return (options, null);
    }
}
