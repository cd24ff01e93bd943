using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Platform;

public sealed class AdoptionTests : IDisposable
{
    private readonly Workshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public async Task An_adopted_process_tells_its_end_by_signal()
    {
        using var adopted = Adopt(await Stranger("exec sleep 100"));

        Assert.True(adopted.Signal(Signals.Terminate));

        Assert.Equal(ExitStatus.Killed(Signals.Terminate), await Workshop.End(adopted));
        Assert.False(adopted.Signal(Signals.Terminate));
    }

    [Fact]
    public async Task An_adopted_process_tells_its_exit_code_although_it_is_another_processs_child()
    {
        var go = _workshop.PathOf("go");
        using var adopted = Adopt(await Stranger($"while [ ! -e {go} ]; do sleep 0.01; done; exit 7"));
        Assert.NotEqual(HostEnvironment.ProcessId, ProcessTable.Find(adopted.Pid)!.Value.ParentPid);

        await File.WriteAllTextAsync(go, "");

        Assert.Equal(ExitStatus.Exited(7), await Workshop.End(adopted));
    }

    [Fact]
    public async Task An_adopted_process_whose_parent_reaps_it_at_once_tells_its_exit_code()
    {
        var file = _workshop.PathOf("pid");
        var go = _workshop.PathOf("go");

        // This parent waits, and so reaps in the moment of the end.
        _workshop.Launch($"(while [ ! -e {go} ]; do sleep 0.01; done; exit 9) & echo $! > {file}; wait; sleep 100");
        using var adopted = Adopt(int.Parse(await Workshop.Line(file)));

        await File.WriteAllTextAsync(go, "");

        var status = await Workshop.End(adopted);
        Assert.SkipUnless(status.IsKnown, "before Linux 6.15 the code of a process that its parent has reaped is lost");
        Assert.Equal(ExitStatus.Exited(9), status);
    }

    [Fact]
    public async Task A_zombie_that_nobody_has_reaped_yet_can_be_adopted_with_its_code()
    {
        var file = _workshop.PathOf("pid");
        var go = _workshop.PathOf("go");
        var parent = _workshop.Launch($"sh -c 'while [ ! -e {go} ]; do sleep 0.01; done; exit 5' & echo $! > {file}; exec sleep 100");
        var pid = int.Parse(await Workshop.Line(file));

        // As a shell it would reap.
        await Workshop.Until(() => ProcessTable.Find(parent.Pid) is { Command: "sleep" });
        await File.WriteAllTextAsync(go, "");
        await Workshop.Until(() => ProcessTable.Find(pid) is { IsZombie: true });

        using var adopted = Adopt(pid);

        Assert.Equal(ExitStatus.Exited(5), await Workshop.End(adopted));
    }

    [Fact]
    public async Task A_process_that_started_at_another_time_is_not_the_one()
    {
        var pid = await Stranger("exec sleep 100");

        Assert.Null(ChildProcess.Adopt(pid, ProcessTable.Find(pid)!.Value.StartTicks - 1));
    }

    [Fact]
    public async Task A_process_that_is_gone_cannot_be_adopted()
    {
        var process = _workshop.Launch("exit 0");
        await Workshop.End(process);

        Assert.Null(ChildProcess.Adopt(process.Pid, process.StartTicks));
    }

    [Fact]
    public async Task A_daemon_that_replaced_itself_adopts_what_is_still_its_own_child()
    {
        var process = _workshop.Launch("sleep 100");
        using var adopted = ChildProcess.Adopt(process.Pid, process.StartTicks);

        adopted!.Signal(Signals.Kill);

        Assert.Equal(ExitStatus.Killed(Signals.Kill), await Workshop.End(adopted));
        await Workshop.End(process);
    }

    private static ChildProcess Adopt(int pid) => ChildProcess.Adopt(pid, ProcessTable.Find(pid)!.Value.StartTicks)!;

    /// <summary>A grandchild: its parent lives and does not wait for it.</summary>
    private async Task<int> Stranger(string script)
    {
        var file = _workshop.PathOf(Guid.NewGuid().ToString("N"));
        _workshop.Launch($"sh -c '{script}' & echo $! > {file}; exec sleep 100");
        return int.Parse(await Workshop.Line(file));
    }
}
