using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Streams;

/// <summary>npm's <c>s3rver</c> with a bucket, on a directory and a port of its own; killed and started again at will. What npm installs stays in <c>artifacts/</c>.</summary>
internal sealed class S3Server : IDisposable
{
    public const string Bucket = "drills", Key = "S3RVER";

    private const string Version = "3.7.1";

    private static readonly SemaphoreSlim Installing = new(1);

    private readonly string _directory = Directory.CreateTempSubdirectory("stoker-s3-").FullName;
    private Process? _process;

    public int Port { get; } = FreePorts.Take();

    private static string Program => Path.Combine(Machine.Repository, "artifacts", "s3rver");

    /// <summary>Skips the drill where there is no npm, or nothing that it could install from.</summary>
    public static async Task<S3Server> StartAsync()
    {
        await InstallAsync();
        var server = new S3Server();
        await server.UpAsync();
        return server;
    }

    /// <summary>Where the program <c>s3rver</c> is, for a <c>PATH</c>.</summary>
    public static async Task<string> ProgramsAsync()
    {
        await InstallAsync();
        return Path.Combine(Program, "node_modules", ".bin");
    }

    public async Task UpAsync()
    {
        _process = Process.Start(new ProcessStartInfo(
            "node", [Path.Combine(Program, "node_modules", "s3rver", "bin", "s3rver.js"), "--directory", _directory, "--address", "127.0.0.1", "--port", $"{Port}", "--silent", "--configure-bucket", Bucket])
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _ = _process.StandardOutput.ReadToEndAsync();
        var errors = _process.StandardError.ReadToEndAsync();
        var clock = Stopwatch.StartNew();
        while (!await AnswersAsync())
        {
            Assert.False(_process.HasExited, _process.HasExited ? await errors : "");
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(90), "s3rver does not listen");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    public void Dispose()
    {
        if (_process is not null) Kill();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync("127.0.0.1", Port, TestContext.Current.CancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Drills that come together wait for one of them; what is there is whole.</summary>
    private static async Task InstallAsync()
    {
        await Installing.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (IsInstalled) return;
            var place = $"{Program}.{Guid.NewGuid():n}";
            try
            {
                await FetchAsync(place);
                if (Directory.Exists(Program)) Directory.Delete(Program, recursive: true);
                Directory.Move(place, Program);
            }
            finally
            {
                if (Directory.Exists(place)) Directory.Delete(place, recursive: true);
            }
        }
        finally
        {
            Installing.Release();
        }
    }

    private static bool IsInstalled
    {
        get
        {
            var package = Path.Combine(Program, "node_modules", "s3rver", "package.json");
            return File.Exists(package) && JsonDocument.Parse(File.ReadAllBytes(package)).RootElement.GetProperty("version").GetString() == Version;
        }
    }

    private static async Task FetchAsync(string place)
    {
        Directory.CreateDirectory(place);
        try
        {
            using var npm = Process.Start(new ProcessStartInfo("npm", ["install", "--no-audit", "--no-fund", "--prefix", place, $"s3rver@{Version}"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var (output, errors) = (npm.StandardOutput.ReadToEndAsync(), npm.StandardError.ReadToEndAsync());
            await npm.WaitForExitAsync();
            Assert.SkipWhen(npm.ExitCode != 0, $"npm cannot install s3rver@{Version}: {await output}{await errors}");
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            Assert.Skip($"npm is not installed: {missing.Message}");
        }
    }
}
