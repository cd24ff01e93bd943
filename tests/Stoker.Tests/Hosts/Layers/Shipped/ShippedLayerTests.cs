using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Hosts.Layers;
using Stoker.Hosts.Layers.Shipped;
using Xunit;

namespace Stoker.Tests.Hosts.Layers.Shipped;

public sealed class ShippedLayerTests
{
    private static readonly SourcePosition Where = SourcePosition.Whole("stoker.yaml");

    [Fact]
    public void Each_has_a_name_and_a_line_of_its_own_something_to_apply_and_something_to_verify()
    {
        Assert.Equal(ShippedLayers.All.Count, ShippedLayers.Names.Distinct().Count());
        Assert.All(ShippedLayers.All, layer =>
        {
            var bag = new DiagnosticBag();
            var content = layer.Make(new ShippedCall(layer, "mine", null, new EstateSpec("e", "/e/stoker.yaml", "/e"), Where, bag));
            Assert.Empty(bag);
            Assert.NotEmpty(content.Apply);
            Assert.True(content.Verify.Count > 0 || layer.Name == "accounts", layer.Name);
            Assert.Equal(content.Verify.Count, content.Verify.Select(c => c.Name).Distinct().Count());
            Assert.DoesNotContain('\n', layer.Summary);
            // What cannot be taken back by its own undo is by the layer's rollback.
            if (content.Rollback.Count == 0) Assert.All(content.Apply.OfType<LayerStep.Command>(), c => Assert.NotNull(c.Undo));
        });
    }

    [Theory]
    [InlineData("22", 22, 22, "tcp")]
    [InlineData("9000-9010", 9000, 9010, "tcp")]
    [InlineData("53/udp", 53, 53, "udp")]
    public void A_port_may_be_a_range_and_of_UDP(string text, int first, int last, string protocol) => Assert.Equal(new PortRange(first, last, protocol), PortRange.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("70000")]
    [InlineData("20-10")]
    [InlineData("80/icmp")]
    [InlineData("80; flush ruleset")]
    public void What_is_no_port_is_none(string text) => Assert.Null(PortRange.Parse(text));

    [Fact]
    public void The_firewall_keeps_SSH_where_it_is_and_flushes_nothing()
    {
        var text = Firewall.TextOf([22, 2222], [new PortRange(8000, 8000, "tcp"), new PortRange(22, 22, "tcp"), new PortRange(53, 53, "udp")], ["10.0.0.0/8", "fd00::/8"]);
        Assert.Contains("elements = { 22, 2222, 8000 }", text, StringComparison.Ordinal);
        Assert.Contains("elements = { 53 }", text, StringComparison.Ordinal);
        Assert.Contains("elements = { 10.0.0.0/8 }", text, StringComparison.Ordinal);
        Assert.Contains("elements = { fd00::/8 }", text, StringComparison.Ordinal);
        Assert.DoesNotContain("flush", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Ports_for_this_machine_alone_and_those_of_other_hosts_are_not_opened()
    {
        var (here, there) = (new HostName("here"), new HostName("there"));
        var estate = new EstateSpec("e", "/e/stoker.yaml", "/e")
        {
            Services = new[]
            {
                Service("web", here, new PortSpec(null, 80, null, 80, "tcp", Where)) with { Replicas = 3 }, Service("inner", here, new PortSpec("127.0.0.1", 81, null, 81, "tcp", Where)),
                Service("six", here, new PortSpec("::1", 82, null, 82, "tcp", Where)), Service("far", there, new PortSpec(null, 83, null, 83, "tcp", Where)),
            }.ToDictionary(s => s.Name),
        };
        Assert.Equal([new PortRange(80, 82, "tcp")], DeclaredPorts.Of(estate, here));
        Assert.Equal([new PortRange(83, 83, "tcp")], DeclaredPorts.Of(estate, there));
    }

    [Theory]
    [InlineData("LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:((\"sshd\",pid=1,fd=3))", 22)]
    [InlineData("LISTEN 0 128 [::]:2222 [::]:* users:((\"sshd\",pid=1,fd=4))", 2222)]
    [InlineData("LISTEN 0 128 127.0.0.1:6010 0.0.0.0:* users:((\"sshd\",pid=9,fd=9))", null)]
    [InlineData("", null)]
    public void Where_the_SSH_server_listens_is_read_without_the_forwardings_of_sessions(string line, int? port) => Assert.Equal(port, SshServer.ListeningPort(line));

    [Theory]
    [InlineData("# a remark\n\nInclude /etc/ssh/sshd_config.d/*.conf\nPort 22\n", true)]
    [InlineData("PasswordAuthentication yes\nInclude /etc/ssh/sshd_config.d/*.conf\n", false)]
    [InlineData("Port 22\n", false)]
    [InlineData("", false)]
    public void What_the_SSH_server_reads_first_counts(string configuration, bool isIncluded) => Assert.Equal(isIncluded, SshKeysOnly.IsIncluded(configuration));

    [Fact]
    public void Docker_s_configuration_keeps_what_it_has_and_is_left_when_all_is_there()
    {
        var once = ContainerToolkit.WithRuntime("""{"log-driver": "local", "runtimes": {"other": {"path": "/x"}}}""");
        Assert.Contains("\"log-driver\": \"local\"", once, StringComparison.Ordinal);
        Assert.Contains("\"other\"", once, StringComparison.Ordinal);
        Assert.Contains("nvidia-container-runtime", once, StringComparison.Ordinal);
        Assert.Equal(once, ContainerToolkit.WithRuntime(once));
        Assert.Throws<LayerFailedException>(() => ContainerToolkit.WithRuntime("{"));
    }

    [Fact]
    public void A_kernel_parameter_that_is_told_takes_the_place_of_the_usual()
    {
        var settings = KernelParameters.Settings(["vm.swappiness=1", "net/core/somaxconn=8192", "vm.max_map_count=262144"]);
        Assert.Equal(["1"], settings.Where(s => s.Key == "vm.swappiness").Select(s => s.Value));
        Assert.Equal(["8192"], settings.Where(s => s.Key == "net.core.somaxconn").Select(s => s.Value));
        Assert.DoesNotContain("net.ipv4.ip_forward", settings.Select(s => s.Key));
        Assert.Equal("vm.max_map_count", settings[^1].Key);
    }

    private static ServiceSpec Service(string name, HostName host, PortSpec port) => new(new ServiceName(name), Where) { Host = new Positioned<HostName>(host, Where), Ports = [port] };
}
