using System.Diagnostics;
using Npgsql;
using Stoker.Drills.Shared;
using Stoker.Drills.Streams;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace Stoker.Drills.Streams;

/// <summary>A PostgreSQL server of the drills' own, started at the first need: fsync on, on the loopback and a socket, not as root.</summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly SemaphoreSlim _starting = new(1);
    private string? _directory;
    private int _databases;

    internal int Port { get; private set; }

    internal string SocketDirectory => _directory!;

    internal static bool IsInstalled => Programs is not null;

    private static string? Programs => Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Select(version => $"{version}/bin").LastOrDefault(bin => File.Exists($"{bin}/initdb"))
        : null;

    private static bool IsRoot => Environment.UserName == "root";

    /// <summary>A database of its own in the server that all share.</summary>
    internal async Task<string> MakeDatabaseAsync()
    {
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (_directory is null) Make();
        }
        finally
        {
            _starting.Release();
        }

        var name = $"drill{Interlocked.Increment(ref _databases)}";
        await RunAsync("postgres", $"CREATE DATABASE {name}");
        return name;
    }

    /// <summary>A statement by the owner, on a connection of its own.</summary>
    internal async Task RunAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={Port};Username=stoker;Database={database};Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    internal void Start() => Run("pg_ctl", "-D", $"{_directory}/data", "-w", "-l", $"{_directory}/log", "-o", $"-p {Port} -k {_directory} -c listen_addresses=127.0.0.1", "start");

    /// <summary>As a power cut would: nobody is asked to finish.</summary>
    internal void Stop() => Run("pg_ctl", "-D", $"{_directory}/data", "-m", "immediate", "-w", "stop");

    public ValueTask DisposeAsync()
    {
        _starting.Dispose();
        if (_directory is null) return ValueTask.CompletedTask;
        Stop();
        Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }

    private void Make()
    {
        Assert.SkipWhen(Programs is null, "PostgreSQL's server is not installed (postgresql-15)");
        _directory = Directory.CreateTempSubdirectory("stoker-postgres-").FullName;
        Port = FreePorts.Take();
        if (IsRoot) Call("chown", "nobody", _directory);
        Run("initdb", "-D", $"{_directory}/data", "-A", "trust", "-U", "stoker", "-E", "UTF8", "--no-locale", "--no-sync");
        Start();
    }

    private static void Run(string program, params string[] arguments)
    {
        string[] command = [$"{Programs}/{program}", .. arguments];
        // The server refuses to run as root.
        if (IsRoot) Call("setpriv", ["--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "-C", "/", .. command]);
        else Call(command[0], command[1..]);
    }

    private static void Call(string program, params string[] arguments)
    {
        // Not read through pipes, which the server would keep open.
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", "exec \"$@\" >/dev/null 2>&1 </dev/null", "sh", program, .. arguments]))!;
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}");
    }
}
