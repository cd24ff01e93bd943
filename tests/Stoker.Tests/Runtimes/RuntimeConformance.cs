using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Planning;
using Stoker.Platform;
using Stoker.Runtimes;
using Stoker.Tests.Platform;
using Xunit;

namespace Stoker.Tests.Runtimes;

/// <summary>What every runtime promises, whatever it starts. One short class for each implementation runs all of it.</summary>
public abstract class RuntimeConformance : IDisposable
{
    private protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _directory = Directory.CreateTempSubdirectory("stoker-runtime-").FullName;
    private readonly List<ConformanceRun> _runs = [];
    private readonly Dictionary<string, (FifoReader Output, FifoReader Errors)> _pipes = [];

    private protected abstract IRuntime Runtime { get; }

    /// <summary>Lets the declared command run by this runtime.</summary>
    private protected abstract ServicePlan PlanOf(ServiceSpec spec);

    /// <summary>Variables that come with the runtime, by name.</summary>
    private protected abstract IReadOnlyList<string> OwnVariables { get; }

    /// <summary>What is still there of a run beside marked processes of this machine; empty when nothing is.</summary>
    private protected virtual Task<IReadOnlyList<string>> RemainsAsync(string runId) => Task.FromResult<IReadOnlyList<string>>([]);

    [Fact]
    public async Task The_exit_code_is_reported()
    {
        using var run = Start("exit 7");
        Assert.Equal(7, (await run.EndAsync()).Code);
        await LeavesNothingAsync(run);
    }

