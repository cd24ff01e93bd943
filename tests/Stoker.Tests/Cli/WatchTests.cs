using System.Text;
using Stoker.Cli;
using Stoker.Cli.Watching;
using Stoker.Daemon.Protocol;
using Stoker.Supervision;
using Xunit;

namespace Stoker.Tests.Cli;

public sealed class WatchTests
{
    private static WatchModel Model { get; } = WatchKeys.See(new WatchModel(), Sample.AiSystem, FrozenClock.Noon);

    [Fact]
    public void The_screen_is_a_title_the_services_and_a_line_of_keys_in_exactly_its_rows()
    {
        var lines = WatchView.Lay(Model, new TerminalSize(80, 16), new FrozenClock(), Style.None);

        Assert.Equal(
        [
            "ai-system on mainpc: 2 healthy, 1 completed, 1 waiting, 1 backoff (* 1… 12:00:00",
            "",
            "NAME      STATE        FOR  RESTARTS  PID  PORTS      REASON",
            "\e[7mmigrate   completed  1h08m         0                                            \e[0m",
            "infra_core",
            "  redis   backoff     3.0s         4       6379       exited with 1: bind: addr…",
            "  kafka   healthy*   1h06m         0  813  9092       stand-in: `kafka-server-s…",
            "vision_gpu",
            "  vision  waiting      12s         0       7300       for redis",
            "  speech  healthy    1d01h         0   ×2  7310,7311",
            "    .1    healthy    1d01h         0  900  7310",
            "    .2    starting    0.4s         0  901  7311       connection refused by 127…",
            "",
            "",
            "",
            "↑↓ select  enter logs  w why  r restart  s stop  / filter  ? help  q quit",
        ],
        lines);
    }

    [Fact]
    public void The_selected_service_stays_in_view_where_the_list_is_longer_than_the_screen()
    {
        var many = Sample.Estate([.. Enumerable.Range(1, 100).Select(i => Sample.Service($"s{i}", ServiceState.Healthy))]);
        var model = Press(WatchKeys.See(new WatchModel(), many, FrozenClock.Noon), KeyKind.End);

        var lines = WatchView.Lay(model, new TerminalSize(80, 12), new FrozenClock(), Style.None);

        Assert.Equal(12, lines.Count);
        Assert.Contains(lines, line => line.StartsWith("\e[7ms100 ", StringComparison.Ordinal));
    }

    [Fact]
    public void The_selection_stays_on_its_service_when_others_come_and_goes_to_the_first_when_it_is_gone()
    {
        var model = Press(Press(Model, KeyKind.Down), KeyKind.Down);
        Assert.Equal("kafka", model.Selected);

        model = WatchKeys.See(model, Sample.AiSystem with { Services = [Sample.Service("aaa", ServiceState.Healthy), .. Sample.AiSystem.Services] }, FrozenClock.Noon);
        Assert.Equal("kafka", model.Selected);

        model = WatchKeys.See(model, Sample.Estate(Sample.Service("aaa", ServiceState.Healthy)), FrozenClock.Noon);
        Assert.Equal("aaa", model.Selected);
    }

    [Fact]
    public void A_restart_is_asked_first_and_any_key_but_y_leaves_things_as_they_are()
    {
        var asking = Type(Press(Model, KeyKind.Down), "r").Model;
        Assert.Equal("restart redis?  y: yes, any other key: no", WatchView.Lay(asking, new TerminalSize(80, 10), new FrozenClock(), Style.None)[^1]);

        Assert.Equal(new WatchCommand.Request("redis", "restart"), Type(asking, "y").Command);
        Assert.Null(Type(asking, "r").Command);
        Assert.Null(Type(Type(asking, "n").Model, "y").Command);
    }

    [Fact]
    public void What_is_over_is_offered_a_start_in_place_of_a_stop()
    {
        Assert.Equal(new WatchCommand.Request("migrate", "start"), Type(Model, "s").Model.Asked);
        Assert.Equal(new WatchCommand.Request("redis", "stop"), Type(Press(Model, KeyKind.Down), "s").Model.Asked);
    }

    [Fact]
    public void Leaving_the_view_of_ones_own_daemon_is_asked_first_but_Ctrl_C_is_not()
    {
        var owner = Model with { IsOwner = true };
        Assert.Null(Type(owner, "q").Command);
        Assert.Equal(new WatchCommand.Quit(), Type(owner, "qy").Command);
        Assert.Equal(new WatchCommand.Quit(), WatchKeys.Press(owner, new Key(KeyKind.Interrupt)).Command);
        Assert.Equal(new WatchCommand.Quit(), Type(Model, "q").Command);
    }

