using Stoker.Estates;
using Stoker.Platform;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Supervision;

public sealed class JournalTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("stoker-journal-").FullName;

    private string Place => Path.Combine(_directory, "journal.ndjson");

    [Fact]
    public void What_is_written_is_read_back_whole_by_the_next_daemon()
    {
        var journal = Journal.Open(Place, TimeProvider.System);
        journal.Write("daemon_started", "daemon 1 started");
        journal.Write(new ServiceName("vision"), 2, "became_healthy", ServiceState.Healthy, "vision.2 is healthy: `ok` \"quoted\" — ü", 1);

        var read = Journal.Read(Place, after: 0).ToList();

        Assert.Equal(journal.After(0).Lines, read);
        Assert.Equal(3, Journal.Open(Place, TimeProvider.System).Write("daemon_started", "the next"));
        Assert.Contains("`ok`", File.ReadAllText(Place));
    }

    [Fact]
    public void A_line_torn_by_a_full_disk_swallows_neither_itself_nor_the_next()
    {
        Journal.Open(Place, TimeProvider.System).Write("one", "first");
        File.AppendAllText(Place, "\n{\"sequence\":2,\"at\":\"20");

        Journal.Open(Place, TimeProvider.System).Write("two", "second");

        Assert.Equal(["first", "second"], Journal.Read(Place, after: 0).Select(e => e.Text));
    }

    [Fact]
    public void A_line_is_read_whatever_the_order_of_its_keys_and_whatever_else_it_says()
    {
        var read = JournalLine.Read("{\"text\":\"up\",\"later\":{\"a\":[1]},\"state\":\"healthy\",\"kind\":\"k\",\"cause\":null,\"sequence\":7}"u8);

        Assert.Equal(new EstateEvent(7, default, null, null, "k", ServiceState.Healthy, "up", null), read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"sequence\":\"seven\"}")]
    [InlineData("{\"sequence\":7,\"state\":\"well\"}")]
    [InlineData("{\"sequence\":7")]
    public void What_is_no_event_is_not_read_as_one(string line) =>
        Assert.ThrowsAny<System.Text.Json.JsonException>(() => JournalLine.Read(System.Text.Encoding.UTF8.GetBytes(line)));

    [Fact]
    public async Task A_follower_hears_of_the_next_line()
    {
        var journal = Journal.Open(Place, TimeProvider.System);
        var (lines, next) = journal.After(0);
        Assert.Empty(lines);

        journal.Write("one", "first");

        await next.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal("first", Assert.Single(journal.After(0).Lines).Text);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
