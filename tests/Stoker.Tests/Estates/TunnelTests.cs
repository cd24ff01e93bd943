using Stoker.Estates;
using Xunit;

namespace Stoker.Tests.Estates;

public sealed class TunnelTests
{
    [Fact]
    public void A_tunnel_by_ssh_is_the_real_command_with_its_ports_restarts_and_a_probe_that_crosses_it()
    {
        var service = Read("{ssh: 'me@bastion:2222', forward: ['9092:kafka:9092', '127.0.0.2:3000:[fd00::1]:3000'], reverse: ['8010:localhost:8010'], identity: /keys/id, known_hosts: '/my keys/hosts'}");
        Assert.Equal(
            [
                "ssh", "-N", "-T", "-S", "none", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=3", "-o", "ServerAliveCountMax=2", "-o", "ConnectTimeout=10",
                "-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile=\"/my keys/hosts\"", "-o", "IdentitiesOnly=yes", "-i", "/keys/id", "-L", "127.0.0.1:9092:kafka:9092",
                "-L", "127.0.0.2:3000:[fd00::1]:3000", "-R", "127.0.0.1:8010:localhost:8010", "-p", "2222", "me@bastion",
            ], service.Command);
        Assert.Equal(["127.0.0.1:9092", "127.0.0.2:3000"], service.Ports.Select(port => $"{port.HostIp}:{port.Published}"));
        Assert.Equal(RestartMode.Always, service.Restart.Mode);
        var probe = Assert.IsType<ProbeSpec.Tcp>(service.Healthcheck!.Probe);
        Assert.Equal(("127.0.0.1", 9092), (probe.Host, probe.Port));
        // Longer than ssh keeps connections of a link that is dead.
        Assert.True(probe.Held > TimeSpan.FromSeconds(9));
        Assert.True(service.Healthcheck.Timeout > probe.Held);
    }

    [Theory]
    [InlineData("{ngrok: {to: 8010, url: 'https://a.ngrok.app', config: /n.yml}}", "ngrok http --log stdout --log-format logfmt --config /n.yml --url https://a.ngrok.app 127.0.0.1:8010", "NGROK_AUTHTOKEN", null)]
    [InlineData("{cloudflared: {to: 'box:8010'}}", "cloudflared tunnel --no-autoupdate --url http://box:8010", null, null)]
    [InlineData("{cloudflared: }", "cloudflared tunnel --no-autoupdate run", "TUNNEL_TOKEN", null)]
    [InlineData("{cloudflared: {token_file: /t}}", "cloudflared tunnel --no-autoupdate run", "TUNNEL_TOKEN_FILE", "/t")]
    public void A_public_address_is_the_tool_s_command_and_its_token_is_no_argument(string tunnel, string command, string? variable, string? value)
    {
        var service = Read(tunnel);
        Assert.Equal(command, string.Join(' ', service.Command!));
        if (variable is null) Assert.Empty(service.Environment);
        else Assert.Equal(value, service.Environment[variable].Value);
    }

    [Theory]
    [InlineData("probe: /health", "http://127.0.0.1:9092/health")]
    [InlineData("probe: 'https://a/x'", "https://a/x")]
    public void A_probe_is_a_path_through_the_first_forward_or_an_address(string probe, string url) =>
        Assert.Equal(new Uri(url), Assert.IsType<ProbeSpec.Http>(Read($"{{ssh: a, forward: ['9092:kafka:9092'], {probe}}}").Healthcheck!.Probe).Url);

    [Fact]
    public void What_the_service_says_itself_goes_before()
    {
        var service = EstateText.Service("tunnel: {ssh: a, forward: ['1:a:2']}", "restart: on-failure", "healthcheck: {log: up}");
        Assert.Equal(RestartMode.OnFailure, service.Restart.Mode);
        Assert.IsType<ProbeSpec.Log>(service.Healthcheck!.Probe);
    }

    private static ServiceSpec Read(string tunnel) =>
        EstateText.Read(EstateText.ServiceYaml("a", $"tunnel: {tunnel}")).Spec.Services[new ServiceName("a")];
}
