using Stoker.Daemon;
using Stoker.Daemon.Protocol;
using Stoker.Estates.Yaml;

namespace Stoker.Cli;

/// <summary>
/// All that the command line sees of the world. <c>Program</c> fills it from the real one, a test from what the test is about.
/// </summary>
internal sealed record Surroundings
{
    /// <summary>Data, and nothing else.</summary>
    public required TextWriter Output { get; init; }

    /// <summary>Progress, remarks, diagnostics.</summary>
    public required TextWriter Error { get; init; }

    public required ITerminal Terminal { get; init; }

    /// <summary>The environment that the verb was called with.</summary>
    public required IReadOnlyDictionary<string, string> Variables { get; init; }

    public required bool IsRoot { get; init; }

    /// <summary>Absolute path of this program.</summary>
    public required string Executable { get; init; }

    public required string CurrentDirectory { get; init; }

    public required TimeProvider Clock { get; init; }

    public required IEstateFiles Files { get; init; }

    public required IDaemonDoor Daemons { get; init; }

    /// <summary>What this machine has, for a plan without a daemon.</summary>
    public required IMachine Machine { get; init; }

    /// <summary>What this machine is, for facts, checks and layers. Made when it is asked for.</summary>
    public required Func<Hosts.Facts.FactDoors> Facts { get; init; }

    /// <summary>Ctrl-C and SIGTERM, from the moment a verb asks for them; before that they end the program as usual.</summary>
    public required Func<IInterrupts> Interrupts { get; init; }

    /// <summary>The GPUs' driver, opened by whoever looks at them without a daemon.</summary>
    public Func<Platform.Gpus.GpuOpening> Gpus { get; init; } = () => Platform.Gpus.NvmlDriver.Open();

    /// <summary>What a diagnosis of GPUs sees of the machine beside their driver. Made when it is asked for.</summary>
    public required Func<Gpus.Diag.DiagDoors> Diag { get; init; }

    /// <summary>What secrets are made of.</summary>
    public Keys.SecretSource Chance { get; init; } = Platform.SecureRandomness.Fill;

    /// <summary>How long an answer of the daemon may take.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The same for completion, which a person waits for between two keys.</summary>
    public TimeSpan CompletionPatience { get; init; } = TimeSpan.FromMilliseconds(300);

    public ControlClient Control(StateDirectory state) => new(state, Patience);
}

/// <summary>The terminal, where there is one.</summary>
internal interface ITerminal
{
    bool OutputIsTerminal { get; }

    bool ErrorIsTerminal { get; }

    /// <summary>80 by 24 where it cannot be known.</summary>
    TerminalSize Size { get; }

    /// <summary>Key by key, on the alternate screen, until disposed; null when input or output is not a terminal.</summary>
    IScreen? OpenScreen();
}

internal readonly record struct TerminalSize(int Columns, int Rows);

/// <summary>The alternate screen with its keyboard. Disposing restores the terminal, and so does the end of the process.</summary>
internal interface IScreen : IDisposable
{
    void Write(string frame);

    /// <summary>What happened since: keys and changes of size, in order.</summary>
    ValueTask<ScreenInput> NextAsync(CancellationToken cancel);
}

/// <summary>A key press, or a new size of the window.</summary>
internal abstract record ScreenInput
{
    internal sealed record Pressed(Key Key) : ScreenInput;

    internal sealed record Resized : ScreenInput;

    /// <summary>The terminal is gone.</summary>
    internal sealed record Closed : ScreenInput;
}

/// <summary>The daemon of an estate, begun from here.</summary>
internal interface IDaemonDoor
{
    /// <summary>Makes this process the daemon, until <paramref name="stop"/> is cancelled or it is told to end.</summary>
    Task<int> RunAsync(DaemonOptions options, CancellationToken stop);

    /// <summary>Starts one in the background, in its own session.</summary>
    DaemonStart Start(BackgroundDaemon daemon);
}

/// <summary>What became of a daemon that was to be started.</summary>
internal abstract record DaemonStart
{
    /// <param name="Exit">Completes when the process has ended.</param>
    internal sealed record Begun(int Pid, Task<Platform.ExitStatus> Exit) : DaemonStart;

    internal sealed record Refused(string Why) : DaemonStart;
}

/// <summary>A daemon to be started in the background, with what it is to do first.</summary>
/// <param name="Program">Absolute path of this program.</param>
internal sealed record BackgroundDaemon(string Program, DaemonOptions Options, IReadOnlyDictionary<string, string> Variables, string Directory)
{
    /// <summary>Words of <c>stoker daemon run</c>.</summary>
    public IReadOnlyList<string> Arguments
    {
        get
        {
            var first = Options.First;
            var words = new List<string> { "daemon", "run", "--state", Options.State.Path, "--name", Options.Estate };
            if (first is null) return words;
            words.Add("--apply");
            foreach (var file in first.Files) words.AddRange(["--file", file]);
            if (first.Env is { } env) words.AddRange(["--env", env]);
            if (first.Host is { } host) words.AddRange(["--host", host]);
            if (first.Rehearse) words.Add("--rehearse");
            foreach (var profile in first.Profiles) words.AddRange(["--profile", profile]);
            words.AddRange(first.Names);
            return words;
        }
    }
}

/// <summary>What the planner must know of this machine.</summary>
internal interface IMachine
{
    Planning.Observed Observe(Estates.EstateSpec estate, IReadOnlyDictionary<string, string> variables, StateDirectory state);

    /// <summary>How many processes of the estate live without their daemon.</summary>
    int CountLeftBehind(StateDirectory state);
}

/// <summary>Requests to end, counted.</summary>
internal interface IInterrupts : IDisposable
{
    /// <summary>Cancelled by the first Ctrl-C or SIGTERM.</summary>
    CancellationToken First { get; }

    /// <summary>Cancelled by the second.</summary>
    CancellationToken Second { get; }
}
