using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Platform;

/// <summary>A directory of its own and short ways to start real processes in it; what still runs is killed at the end.</summary>
internal sealed class Workshop : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static readonly IReadOnlyDictionary<string, string> PlainEnvironment =
        new Dictionary<string, string> { ["PATH"] = Executables.DefaultPath };

    private readonly List<ChildProcess> _started = [];

    public Workshop() => Directory.CreateDirectory(Root);

    public string Root { get; } = Path.Combine(Path.GetTempPath(), "stoker-platform-" + Guid.NewGuid().ToString("N"));

    public string PathOf(string name) => Path.Combine(Root, name);

    public static LaunchRequest Shell(string script, string? output = null) =>
        new("/bin/sh", ["-c", script], PlainEnvironment, "/") { Output = output, ErrorOutput = output };

    public ChildProcess Launch(LaunchRequest request)
    {
        var outcome = ProcessLauncher.Launch(request);
        Assert.True(outcome is LaunchOutcome.Launched, outcome.ToString());
        var process = ((LaunchOutcome.Launched)outcome).Process;
        _started.Add(process);
        return process;
    }

    public ChildProcess Launch(string script) => Launch(Shell(script));

    public static LaunchOutcome.Refused Refusal(LaunchRequest request) =>
        Assert.IsType<LaunchOutcome.Refused>(ProcessLauncher.Launch(request));

    public async Task<ExitStatus> Run(string script) => await End(Launch(script));

    /// <summary>What a request writes to both outputs until it ends.</summary>
    public async Task<string> Output(LaunchRequest request)
    {
        var file = NewFile();
        await End(Launch(request with { Output = file, ErrorOutput = file }));
        return await File.ReadAllTextAsync(file);
    }

    public Task<string> Output(string script) => Output(Shell(script));

    public string NewFile(string content = "")
    {
        var path = PathOf(Guid.NewGuid().ToString("N"));
        File.WriteAllText(path, content);
        return path;
    }

    public string NewScript(string content, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute)
    {
        var path = NewFile(content);
        File.SetUnixFileMode(path, mode);
        return path;
    }

    public static Task<ExitStatus> End(ChildProcess process) => process.Exit.WaitAsync(Patience);

    /// <summary>Waits until something that other processes do has happened.</summary>
    public static async Task<T> Eventually<T>(Func<T?> look)
        where T : class
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            if (look() is { } seen)
            {
                return seen;
            }

            await Task.Delay(1, limit.Token);
        }
    }

    public static Task Until(Func<bool> predicate) => Eventually(() => predicate() ? "so" : null);

    /// <summary>A whole line that a process writes to a file.</summary>
    public static Task<string> Line(string file) =>
        Eventually(() => File.Exists(file) && File.ReadAllText(file) is var text && text.EndsWith('\n') ? text.Trim() : null);

    public void Dispose()
    {
        foreach (var process in _started)
        {
            ProcessTree.KillAll(process.Id, process.Pid, null);
        }

        Directory.Delete(Root, recursive: true);
    }
}
