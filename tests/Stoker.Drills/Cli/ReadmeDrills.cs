using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Cli;

/// <summary>What the README tells a newcomer to type, typed: each command of its tour, in order, in the estates that it names.</summary>
public sealed partial class ReadmeDrills
{
    /// <summary>A service that is asked to crash does not answer, which is what the line is there to show.</summary>
    private const string Crashes = "/crash";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    public static TheoryData<int> Blocks => [.. Enumerable.Range(0, Tours().Count)];

    [Theory]
    [MemberData(nameof(Blocks))]
    public async Task Every_command_of_the_tour_does_what_it_says(int block)
    {
        using var place = new Place();
        var script = new StringBuilder("trap '\"$stoker\" $file down >/dev/null 2>&1' EXIT\n");
        foreach (var command in Tours()[block])
        {
            if (EstateFile().Match(command) is { Success: true } named) script.Append(System.Globalization.CultureInfo.InvariantCulture, $"file='{named.Value}'\n");
            script.Append(System.Globalization.CultureInfo.InvariantCulture, $"{command}\ncode=$?\n");
            if (!command.Contains(Crashes, StringComparison.Ordinal)) script.Append(System.Globalization.CultureInfo.InvariantCulture, $"[ $code = 0 ] || {{ echo \"exit code $code\" >&2; exit 1; }}\n");
        }

        var (code, said) = await place.RunAsync(script.ToString());
        Assert.True(code == 0, said);
        Assert.DoesNotContain("fault of Stoker", said, StringComparison.Ordinal);
    }

    /// <summary>The blocks of commands between the heading of the tour and the next one.</summary>
    private static List<List<string>> Tours()
    {
        var readme = File.ReadAllText(Path.Combine(Machine.Repository, "README.md"));
        var from = readme.IndexOf("## Five minutes", StringComparison.Ordinal);
        var tour = readme[from..readme.IndexOf("\n## ", from + 1, StringComparison.Ordinal)];
        return [.. CodeBlock().Matches(tour).Where(block => block.Groups[1].Length == 0).Select(block => Commands(block.Groups[2].Value)).Where(commands => commands.Exists(c => c.Contains("stoker", StringComparison.Ordinal)))];
    }

    private static List<string> Commands(string block) =>
        [.. block.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Replace("../../stoker", "\"$stoker\"", StringComparison.Ordinal).Replace("./stoker", "\"$stoker\"", StringComparison.Ordinal))];

    [GeneratedRegex("^```(\\w*)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"-f \S+")]
    private static partial Regex EstateFile();

    /// <summary>A copy of the estates, with a state directory of its own.</summary>
    private sealed class Place : IDisposable
    {
        private readonly string _directory = Directory.CreateTempSubdirectory("stoker-readme-").FullName;

        public Place()
        {
            using var copy = Process.Start("cp", ["-r", Path.Combine(Machine.Repository, "estates"), _directory]);
            copy.WaitForExit();
            Assert.Equal(0, copy.ExitCode);
        }

        public async Task<(int Code, string Said)> RunAsync(string script)
        {
            var start = new ProcessStartInfo("bash", ["-x", "-c", script]) { WorkingDirectory = _directory, RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["stoker"] = Machine.Program;
            start.Environment["STOKER_STATE"] = Path.Combine(_directory, "state");
            using var bash = Process.Start(start)!;
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            cancel.CancelAfter(Limit);
            var said = Task.WhenAll(bash.StandardOutput.ReadToEndAsync(cancel.Token), bash.StandardError.ReadToEndAsync(cancel.Token));
            await bash.WaitForExitAsync(cancel.Token);
            return (bash.ExitCode, string.Join('\n', await said));
        }

        public void Dispose() => Directory.Delete(_directory, recursive: true);
    }
}
