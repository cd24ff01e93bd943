using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace Stoker.Drills.Shared;

/// <summary>What a command printed and how it ended.</summary>
public sealed record Ran(int Code, string Output, string Errors)
{
    public JsonNode Json => JsonNode.Parse(Output)!;

    public Ran Succeeded()
    {
        Assert.True(Code == 0, $"exit code {Code}\n{Output}\n{Errors}");
        return this;
    }
}

/// <summary>
/// The program as its users run it, with one estate in a directory of its own. Everything that it started is gone when it is
/// disposed, whatever the test did.
/// </summary>
public sealed class Machine : IDisposable
{
    private readonly List<string> _prefix = [];

    public Machine(string estate, string? stateDirectory = null)
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("stoker-drill-").FullName;
        State = stateDirectory ?? Path.Combine(Directory, "state");
        Write("stoker.yaml", estate);
    }

    /// <summary>Where the solution is.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The build that <c>./stoker</c> made last, itself: a source that changes while drills run must not rebuild under them.</summary>
    public static string Program { get; } =
        Path.Combine(File.ResolveLinkTarget(Path.Combine(Repository, "artifacts", "stoker", "current"), returnFinalTarget: true)!.FullName, "stoker");

    public string Directory { get; }

    public string State { get; }

    /// <summary>Added to the environment of the program.</summary>
    public Dictionary<string, string> Variables { get; } = [];

    /// <summary>Words put before the program: <c>ip netns exec a</c>.</summary>
    public IList<string> Prefix => _prefix;

    public void Write(string name, string text) => File.WriteAllText(Path.Combine(Directory, name), text);

    public Ran Run(params string[] arguments) => RunFor(TimeSpan.FromSeconds(60), arguments);

    public Ran RunFor(TimeSpan limit, params string[] arguments)
    {
        using var process = Start(arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(limit))
        {
            process.Kill();
            Assert.Fail($"stoker {string.Join(' ', arguments)} did not end within {limit}\n{output.Result}\n{errors.Result}");
        }

        process.WaitForExit();
        return new Ran(process.ExitCode, output.Result, errors.Result);
    }

    public Process Start(params string[] arguments)
    {
        var words = Prefix.Concat([Program, .. arguments]).ToList();
        var start = new ProcessStartInfo(words[0]) { WorkingDirectory = Directory, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var word in words.Skip(1)) start.ArgumentList.Add(word);
        start.Environment["STOKER_STATE"] = State;
        start.Environment["NO_COLOR"] = "1";
        foreach (var (name, value) in Variables) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public Machine Up(params string[] more)
    {
        Run(["up", "-d", .. more]).Succeeded();
        return this;
    }

    public JsonArray Services() => Run("status", "--json").Succeeded().Json["services"]!.AsArray();

    public JsonNode Service(string name) => Services().First(s => (string)s!["name"]! == name)!;

    /// <summary><c>absent</c> where a daemon that has just begun does not show it yet.</summary>
    public string StateOf(string name) => (string?)Services().FirstOrDefault(s => (string)s!["name"]! == name)?["state"] ?? "absent";

    public int PidOf(string name) => (int)Service(name)["pid"]!;

    /// <summary>Waits for a level, never for an edge: asks until it is so.</summary>
    public void Until(string what, Func<bool> isSo, TimeSpan? limit = null)
    {
        var clock = Stopwatch.StartNew();
        while (!isSo())
        {
            if (clock.Elapsed > (limit ?? TimeSpan.FromSeconds(90)))
                Assert.Fail($"not within {clock.Elapsed.TotalSeconds:0} s: {what}\n{Run("status").Output}\n{Run("events").Output}");
            Thread.Sleep(20);
        }
    }

    public void UntilState(string service, string state) => Until($"{service} is {state}", () => StateOf(service) == state);

    public int DaemonPid => (int)Run("daemon", "status", "--json").Succeeded().Json["pid"]!;

    public void KillDaemon()
    {
        var pid = DaemonPid;
        Kill(pid);
    }

    public static void Kill(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            // It ended by itself just now.
        }

        // Killed, and seen to be gone: a zombie of ours counts as gone.
        Spin(() => !Alive(pid));
    }

    public static bool Alive(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Living processes that carry this estate's mark, by service.</summary>
    public ILookup<string, int> Processes()
    {
        var found = new List<(string Service, int Pid)>();
        foreach (var directory in System.IO.Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var pid)) continue;
            try
            {
                var variables = File.ReadAllText($"{directory}/environ").Split('\0');
                if (!variables.Contains($"DRILL={Directory}") || !Alive(pid)) continue;
                found.Add((variables.First(v => v.StartsWith("STOKER_SERVICE=", StringComparison.Ordinal))[15..], pid));
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException or InvalidOperationException)
            {
                // Ended meanwhile, or a child that has not begun yet.
            }
        }

        return found.ToLookup(f => f.Service, f => f.Pid);
    }

    /// <summary>Each file of the state directory with its text, but sockets, locks and those of which <paramref name="isMeant"/> is false.</summary>
    public IEnumerable<(string File, string Text)> Kept(Func<string, bool> isMeant)
    {
        foreach (var file in System.IO.Directory.EnumerateFiles(State, "*", SearchOption.AllDirectories))
        {
            if (Path.GetExtension(file) is ".sock" or ".lock" || !isMeant(file)) continue;
            string text;
            try
            {
                text = File.ReadAllText(file);
            }
            catch (FileNotFoundException)
            {
                // The daemon goes on while its files are read: what is to take another's place has taken it, under that one's name.
                continue;
            }

            yield return (file, text);
        }
    }

    private static void Spin(Func<bool> isSo)
    {
        var clock = Stopwatch.StartNew();
        while (!isSo() && clock.Elapsed < TimeSpan.FromSeconds(10)) Thread.Sleep(1);
    }

    public void Dispose()
    {
        try
        {
            RunFor(TimeSpan.FromSeconds(30), "down");
        }
        catch (Xunit.Sdk.XunitException)
        {
            // The processes are ended below in any case.
        }

        if (File.Exists(Path.Combine(State, "daemon.lock")) && int.TryParse(Stoker.Platform.Files.ReadAllText(Path.Combine(State, "daemon.lock")).Replace("pid ", "").Trim(), out var daemon) && Alive(daemon))
        {
            Kill(daemon);
        }

        foreach (var process in Processes().SelectMany(p => p)) Kill(process);
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private static string FindRepository()
    {
        for (var at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            if (File.Exists(Path.Combine(at, "Stoker.slnx"))) return at;
        }

        throw new InvalidOperationException("the repository is not above the tests");
    }
}
