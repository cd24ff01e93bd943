using Xunit;

using System.Text;
using Stoker.Cli;

namespace Stoker.Tests.Cli;

/// <summary>
/// A file that reads like a terminal: <c>$ stoker …</c>, what it prints to stdout, what it prints to stderr behind <c>! </c>, and the
/// exit code in brackets where it is not 0. Lines before the first command set the scene:
/// <c>@file NAME</c> … <c>@end</c>, <c>@daemon SCENE</c>, <c>@terminal COLUMNSxROWS</c>, <c>@env NAME=VALUE</c>, <c>@ledger KEY…</c>, <c>@machine NAME</c>; <c>#</c> begins a comment.
/// The directory of the run is <c>/srv/lab</c> in the text.
/// </summary>
internal static class Transcript
{
    public static async Task<string> ReplayAsync(string text)
    {
        using var world = new FakeWorld();
        // A daemon that a transcript starts refuses what it is begun with.
        world.Daemons.Exit.SetResult(Stoker.Platform.ExitStatus.Exited((int)Stoker.Cli.ExitCode.NotAsItShouldBe));
        var lines = text.Split('\n');
        var result = new StringBuilder();
        FakeDaemon? daemon = null;
        try
        {
            for (var i = 0; i < lines.Length; i++)
            {
                var line = lines[i];
                if (line.StartsWith("$ ", StringComparison.Ordinal))
                {
                    result.Append(line).Append('\n').Append(Run(world, line[2..]));
                    // What stood there is what is compared.
                    while (i + 1 < lines.Length && !IsKept(lines[i + 1])) i++;
                    continue;
                }

                result.Append(line).Append(i + 1 < lines.Length ? "\n" : "");
                if (line.StartsWith("@file ", StringComparison.Ordinal))
                {
                    var content = lines.Skip(i + 1).TakeWhile(l => l != "@end").ToList();
                    world.Write(line["@file ".Length..], string.Join('\n', content) + "\n");
                    foreach (var each in content.Append("@end")) result.Append(each).Append('\n');
                    i += content.Count + 1;
                }
                else if (line.StartsWith('@'))
                {
                    daemon = await SetAsync(world, line, daemon);
                }
            }
        }
        finally
        {
            if (daemon is not null) await daemon.DisposeAsync();
        }

        return result.ToString();
    }

    private static bool IsKept(string line) => line.Length == 0 ? false : line.StartsWith("$ ", StringComparison.Ordinal) || line[0] is '#' or '@';

    private static async Task<FakeDaemon?> SetAsync(FakeWorld world, string line, FakeDaemon? daemon)
    {
        var (word, value) = (line.Split(' ', 2)[0], line.Split(' ', 2).ElementAtOrDefault(1) ?? "");
        switch (word)
        {
            case "@daemon":
                return await Scenes.StartAsync(world, value);
            case "@env":
                world.Variables[value.Split('=')[0]] = value.Split('=', 2)[1];
                return daemon;
            case "@terminal":
                var size = value.Split('x');
                world.Terminal.Size = new TerminalSize(int.Parse(size[0]), int.Parse(size[1]));
                world.Terminal.OutputIsTerminal = true;
                return daemon;
            case "@ledger":
                Ledgers.Write(world.State, value);
                return daemon;
            case "@machine":
                var captured = Hosts.Facts.CapturedMachine.Load(value);
                world.Facts = () => captured.Doors with { Clock = world.Clock };
                return daemon;
            case "@gpus":
                var bed = new Gpus.Diag.DiagBed();
                bed.Set(value);
                (world.Gpus, world.Diag) = (() => bed.Opening, () => bed.Doors);
                return daemon;
            case "@left-behind":
                world.Machine.LeftBehind = int.Parse(value);
                return daemon;
            default:
                throw new FormatException($"a transcript has no `{word}`");
        }
    }

    private static string Run(FakeWorld world, string command)
    {
        world.Output.GetStringBuilder().Clear();
        world.Error.GetStringBuilder().Clear();
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("stoker", words[0]);
        var code = world.Run(words[1..]);
        var text = new StringBuilder();
        foreach (var line in Lines(world.Output)) text.Append(line).Append('\n');
        foreach (var line in Lines(world.Error)) text.Append("! ").Append(line).Append('\n');
        if (code != ExitCode.Done) text.Append($"[{(int)code}]\n");
        return text.Append('\n').Replace(world.Directory, "/srv/lab").ToString();
    }

    private static IEnumerable<string> Lines(StringWriter writer)
    {
        var text = writer.ToString();
        return text.Length == 0 ? [] : text.TrimEnd('\n').Split('\n').Select(l => l.TrimEnd());
    }
}
