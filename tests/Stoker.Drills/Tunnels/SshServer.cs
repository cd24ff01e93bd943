using System.Diagnostics;
using System.Net.Sockets;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Tunnels;

/// <summary>A real sshd on a port of its own, with keys of its own. Skips the test where it is not installed.</summary>
internal sealed class SshServer : IDisposable
{
    private const string Program = "/usr/sbin/sshd";

    private readonly string _directory = Directory.CreateTempSubdirectory("stoker-sshd-").FullName;
    private Process? _process;

    public SshServer()
    {
        Assert.SkipUnless(File.Exists(Program) && File.Exists("/usr/bin/ssh"), "openssh-server and openssh-client are not installed");
        Port = FreePorts.Take();
        foreach (var key in new[] { "host", "other", "identity" }) Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", In(key));
        File.Copy(In("identity.pub"), In("authorized_keys"));
        // Where it throws its rights away while somebody logs in.
        if (Environment.UserName == "root") Directory.CreateDirectory("/run/sshd");
        File.WriteAllText(In("config"), $"""
            ListenAddress 127.0.0.1:{Port}
            HostKey {In("host")}
            AuthorizedKeysFile {In("authorized_keys")}
            PidFile {In("pid")}
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            PermitRootLogin prohibit-password
            """);
        Start();
    }

    public int Port { get; }

    public string Identity => In("identity");

    /// <summary>A file that knows this server's key as that of an address.</summary>
    public string KnownHosts(int port) => Write(port, "host");

    /// <summary>A file that knows another key for that address.</summary>
    public string WrongKnownHosts(int port) => Write(port, "other");

    public void Start()
    {
        _process = Process.Start(new ProcessStartInfo(Program, ["-D", "-e", "-f", In("config")]) { RedirectStandardError = true })!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        var clock = Stopwatch.StartNew();
        while (true)
        {
            using var probe = new TcpClient();
            try
            {
                probe.Connect("127.0.0.1", Port);
                return;
            }
            catch (SocketException)
            {
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20) && !_process.HasExited, "sshd does not listen");
                Thread.Sleep(20);
            }
        }
    }

    /// <summary>With the processes of its connections.</summary>
    public void Kill()
    {
        _process!.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    public void Dispose()
    {
        if (_process is not null) Kill();
        Directory.Delete(_directory, recursive: true);
    }

    private string Write(int port, string key)
    {
        var path = In($"known_hosts_{key}_{port}");
        File.WriteAllText(path, $"[127.0.0.1]:{port} {File.ReadAllText(In($"{key}.pub"))}");
        return path;
    }

    private string In(string name) => Path.Combine(_directory, name);

    private static void Run(string program, params string[] words)
    {
        using var process = Process.Start(program, words);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
