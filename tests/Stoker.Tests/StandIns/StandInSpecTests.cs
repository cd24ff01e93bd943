using System.Net;
using System.Text.RegularExpressions;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.StandIns;
using Xunit;

namespace Stoker.Tests.StandIns;

public sealed class StandInSpecTests
{
    private static readonly SourcePosition Somewhere = new("stoker.yaml", 1, 1);

    [Theory]
    [InlineData("Ready", "Ready")]
    [InlineData("^server started on port \\d+$", "server started on port 0")]
    [InlineData("(listening|bound) (?:on|at) .*:[0-9]{2,5}", "listening on :00")]
    [InlineData("Uvicorn running on https?://", "Uvicorn running on http://")]
    [InlineData("\\bready\\b", "ready")]
    [InlineData("[^a]x+y?", "xx")]
    [InlineData("took {fast}", "took {fast}")]
    public void A_line_is_made_for_a_pattern_as_people_write_them(string pattern, string expected)
    {
        Assert.True(PatternExample.TryMake(pattern, out var line));
        Assert.Equal(expected, line);
        Assert.Matches(new Regex(pattern), line);
    }

    [Theory]
    [InlineData("(?=ready)x")]
    [InlineData("(a)\\1b{3")]
    [InlineData("(unclosed")]
    [InlineData("a\\pL")]
    [InlineData("x{5000}")]
    public void What_is_beyond_it_is_said_and_not_guessed(string pattern) => Assert.False(PatternExample.TryMake(pattern, out _));

    [Fact]
    public void A_command_of_the_missing_image_becomes_a_connection_to_the_first_port()
    {
        var service = Service(new ProbeSpec.Exec(["pg_isready", "-q"])) with { Ports = [new PortSpec(null, 5432, null, 5432, "tcp", Somewhere)] };
        var health = StandInSpec.HealthcheckFor(service, [(5432, 15432)]);
        Assert.Equal(new ProbeSpec.Tcp("127.0.0.1", 5432), health.Check?.Probe);
        Assert.Equal(service.Healthcheck!.Interval, health.Check?.Interval);
        Assert.Equal("its healthcheck is a connection to port 5432 instead of `pg_isready -q`", health.Note);
        Assert.Equal([new IPEndPoint(IPAddress.Loopback, 15432)], StandInSpec.For(service, 1, [(5432, 15432)], "", false).Ports);
    }

    [Fact]
    public void What_the_missing_image_says_of_health_is_stood_in_for_too()
    {
        var left = new HealthcheckSpec(new ProbeSpec.Image(), Somewhere) { LeftToImage = HealthcheckTimes.Interval };
        var health = StandInSpec.HealthcheckFor(Service(left.Probe) with { Healthcheck = left }, []);
        Assert.IsType<ProbeSpec.Notify>(health.Check?.Probe);
        Assert.False(health.Check?.AsksImage);
        Assert.Equal("its healthcheck is the stand-in's own word instead of that of the image, if it has one", health.Note);
    }

    [Fact]
    public void Without_port_the_stand_ins_own_word_counts()
    {
        var health = StandInSpec.HealthcheckFor(Service(new ProbeSpec.Log("(?<=x)ready")), []);
        Assert.IsType<ProbeSpec.Notify>(health.Check?.Probe);
        Assert.Equal("its healthcheck is the stand-in's own word instead of the log pattern `(?<=x)ready`", health.Note);
    }

    [Fact]
    public void What_a_stand_in_can_answer_stays_as_declared()
    {
        var http = Service(new ProbeSpec.Http(new Uri("http://localhost:7300/health"), 204));
        Assert.Equal(new StandInHealth(http.Healthcheck, null), StandInSpec.HealthcheckFor(http, []));
        var options = StandInSpec.For(http, 1, [], "", false);
        Assert.Equal((204, "127.0.0.1:7300"), (options.Status, string.Join(' ', options.Ports)));
        Assert.Equal("ready", StandInSpec.For(Service(new ProbeSpec.Log("^ready")), 1, [], "", false).Line);
        Assert.Null(StandInSpec.HealthcheckFor(Service(new ProbeSpec.Http(new Uri("http://[::1]:80/"))), []).Note);
        Assert.Equal("[::1]:80", StandInSpec.For(Service(new ProbeSpec.Http(new Uri("http://[::1]:80/"))), 1, [], "", false).Ports[0].ToString());
    }

    [Fact]
    public void Another_machines_address_and_TLS_are_replaced_and_said()
    {
        var remote = StandInSpec.HealthcheckFor(Service(new ProbeSpec.Http(new Uri("http://192.168.1.10:7300/health"))), []);
        Assert.Equal(new ProbeSpec.Http(new Uri("http://127.0.0.1:7300/health")), remote.Check?.Probe);
        Assert.Equal("its healthcheck asks 127.0.0.1 instead of 192.168.1.10", remote.Note);
        var tls = StandInSpec.HealthcheckFor(Service(new ProbeSpec.Http(new Uri("https://localhost:8443/"))), []);
        Assert.Equal(new ProbeSpec.Tcp("127.0.0.1", 8443), tls.Check?.Probe);
    }

    [Fact]
    public void Options_survive_the_command_line()
    {
        var options = new StandInOptions("a b", 3, "it's `gone`; \"really\"")
        {
            Ports = [new IPEndPoint(IPAddress.IPv6Any, 80), new IPEndPoint(IPAddress.Loopback, 81)],
            Line = "--ready",
            Status = 204,
            Completes = true,
            Every = TimeSpan.FromSeconds(0.25),
            StopSignal = 12,
            ReloadSignal = 10,
        };
        Assert.True(StandInOptions.TryParse([.. options.ToArguments().Skip(1)], out var read, out _));
        Assert.Equal(options.ToArguments(), read.ToArguments());
        Assert.False(StandInOptions.TryParse(["--replica"], out _, out var problem));
        Assert.Equal("`--replica` needs a value", problem);
    }

    private static ServiceSpec Service(ProbeSpec probe) =>
        new(new ServiceName("db"), Somewhere) { Healthcheck = new HealthcheckSpec(probe, Somewhere) { Interval = TimeSpan.FromSeconds(7) } };
}
