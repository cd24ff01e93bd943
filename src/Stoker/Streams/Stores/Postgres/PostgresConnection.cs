using System.Net.Sockets;
using Npgsql;
using Stoker.Platform;

namespace Stoker.Streams.Stores.Postgres;

/// <summary>The one connection of a store: made when it is needed, given up when it fails, made again after the back-off.</summary>
internal sealed class PostgresConnection(StoreSpec spec, TimeProvider time) : IAsyncDisposable
{
    private readonly BackOff _backOff = new(time);
    private NpgsqlConnection? _connection;

    /// <summary>Counted up with every connection: what was prepared on another is gone.</summary>
    public int Number { get; private set; }

    /// <exception cref="StoreUnavailableException">It cannot be had now.</exception>
    public async Task<NpgsqlConnection> GetAsync(CancellationToken cancellation)
    {
        if (_connection is { FullState: System.Data.ConnectionState.Open } open) return open;
        await GiveUpAsync();
        await _backOff.WaitAsync(cancellation);
        var connection = new NpgsqlConnection(Settings().ConnectionString);
        try
        {
            await connection.OpenAsync(cancellation);
            await PostgresTables.MakeAsync(connection, spec, cancellation);
        }
        catch (Exception failed)
        {
            _backOff.Failed();
            await connection.DisposeAsync();
            if (failed is StoreUnavailableException or OperationCanceledException) throw;
            if (failed is NpgsqlException or SocketException or IOException or TimeoutException)
                throw new StoreUnavailableException($"{spec.Address}: {PostgresErrors.InWords(failed)}", failed);
            throw;
        }

        _backOff.Worked();
        _connection = connection;
        Number++;
        return connection;
    }

    /// <summary>It failed, or it is not known in which state it is.</summary>
    public async Task GiveUpAsync()
    {
        if (_connection is not { } connection) return;
        _connection = null;
        try
        {
            await connection.DisposeAsync();
        }
        catch (Exception failed) when (failed is NpgsqlException or IOException)
        {
            // It was broken already.
        }
    }

    public ValueTask DisposeAsync() => new(GiveUpAsync());

    private NpgsqlConnectionStringBuilder Settings()
    {
        var address = spec.Address;
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = address.Host,
            Port = address.Port,
            Database = address.Path,
            Username = address.User,
            Password = spec.Password?.Invoke(),
            ApplicationName = address.Option("application_name") ?? "stoker",
            Pooling = false,
            PersistSecurityInfo = false,
            IncludeErrorDetail = false,
            Timeout = Seconds(TimeSpan.FromSeconds(15)),
            CommandTimeout = Seconds(spec.Patience),
            // A server that hangs does not answer a cancellation either.
            CancellationTimeout = 1000,
            ArrayNullabilityMode = ArrayNullabilityMode.Never,
        };
        if (address.Option("sslmode") is { } mode)
        {
            settings.SslMode = Enum.TryParse<SslMode>(mode.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var known)
                ? known
                : throw new StoreUnavailableException($"{address}: `sslmode={mode}` is not known");
        }

        if (address.Option("sslrootcert") is { } certificate) settings.RootCertificate = certificate;
        return settings;
    }

    private int Seconds(TimeSpan longest) => (int)Math.Ceiling(Math.Min(longest.TotalSeconds, spec.Patience.TotalSeconds));
}
