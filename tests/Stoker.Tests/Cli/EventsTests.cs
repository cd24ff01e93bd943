using Stoker.Cli;
using Stoker.Estates;
using Stoker.Platform;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Cli;

public sealed class EventsTests
{
    [Fact]
    public void Without_a_daemon_events_are_read_from_its_journal()
    {
        using var world = new FakeWorld();
        Files.CreateDirectory(world.State.Path);
        var journal = Journal.Open(world.State.Journal, world.Clock);
        journal.Write(new ServiceName("db"), 1, "started", ServiceState.Starting, "db started as pid 7", null);
        journal.Write(new ServiceName("web"), 1, "started", ServiceState.Running, "web started as pid 8", 1);

        Assert.Equal(ExitCode.Done, world.Run("events", "web", "--json"));

        Assert.Equal(File.ReadAllLines(world.State.Journal)[1], world.Output.ToString().TrimEnd('\n'));
        Assert.Equal("", world.Error.ToString());
    }

    [Theory]
    [InlineData("events")]
    [InlineData("events", "-f")]
    public void Where_there_is_neither_a_daemon_nor_a_journal_it_is_said_so(params string[] words)
    {
        using var world = new FakeWorld();

        Assert.Equal(ExitCode.NoDaemon, world.Run(words));
        Assert.Contains("no daemon answers", world.Error.ToString());
    }
}