    [Fact]
    public void A_filter_matches_names_groups_and_states_and_letters_in_it_are_no_keys()
    {
        var model = Type(Model, "/waiq").Model;
        Assert.Empty(model.Shown);
        model = Press(model, KeyKind.Backspace);
        Assert.Equal(["vision"], model.Shown.Select(s => s.Name));
        Assert.Equal("vision", model.Selected);

        Assert.Equal(5, Press(model, KeyKind.Escape).Shown.Count);
        Assert.Equal(["redis", "kafka"], Type(Model, "/infra").Model.Shown.Select(s => s.Name));
    }

    [Fact]
    public void Only_lines_that_changed_are_painted_and_nothing_when_nothing_did()
    {
        var painter = new ScreenPainter();
        painter.Paint(["one", "two", "three"]);

        Assert.Equal("", painter.Paint(["one", "two", "three"]));
        Assert.Equal("\e[?2026h\e[?7l\e[2;1H2\e[K\e[?7h\e[?2026l", painter.Paint(["one", "2", "three"]));
        Assert.Equal("\e[?2026h\e[?7l\e[3;1H\e[K\e[?7h\e[?2026l", painter.Paint(["one", "2"]));
    }

    [Fact]
    public void Keys_are_read_from_what_terminals_send()
    {
        var keys = KeyDecoder.Decode("j\e[A\eOB\e[5~\e[200~ü\r\x7f\x03\e"u8);

        Assert.Equal(
            [KeyKind.Character, KeyKind.Up, KeyKind.Down, KeyKind.PageUp, KeyKind.Character, KeyKind.Enter, KeyKind.Backspace, KeyKind.Interrupt, KeyKind.Escape],
            keys.Select(k => k.Kind));
        Assert.Equal(new Rune('ü'), keys[4].Character);
    }

    [Fact]
    public async Task The_view_follows_the_daemon_shows_logs_and_leaves_the_terminal_as_it_was()
    {
        using var world = new FakeWorld();
        await using var daemon = await FakeDaemon.StartAsync(world.State, Sample.AiSystem);
        daemon.Answers["GET /v1/logs"] = (200, """{"at":"2026-11-21T11:59:00Z","service":"migrate","replica":1,"stream":"stdout","text":"42 tables","partial":false}""" + "\n");
        var screen = new FakeScreen();
        world.Terminal.Screen = screen;
        world.Terminal.OutputIsTerminal = true;

        var watching = Task.Run(() => world.Run("status", "--watch"));
        await UntilAsync(() => screen.Written.Contains("exited with 1", StringComparison.Ordinal));
        daemon.Become(Sample.Estate(Sample.Service("migrate", ServiceState.Failed)));
        await UntilAsync(() => screen.Written.Contains("1 failed", StringComparison.Ordinal));
        screen.Press(KeyKind.Enter);
        await UntilAsync(() => screen.Written.Contains("11:59:00.000 42 tables", StringComparison.Ordinal));
        screen.Press(KeyKind.Escape);
        screen.Press('q');

        Assert.Equal(ExitCode.Done, await watching);
        Assert.True(screen.IsClosed);
        Assert.Equal("", world.Output.ToString());
    }

    [Fact]
    public async Task The_view_ends_with_its_daemon()
    {
        using var world = new FakeWorld();
        await using var daemon = await FakeDaemon.StartAsync(world.State, Sample.AiSystem);
        var screen = new FakeScreen();
        world.Terminal.Screen = screen;

        var watching = Task.Run(() => world.Run("status", "--watch"));
        await UntilAsync(() => screen.Written.Length > 0);
        daemon.End();

        Assert.Equal(ExitCode.NoDaemon, await watching);
        Assert.True(screen.IsClosed);
    }

    private static WatchModel Press(WatchModel model, KeyKind kind) => WatchKeys.Press(model, new Key(kind)).Model;

    private static (WatchModel Model, WatchCommand? Command) Type(WatchModel model, string text)
    {
        WatchCommand? command = null;
        foreach (var rune in text.EnumerateRunes()) (model, command) = WatchKeys.Press(model, new Key(KeyKind.Character, rune));
        return (model, command);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition()) await Task.Delay(5, patience.Token);
    }
}
