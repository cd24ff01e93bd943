using Stoker.Cli;
using Stoker.Daemon;
using Stoker.Estates;
using Stoker.Estates.Yaml;
using Stoker.Planning;
using Stoker.Platform;

namespace Stoker.Tests.Cli;

/// <summary>A world for the command line in which nothing but files is real.</summary>
internal sealed class FakeWorld : IDisposable
{
    private readonly Gateway.Chance _chance = new();

    public FakeWorld()
    {
        Directory = Path.Combine(Path.GetTempPath(), $"stoker-cli-{Guid.NewGuid():N}");
        System.IO.Directory.CreateDirectory(Directory);
    }

    public string Directory { get; }

    public StateDirectory State => new(Path.Combine(Directory, "state"));

    public StringWriter Output { get; } = new();

    public StringWriter Error { get; } = new();

    public FakeTerminal Terminal { get; } = new();

    public Dictionary<string, string> Variables { get; } = new() { ["HOME"] = "/home/ada" };

    public FrozenClock Clock { get; } = new();

    public FakeInterrupts Interrupts { get; } = new();

    public FakeDaemons Daemons { get; } = new();

    public FakeMachine Machine { get; } = new();

    public Func<Stoker.Hosts.Facts.FactDoors> Facts { get; set; } = () => throw new InvalidOperationException("this world has no machine to look at");

    public Func<Stoker.Platform.Gpus.GpuOpening> Gpus { get; set; } = () => new Stoker.Platform.Gpus.GpuOpening.NotThere();

    public Func<Stoker.Gpus.Diag.DiagDoors> Diag { get; set; } = () => throw new InvalidOperationException("this world has no machine to look at");

    public Surroundings Surroundings => new()
    {
        Output = Output,
        Error = Error,
        Terminal = Terminal,
        Variables = Variables,
        IsRoot = false,
        CurrentDirectory = Directory,
        Executable = "/usr/local/bin/stoker",
        Clock = Clock,
        Files = new EstateFiles(),
        Daemons = Daemons,
        Machine = Machine,
        Gpus = Gpus,
        Diag = Diag,
        Facts = Facts,
        Interrupts = () => Interrupts,
        Chance = _chance.Fill,
        Patience = TimeSpan.FromSeconds(30),
        CompletionPatience = TimeSpan.FromSeconds(30),
    };

    /// <summary>Runs one command line, its state directory being this world's.</summary>
    public ExitCode Run(params string[] words)
    {
        Variables["STOKER_STATE"] = State.Path;
        return (ExitCode)CommandLine.Run(words, Surroundings);
    }

    public void Write(string file, string content)
    {
        var path = Path.Combine(Directory, file);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
}

/// <summary>Stands still, so that durations in texts are the same in every run; timers are real.</summary>
internal sealed class FrozenClock : TimeProvider
{
    public static readonly DateTimeOffset Noon = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private long _stamp;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => Noon;

    /// <summary>How much later it is each time somebody looks, for durations that a test is about.</summary>
    public TimeSpan Step { get; set; }

    public Action OnLook { get; set; } = () => { };

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        OnLook();
        return _stamp += Step.Ticks;
    }
}

internal sealed class FakeTerminal : ITerminal
{
    public bool OutputIsTerminal { get; set; }

    public bool ErrorIsTerminal { get; set; }

    public TerminalSize Size { get; set; } = new(80, 24);

    public FakeScreen? Screen { get; set; }

    public IScreen? OpenScreen() => Screen;
}

/// <summary>Counts as pressed what a test says, and keeps what is shown.</summary>
internal sealed class FakeScreen : IScreen
{
    private readonly System.Threading.Channels.Channel<ScreenInput> _inputs = System.Threading.Channels.Channel.CreateUnbounded<ScreenInput>();
    private readonly System.Text.StringBuilder _written = new();

    public bool IsClosed { get; private set; }

    public string Written
    {
        get
        {
            lock (_written) return _written.ToString();
        }
    }

    public void Press(char character) => _inputs.Writer.TryWrite(new ScreenInput.Pressed(new Key(KeyKind.Character, new System.Text.Rune(character))));

    public void Press(KeyKind kind) => _inputs.Writer.TryWrite(new ScreenInput.Pressed(new Key(kind)));

    public void Resize() => _inputs.Writer.TryWrite(new ScreenInput.Resized());

    public void Write(string frame)
    {
        lock (_written) _written.Append(frame);
    }

    public ValueTask<ScreenInput> NextAsync(CancellationToken cancel) => _inputs.Reader.ReadAsync(cancel);

    public void Dispose() => IsClosed = true;
}

internal sealed class FakeInterrupts : IInterrupts
{
    private readonly CancellationTokenSource _first = new();
    private readonly CancellationTokenSource _second = new();

    public CancellationToken First => _first.Token;

    public CancellationToken Second => _second.Token;

    public void Press() => (_first.IsCancellationRequested ? _second : _first).Cancel();

    public void Dispose()
    {
        // Verbs dispose of it; a test may still press.
    }
}

/// <summary>Keeps what was to be started; a test may start a fake daemon in its place.</summary>
internal sealed class FakeDaemons : IDaemonDoor
{
    public List<BackgroundDaemon> Started { get; } = [];

    /// <summary>Says why nothing was started; null: a process with the pid 700.</summary>
    public Func<BackgroundDaemon, string?> OnStart { get; set; } = _ => null;

    /// <summary>The end of the process that was started last.</summary>
    public TaskCompletionSource<ExitStatus> Exit { get; set; } = new();

    public Func<DaemonOptions, CancellationToken, Task<int>> OnRun { get; set; } = (_, _) => Task.FromResult(0);

    public Task<int> RunAsync(DaemonOptions options, CancellationToken stop) => OnRun(options, stop);

    public DaemonStart Start(BackgroundDaemon daemon)
    {
        Started.Add(daemon);
        return OnStart(daemon) is { } why ? new DaemonStart.Refused(why) : new DaemonStart.Begun(700, Exit.Task);
    }
}

/// <summary>A machine on which every command is installed.</summary>
internal sealed class FakeMachine : IMachine
{
    public int LeftBehind { get; set; }

    public Observed Observe(EstateSpec estate, IReadOnlyDictionary<string, string> variables, StateDirectory state) => new()
    {
        Cpus = 16,
        Memory = new ByteSize(64L << 30),
        IsRoot = true,
        CgroupControllers = new HashSet<string> { "cpu", "memory", "pids" },
        Executables = CommandWords.ToLookUp(estate).ToDictionary(word => word, word => (string?)$"/usr/bin/{word}"),
    };

    public int CountLeftBehind(StateDirectory state) => LeftBehind;
}