    [Fact]
    public async Task Output_and_error_output_arrive_apart_and_whole()
    {
        using var run = Start("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo problem >&2; exit 0");
        Assert.True((await run.EndAsync()).IsSuccess);
        await run.UntilErrorAsync("problem");
        await run.UntilOutputAsync("line 2999\n");
        Assert.Equal(3000, run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.DoesNotContain("problem", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signal_reaches_the_main_process()
    {
        using var run = Start("trap 'echo heard' USR1; trap 'echo asked; exit 3' TERM; echo up; while :; do sleep 0.05; done");
        await run.UntilOutputAsync("up\n");
        Assert.Null(await Runtime.SignalAsync(run.Handle, Signals.User1));
        await run.UntilOutputAsync("heard\n");
        Assert.Null(await Runtime.SignalAsync(run.Handle, Signals.Terminate));
        Assert.Equal(3, (await run.EndAsync()).Code);
        await run.UntilOutputAsync("asked\n");
        Assert.Null(await Runtime.SignalAsync(run.Handle, Signals.Terminate));
        await LeavesNothingAsync(run);
    }

    [Fact]
    public async Task What_ignores_the_stop_signal_is_killed()
    {
        using var run = Start("trap '' TERM; echo up; while :; do sleep 0.05; done");
        await run.UntilOutputAsync("up\n");
        using (var grace = new CancellationTokenSource(TimeSpan.FromMilliseconds(400)))
            await Runtime.SweepAsync(run.Handle, Signals.Terminate, grace.Token);
        Assert.False(run.Handle.Main.Exit.IsCompleted);
        await Runtime.SweepAsync(run.Handle, Signals.Kill, CancellationToken.None);
        Assert.False((await run.EndAsync()).IsSuccess);
        await LeavesNothingAsync(run);
    }

    [Fact]
    public async Task A_grandchild_that_left_its_session_is_ended_too()
    {
        var mark = 1_000_000 + Random.Shared.Next(1_000_000);
        using var run = Start($"setsid sleep {mark} & echo up; while :; do sleep 0.05; done");
        await run.UntilOutputAsync("up\n");
        await Until(() => Sleeping(mark));
        await Runtime.SweepAsync(run.Handle, Signals.Kill, CancellationToken.None);
        await run.EndAsync();
        Assert.False(Sleeping(mark));
        await LeavesNothingAsync(run);
    }

    [Fact]
    public async Task The_death_of_the_main_process_is_the_end_of_all()
    {
        var mark = 1_000_000 + Random.Shared.Next(1_000_000);
        using var run = Start($"sleep {mark} & echo up; wait");
        await run.UntilOutputAsync("up\n");
        await Until(() => Sleeping(mark));
        run.Handle.Main.Signal(Signals.Kill);
        Assert.Equal(Signals.Kill, (await run.EndAsync()).Signal);
        await Runtime.SweepAsync(run.Handle, Signals.Kill, CancellationToken.None);
        Assert.False(Sleeping(mark));
        await LeavesNothingAsync(run);
    }

    [Fact]
    public async Task A_command_that_is_missing_leaves_nothing()
    {
        var (outcome, launch) = Launch(SpecOf(["/no/such/program"]));
        if (outcome is LaunchOutcome.Refused refused)
        {
            Assert.Equal(LaunchRefusal.NotFound, refused.Cause);
            Assert.Contains("/no/such/program", refused.Message, StringComparison.Ordinal);
            Assert.Empty(new RunMarks(ProcessTable.Take()).Marked(launch.RunId));
            return;
        }

        using var run = Add(outcome, launch);
        Assert.Equal(127, (await run.EndAsync()).Code);
        await run.UntilErrorAsync("/no/such/program");
        await Runtime.SweepAsync(run.Handle, Signals.Kill, CancellationToken.None);
        await LeavesNothingAsync(run);
    }

    [Fact]
    public async Task A_run_that_somebody_else_started_is_adopted_by_pid_and_start()
    {
        var launch = Compose(SpecOf(["/bin/sh", "-c", "trap 'exit 4' TERM; echo up; while :; do sleep 0.05; done"]));
        var told = Path.Combine(_directory, "pid");
        // A shell that ends at once stands for a daemon that was killed.
        var request = launch.Request with
        {
            Executable = "/bin/sh",
            Arguments = ["-c", "\"$@\" & echo $! >\"$0\"", told, launch.Request.Executable, .. launch.Request.Arguments],
        };
        using var daemon = Assert.IsType<LaunchOutcome.Launched>(ProcessLauncher.Launch(request)).Process;
        await daemon.Exit.WaitAsync(Patience);
        var pid = int.Parse(await File.ReadAllTextAsync(told));
        var found = ChildProcess.Adopt(pid, ProcessTable.Find(pid)!.Value.StartTicks);
        using var run = Add(new LaunchOutcome.Launched(found!), launch);
        await run.UntilOutputAsync("up\n");
        Assert.Null(await Runtime.SignalAsync(run.Handle, Signals.Terminate));
        var status = await run.EndAsync();
        Assert.True(status.Code == 4 || !status.IsKnown, status.ToString());
        await Runtime.SweepAsync(run.Handle, Signals.Kill, CancellationToken.None);
        await LeavesNothingAsync(run);
    }

    [Fact]
    public async Task The_environment_arrives_whole_and_nothing_more()
    {
        var declared = new Dictionary<string, string> { ["PLAIN"] = "a b", ["dotted.name"] = "1", ["EMPTY"] = "", ["LINES"] = "one\ntwo=2\n", ["PATH"] = "/bin:/usr/bin:/mine", ["SECRET"] = "s3cr3t-value" };
        var spec = SpecOf(["/bin/sh", "-c", "cat /proc/$$/environ; echo whole"]) with
        {
            Environment = declared.ToDictionary(v => v.Key, v => new Positioned<string?>(v.Value, default)),
        };
        var (outcome, launch) = Launch(spec);
        using var run = Add(outcome, launch);
        Assert.DoesNotContain(launch.Request.Arguments, a => a.Contains("s3cr3t-value", StringComparison.Ordinal));
        Assert.True((await run.EndAsync()).IsSuccess);
        await run.UntilOutputAsync("\0whole\n");
        await LeavesNothingAsync(run);
        var seen = run.Output.Split('\0')[..^1].Select(v => v.Split('=', 2)).ToDictionary(v => v[0], v => v[1]);
        Assert.Superset(declared.Select(v => $"{v.Key}={v.Value}").ToHashSet(), seen.Select(v => $"{v.Key}={v.Value}").ToHashSet());
        Assert.Equal([], seen.Keys.Except(declared.Keys).Except(["STOKER", "STOKER_ESTATE", "STOKER_SERVICE", "STOKER_REPLICA"]).Except(OwnVariables).Order());
    }

    public void Dispose()
    {
        foreach (var run in _runs)
        {
            Runtime.SweepAsync(run.Handle, Signals.Kill, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            run.Dispose();
        }

        foreach (var (output, errors) in _pipes.Values)
        {
            output.Dispose();
            errors.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected ConformanceRun Start(string script)
    {
        var (outcome, launch) = Launch(SpecOf(["/bin/sh", "-c", script]));
        return Add(outcome, launch);
    }

    private protected ConformanceRun Add(LaunchOutcome outcome, ReplicaLaunch launch)
    {
        var process = outcome is LaunchOutcome.Launched launched ? launched.Process : throw new InvalidOperationException(((LaunchOutcome.Refused)outcome).Message);
        var run = new ConformanceRun(new RunHandle(launch.RunId, process, process.Pid) { Container = launch.Container }, _pipes[launch.RunId].Output, _pipes[launch.RunId].Errors);
        _runs.Add(run);
        return run;
    }

    private protected static ServiceSpec SpecOf(IReadOnlyList<string> command) => new(new ServiceName("conform"), new SourcePosition("stoker.yaml", 1, 1)) { Command = command };

    private protected (LaunchOutcome Outcome, ReplicaLaunch Launch) Launch(ServiceSpec spec)
    {
        var launch = Compose(spec);
        return (Runtime.Launch(launch), launch);
    }

    private protected ReplicaLaunch Compose(ServiceSpec spec)
    {
        var (output, errors) = (Path.Combine(_directory, $"{_pipes.Count}.out"), Path.Combine(_directory, $"{_pipes.Count}.err"));
        Files.MakeFifo(output);
        Files.MakeFifo(errors);
        var around = new LaunchSurroundings($"t{HostEnvironment.ProcessId}", HostEnvironment.Variables, Path.Combine(AppContext.BaseDirectory, "stoker"))
        {
            OutputFifo = output,
            ErrorFifo = errors,
            State = _directory,
        };
        var launch = LaunchComposer.Compose(PlanOf(spec), new ReplicaPlan(1, []), Guid.NewGuid().ToString("n"), around);
        // Read before anything is written: what nobody holds open is lost with its writer.
        _pipes[launch.RunId] = (new FifoReader(output), new FifoReader(errors));
        return launch;
    }

    private protected async Task LeavesNothingAsync(ConformanceRun run)
    {
        await Until(() => new RunMarks(ProcessTable.Take()).Marked(run.Handle.RunId).Count == 0);
        using var limit = new CancellationTokenSource(Patience);
        while (await RemainsAsync(run.Handle.RunId) is { Count: > 0 }) await Task.Delay(20, limit.Token);
    }

    private protected static async Task Until(Func<bool> so)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!so()) await Task.Delay(5, limit.Token);
    }

    /// <summary>Is there a <c>sleep</c> of so many seconds anywhere, also in a container?</summary>
    private static bool Sleeping(int seconds) => Directory.EnumerateDirectories("/proc").Any(process =>
    {
        try
        {
            return char.IsAsciiDigit(Path.GetFileName(process)[0]) && File.ReadAllText($"{process}/cmdline").EndsWith($"sleep\0{seconds}\0", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    });
}
