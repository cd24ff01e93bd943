using Stoker.Cli;
using Xunit;

namespace Stoker.Tests.Cli;

public sealed class LogsTests
{
    [Theory]
    [InlineData("calm", "alone\n")]
    [InlineData("web", "web | one\nweb.2 | two\n")]
    [InlineData("calm web", "calm | alone\nweb  | one\nweb.2 | two\n")]
    public void Lines_have_the_name_of_who_wrote_them_unless_there_is_but_one(string names, string expected)
    {
        using var world = new FakeWorld();
        Directory.CreateDirectory(world.State.Logs);
        Write("calm.1", 1, "alone");
        Write("web.1", 2, "one");
        Write("web.2", 3, "two");
        Assert.Equal(0, CommandLine.Run(["--state", world.State.Path, "logs", .. names.Split(' ')], world.Surroundings));
        Assert.Equal(expected, world.Output.ToString());

        void Write(string replica, int second, string text) =>
            File.WriteAllText(Path.Combine(world.State.Logs, $"{replica}.log"), $"2026-11-21T06:28:0{second}.000000000Z stdout F {text}\n");
    }
}
