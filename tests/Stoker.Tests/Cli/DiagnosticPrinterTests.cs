using Stoker.Cli;
using Xunit;

namespace Stoker.Tests.Cli;

public sealed class DiagnosticPrinterTests
{
    [Fact]
    public void On_a_terminal_the_line_is_shown_with_a_caret_below_the_place()
    {
        using var world = new FakeWorld();
        world.Terminal.ErrorIsTerminal = true;
        world.Variables["NO_COLOR"] = "1";
        world.Write("stoker.yaml", "name: demo\nservices:\n  vision:\n    command: sleep 1\n    depends_on: [rediss]\n  redis: {command: sleep 1}\n");

        Assert.Equal(ExitCode.EstateIsWrong, world.Run("check"));
        Assert.Equal(
            """
            stoker.yaml:5:18: error EST021: service `vision` depends on unknown service `rediss`
               5 |     depends_on: [rediss]
                 |                  ^
              hint: did you mean `redis`?

            """,
            world.Error.ToString());
    }

    [Fact]
    public void A_place_far_to_the_right_of_a_long_line_is_brought_into_view()
    {
        using var world = new FakeWorld();
        world.Terminal.ErrorIsTerminal = true;
        world.Variables["NO_COLOR"] = "1";
        world.Write("stoker.yaml", $"name: demo\nservices:\n  vision: {{command: [echo, {new string('x', 300)}], depends_on: [rediss]}}\n");

        world.Run("check");

        var lines = world.Error.ToString().Split('\n');
        Assert.All(lines.Skip(1).Take(2), line => Assert.True(line.Length <= 80, line));
        Assert.Equal('r', lines[1][lines[2].IndexOf('^', StringComparison.Ordinal)]);
    }
}
