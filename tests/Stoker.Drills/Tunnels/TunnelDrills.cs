using System.Net;
using System.Net.Sockets;
using Stoker.Drills.Shared;
using Stoker.Drills.Streams;
using Stoker.Drills.Streams.Shared;
using Xunit;

namespace Stoker.Drills.Tunnels;

/// <summary>Tunnels by a real ssh to a real sshd, over a link that is cut, held and mended.</summary>
public sealed class TunnelDrills
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_that_is_reached_only_through_a_tunnel_loses_nothing_when_the_link_is_cut_and_sshd_is_killed()
    {
        using var server = new SshServer();
        using var link = new CuttingRelay(server.Port);
        await using var box = new StreamBox();
        await box.UpAsync();
        var near = FreePorts.Take();
        using var machine = new Machine(Estate(server, link.Port, $"{near}:{box.Plan.Listen}", "probe: /health"));
        machine.Up();
        machine.UntilState("tunnel", "healthy");

        var oracle = new Oracle();
        string[] through = ["--to", $"http://127.0.0.1:{near}", "--patience", "0s", "--spool", Path.Combine(machine.Directory, "spool")];
        for (var round = 0; round < 2; round++)
        {
            await SendAsync(machine, oracle, through, spools: false);
            if (round == 1) server.Kill();
            else link.IsAway = true;
            await SendAsync(machine, oracle, through, spools: true);
            machine.Until("it is not healthy", () => machine.StateOf("tunnel") != "healthy", Patience);
            if (round == 1) server.Start();
            else link.IsAway = false;
            machine.Until("it is healthy again", () => machine.StateOf("tunnel") == "healthy", Patience);
        }

        await SendAsync(machine, oracle, through, spools: false);
        await box.AssertHoldsAsync(oracle);
        Assert.Equal(oracle.Issued, oracle.Acknowledged);
    }

    [Fact]
    public async Task A_connection_that_is_passed_on_has_to_be_taken_at_the_other_end()
    {
        using var server = new SshServer();
        using var link = new CuttingRelay(server.Port);
        var ports = FreePorts.Take(2);
        using var machine = new Machine(Estate(server, link.Port, $"{ports[0]}:127.0.0.1:{ports[1]}", "probe: tcp"));
        Begin(machine);
        // ssh itself accepts at once; nobody is behind it.
        machine.Until("it is unhealthy", () => machine.StateOf("tunnel") == "unhealthy", Patience);
        Assert.Contains("nobody takes them at the other end", machine.Run("why", "tunnel").Output, StringComparison.Ordinal);

        using var target = new TcpListener(IPAddress.Loopback, ports[1]);
        target.Start();
        machine.Until("it is healthy", () => machine.StateOf("tunnel") == "healthy", Patience);

        // A link on which nothing comes any more: the connections stay open, and ssh has to notice.
        var restarts = (int)machine.Service("tunnel")["restarts"]!;
        link.Hold();
        machine.Until("ssh gives up", () => (int)machine.Service("tunnel")["restarts"]! > restarts || machine.StateOf("tunnel") is not "healthy", Patience);
        link.Release();
        machine.Until("it is healthy again", () => machine.StateOf("tunnel") == "healthy", Patience);
        await Task.CompletedTask.WaitAsync(Cancellation);
    }

    [Fact]
    public void Another_host_key_is_refused_and_nothing_is_forwarded()
    {
        using var server = new SshServer();
        using var link = new CuttingRelay(server.Port);
        var ports = FreePorts.Take(2);
        using var machine = new Machine(Estate(server, link.Port, $"{ports[0]}:127.0.0.1:{ports[1]}", "probe: tcp", wrong: true));
        Begin(machine);
        machine.Until("ssh says why", () => machine.Run("logs", "tunnel").Output.Contains("Host key verification failed", StringComparison.Ordinal), Patience);
        Assert.NotEqual("healthy", machine.StateOf("tunnel"));
        using var client = new TcpClient();
        Assert.ThrowsAny<SocketException>(() => client.Connect("127.0.0.1", ports[0]));
    }

    [Fact]
    public void What_keeps_a_tunnel_from_being_made_is_said_before()
    {
        using var server = new SshServer();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var machine = new Machine(Estate(server, server.Port, $"{port}:127.0.0.1:1", "probe: tcp").Replace(server.KnownHosts(server.Port), "/dev/null", StringComparison.Ordinal));
        File.SetUnixFileMode(server.Identity, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        var plan = machine.Run("plan");
        var said = plan.Output + plan.Errors;
        Assert.NotEqual(0, plan.Code);
        Assert.Contains("PLN080", said, StringComparison.Ordinal);
        Assert.Contains("which others may read", said, StringComparison.Ordinal);
        Assert.Contains("PLN081", said, StringComparison.Ordinal);
        Assert.Contains($"ssh-keyscan -p {server.Port} 127.0.0.1 >> /dev/null", said, StringComparison.Ordinal);
        Assert.Contains("PLN031", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_here_is_public_there_through_a_server_of_ones_own()
    {
        using var server = new SshServer();
        await using var box = new StreamBox();
        await box.UpAsync();
        var open = FreePorts.Take();
        using var machine = new Machine($$"""
            name: tunnels
            services:
              public:
                tunnel:
                  ssh_reverse: {ssh: "{{Environment.UserName}}@127.0.0.1:{{server.Port}}", listen: {{open}}, to: "{{box.Plan.Listen}}"}
                  identity: {{server.Identity}}
                  known_hosts: {{server.KnownHosts(server.Port)}}
                  probe: http://127.0.0.1:{{open}}/health
            """);
        machine.Up();
        machine.UntilState("public", "healthy");
        var oracle = new Oracle();
        var sender = new Sender(machine.State, oracle, [oracle.Issue()], "--to", $"http://127.0.0.1:{open}", "--spool", Path.Combine(machine.Directory, "spool"));
        Assert.Equal(0, await sender.EndAsync());
        await box.AssertHoldsAsync(oracle);
        Assert.Single(sender.Accepted);
    }

    /// <summary>Without waiting for what will not come up.</summary>
    private static void Begin(Machine machine)
    {
        machine.Start("up", "-d").Dispose();
        machine.Until("the daemon answers", () => machine.Run("status").Code == 0);
    }

    private static async Task SendAsync(Machine machine, Oracle oracle, string[] options, bool spools)
    {
        var sender = new Sender(machine.State, oracle, Enumerable.Range(0, 200).Select(_ => oracle.Issue()).ToList(), options);
        Assert.True(await sender.EndAsync() == 0, sender.Said);
        Assert.Equal(spools ? 200 : 0, sender.Spooled);
    }

    private static string Estate(SshServer server, int port, string forward, string probe, bool wrong = false) => $$"""
        name: tunnels
        services:
          tunnel:
            tunnel:
              ssh: "{{Environment.UserName}}@127.0.0.1:{{port}}"
              forward: ["{{forward}}"]
              identity: {{server.Identity}}
              known_hosts: {{(wrong ? server.WrongKnownHosts(port) : server.KnownHosts(port))}}
              {{probe}}
        """;
}
