using System.Text;
using System.Text.Json;
using Stoker.Cli;
using Stoker.Daemon;
using Stoker.Daemon.Protocol;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Cli;

public sealed class ProtocolTests
{
    [Fact]
    public void The_status_written_and_read_by_hand_is_that_of_generated_code()
    {
        var status = Sample.AiSystem with
        {
            Services =
            [
                .. Sample.AiSystem.Services,
                Sample.Service("all", ServiceState.Failed) with
                {
                    NotEnforced = ["memory limit"],
                    Replicas =
                    [
                        new ReplicaDocument(1, ServiceState.Stopped, Sample.Ago(1))
                        {
                            LastExit = new ExitDocument(null, 9, Sample.Ago(2), "`ümlaut`", OutOfMemory: true), RetryAt = Sample.Ago(-5), LastProbe = "x", OwnStatus = "y", CpuPercent = 12.5, MemoryBytes = 1L << 40,
                        },
                    ],
                },
            ],
        };
        var json = JsonSerializer.SerializeToUtf8Bytes(status, ControlJson.Readable.StatusDocument);

        Assert.Equal(json, StatusWriting.Write(status));
        Assert.Equal(json, JsonSerializer.SerializeToUtf8Bytes(StatusReading.Read(json), ControlJson.Readable.StatusDocument));
    }

    [Fact]
    public void Every_state_is_read_by_hand()
    {
        foreach (var state in Enum.GetValues<ServiceState>())
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(Sample.Estate(Sample.Service("s", state)), ControlJson.Readable.StatusDocument);
            Assert.Equal(state, Assert.Single(StatusReading.Read(json).Services).State);
        }
    }

    [Fact]
    public void An_answer_in_chunks_is_put_together_and_one_that_broke_off_is_not_taken_for_whole()
    {
        const string Head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

        Assert.Equal("hello world", Body(Head + "6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n"));
        Assert.Throws<IOException>(() => Body(Head + "6\r\nhello \r\n5\r\nwor"));
        Assert.Throws<IOException>(() => Body(Head + "6\r\nhello \r\n"));
        Assert.Throws<IOException>(() => Body("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"));
        Assert.Throws<IOException>(() => Body("HTTP/1.1 200 OK\r\nContent-Le"));
        Assert.Throws<IOException>(() => Body("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
    }

    [Fact]
    public async Task A_state_directory_deeper_than_a_socket_address_is_listened_on_and_reached()
    {
        using var world = new FakeWorld();
        var deep = new StateDirectory(Path.Combine(world.Directory, new string('d', 100), new string('e', 100)));
        await using var daemon = await FakeDaemon.StartAsync(deep, Sample.AiSystem);

        Assert.IsType<ControlReply<StatusDocument>.Answered>(new ControlClient(deep, TimeSpan.FromSeconds(10)).Status());
        Assert.True(File.Exists(deep.ControlSocket));
    }

    [Fact]
    public async Task A_stream_tells_a_daemon_that_ended_it_from_one_that_died()
    {
        using var world = new FakeWorld();
        await using var daemon = await FakeDaemon.StartAsync(world.State, Sample.AiSystem);
        var reply = await new ControlClient(world.State, TimeSpan.FromSeconds(10)).FollowStatusAsync(CancellationToken.None);
        using var stream = Assert.IsType<ControlReply<ControlStream<StatusDocument>>.Answered>(reply).Document;

        Assert.NotNull(await stream.NextAsync(CancellationToken.None));
        daemon.End();
        Assert.Null(await stream.NextAsync(CancellationToken.None));
        Assert.True(stream.EndedWell);
    }

    [Fact]
    public void A_daemon_that_takes_the_connection_and_says_nothing_counts_as_not_answering()
    {
        using var world = new FakeWorld();
        Directory.CreateDirectory(world.State.Path);
        using var mute = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        mute.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(world.State.ControlSocket));
        mute.Listen();

        var reply = new ControlClient(world.State, TimeSpan.FromMilliseconds(50)).Status();

        Assert.Contains("gave no answer", Assert.IsType<ControlReply<StatusDocument>.NoDaemon>(reply).Reason);
    }

    [Theory]
    [InlineData("/var/lib/stoker/demo", true, null)]
    [InlineData("/home/ada/.local/state/stoker/demo", false, null)]
    [InlineData("/x/stoker/demo", false, "/x")]
    [InlineData("/home/ada/.local/state/stoker/demo", false, "relative")]
    public void The_state_directory_follows_from_the_user_and_the_estates_name(string expected, bool root, string? xdg)
    {
        var variables = new Dictionary<string, string> { ["HOME"] = "/home/ada" };
        if (xdg is not null) variables["XDG_STATE_HOME"] = xdg;
        Assert.Equal(expected, StateDirectory.Of("demo", variables, root).Path);
    }

    [Theory]
    [InlineData("name: ai-system\nservices: {}\n", "ai-system")]
    [InlineData("\uFEFF# hello\n---\nservices:\n  name: {command: x}\nname: 'demo' # the name\r\n", "demo")]
    [InlineData("services: {}\n", "(absent)")]
    [InlineData("include: [x.yaml]\nservices: {}\n", "(unclear)")]
    [InlineData("{name: demo}", "(unclear)")]
    [InlineData("name: ${NAME}\n", "(unclear)")]
    [InlineData("name: Demo\n", "(unclear)")]
    [InlineData("\"name\": demo\n", "(unclear)")]
    [InlineData("name:\n  demo\n", "(unclear)")]
    public void The_name_of_an_estate_is_told_without_reading_its_file_or_not_at_all(string content, string expected) => Assert.Equal(
        expected,
        EstateNameScan.Scan(Encoding.UTF8.GetBytes(content)) switch
        {
            EstateNameScan.Outcome.Named named => named.Name,
            EstateNameScan.Outcome.Absent => "(absent)",
            _ => "(unclear)",
        });

    private static string Body(string answer) => Encoding.UTF8.GetString(ControlAnswer.Parse(Encoding.ASCII.GetBytes(answer)).Body.Span);
}
