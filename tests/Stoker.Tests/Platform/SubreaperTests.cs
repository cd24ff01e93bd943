using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Platform;

/// <summary>Alone, because a subreaper reaps every child of this process that was not launched by Stoker.</summary>
[CollectionDefinition("subreaper", DisableParallelization = true)]
public sealed class SubreaperAlone;

[Collection("subreaper")]
public sealed class SubreaperTests : IDisposable
{
    private readonly Workshop _workshop = new();

    public void Dispose()
    {
        ExitWatcher.Shared.StopBeingSubreaper();
        _workshop.Dispose();
    }

    [Fact]
    public async Task Orphans_come_to_the_daemon_and_are_reaped()
    {
        ProcessLauncher.BecomeSubreaper();
        var orphan = await Orphan("sleep 100");
        Assert.Equal(HostEnvironment.ProcessId, ProcessTable.Find(orphan)!.Value.ParentPid);

        ProcessTree.Kill([new ProcessId(orphan, ProcessTable.Find(orphan)!.Value.StartTicks)], Signals.Kill);

        await Workshop.Until(() => ProcessTable.Find(orphan) is null);
    }

    [Fact]
    public async Task An_orphan_that_was_adopted_tells_its_exit_code()
    {
        ProcessLauncher.BecomeSubreaper();
        var go = _workshop.PathOf("go");
        var orphan = await Orphan($"sh -c 'while [ ! -e {go} ]; do sleep 0.01; done; exit 6'");
        using var adopted = ChildProcess.Adopt(orphan, ProcessTable.Find(orphan)!.Value.StartTicks)!;

        await File.WriteAllTextAsync(go, "");

        Assert.Equal(ExitStatus.Exited(6), await Workshop.End(adopted));
    }

    [Fact]
    public async Task Children_that_end_at_once_among_dying_orphans_keep_their_codes()
    {
        ProcessLauncher.BecomeSubreaper();

        var codes = await Task.WhenAll(Enumerable.Range(0, 300).Select(number => Task.Run(async () =>
        {
            var outcome = ProcessLauncher.Launch(Workshop.Shell($"(sleep 0.0{number % 10}) & exit {number % 256}"));
            Assert.True(outcome is LaunchOutcome.Launched, outcome.ToString());
            return (await Workshop.End(((LaunchOutcome.Launched)outcome).Process)).Code;
        })));

        Assert.Equal(Enumerable.Range(0, 300).Select(number => (int?)(number % 256)), codes);
        await Workshop.Until(() => !ProcessTable.Take().Children(HostEnvironment.ProcessId).Any(entry => entry.IsZombie || entry.Command == "sleep"));
    }

    /// <summary>Its parent has ended.</summary>
    private async Task<int> Orphan(string command)
    {
        var file = _workshop.PathOf(Guid.NewGuid().ToString("N"));
        await _workshop.Run($"{command} & echo $! > {file}");
        return int.Parse(await Workshop.Line(file));
    }
}
