using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Platform;

public sealed class ProcessTreeTests : IDisposable
{
    private readonly Workshop _workshop = new();
    private readonly string _marker = Guid.NewGuid().ToString("N");

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public async Task What_left_the_session_and_lost_its_parent_is_found_by_its_marker()
    {
        var (root, pids) = await Workload();
        await FoundAre(root, [.. pids, root.Pid]);

        Assert.Empty(ProcessTree.KillAll(root.Id, root.Pid, _marker));

        Assert.Equal(ExitStatus.Killed(Signals.Kill), await Workshop.End(root));
        Assert.All(pids, pid => Assert.True(ProcessTable.Find(pid) is null or { IsZombie: true }));
    }

    [Fact]
    public async Task The_rest_of_a_workload_is_found_when_its_root_is_gone()
    {
        var (root, pids) = await Workload();
        root.Signal(Signals.Kill);
        await Workshop.End(root);

        await FoundAre(root, pids);
        Assert.Empty(ProcessTree.KillAll(root.Id, root.Pid, _marker));
    }

    [Fact]
    public async Task Without_a_marker_what_left_the_session_and_lost_its_parent_is_a_strangers()
    {
        var (root, pids) = await Workload();

        await FoundAre(root, [.. pids, root.Pid]);
        var members = ProcessTree.Members(root.Id, root.Pid, null, ProcessTable.Take());

        Assert.Equal(pids.Length, members.Count);
        Assert.Contains(pids, pid => members.All(member => member.Pid != pid));
        Assert.Empty(ProcessTree.KillAll(root.Id, root.Pid, _marker));
    }

    [Fact]
    public void A_session_whose_number_now_belongs_to_a_stranger_has_no_members()
    {
        var stranger = _workshop.Launch("sleep 100");

        Assert.Empty(ProcessTree.Members(new ProcessId(stranger.Pid, stranger.StartTicks - 1), stranger.Pid, null, ProcessTable.Take()));
    }

    [Fact]
    public void A_signal_for_a_process_that_started_at_another_time_reaches_nobody()
    {
        var stranger = _workshop.Launch("sleep 100");

        Assert.Equal(0, ProcessTree.Kill([new ProcessId(stranger.Pid, stranger.StartTicks - 1)], Signals.Kill));
        Assert.Equal(1, ProcessTree.Kill([stranger.Id], Signals.Kill));
    }

    [Fact]
    public async Task A_workload_that_forks_without_end_is_killed_to_the_last()
    {
        // Each generation starts the next in a new session and ends, faster than a walk through /proc.
        var script = _workshop.NewScript("#!/bin/sh\nsetsid \"$0\" & exit\n");
        var root = _workshop.Launch(Marked(new LaunchRequest(script, [], Workshop.PlainEnvironment, "/")));
        await Workshop.End(root);

        await Workshop.Until(() => ProcessTree.KillAll(root.Id, root.Pid, _marker).Count == 0
            && Enumerable.Range(0, 20).All(_ => ProcessTree.Members(root.Id, root.Pid, _marker, ProcessTable.Take()).Count == 0));
    }

    [Fact]
    public void The_daemon_is_in_its_own_snapshot_with_what_it_uses()
    {
        var own = ProcessTable.Take().Find(HostEnvironment.ProcessId)!.Value;

        Assert.Equal("Stoker.Tests", own.Command);
        // Other tests take and give back memory meanwhile.
        var told = (ulong)Environment.WorkingSet;
        Assert.InRange(own.ResidentBytes, told / 4, told * 4);
        Assert.True(own.CpuTime > TimeSpan.Zero);
        Assert.Contains("Stoker.Tests", ProcessTable.CommandLine(own.Pid)[0]);
    }

    [Theory]
    [InlineData("812 (a) b (c)\n) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21", "a) b (c)\n", 4711)]
    [InlineData("7 () Z 1 2 3 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 18446744073709551615 0", "", ulong.MaxValue)]
    public void A_command_may_contain_anything(string line, string command, ulong startTicks)
    {
        Assert.True(ProcessEntry.TryParse(System.Text.Encoding.UTF8.GetBytes(line), out var entry, out _));

        Assert.Equal((command, startTicks, 1, 2, 3), (entry.Command, entry.StartTicks, entry.ParentPid, entry.GroupId, entry.SessionId));
    }

    /// <summary>A shell in between may take a moment to end.</summary>
    private Task FoundAre(ChildProcess root, IReadOnlyList<int> pids) => Workshop.Until(() =>
        ProcessTree.Members(root.Id, root.Pid, _marker, ProcessTable.Take()).Select(member => member.Pid).Order().SequenceEqual(pids.Order()));

    private LaunchRequest Marked(LaunchRequest request) => request with
    {
        Environment = new Dictionary<string, string>(Workshop.PlainEnvironment) { [ProcessTree.MarkerVariable] = _marker },
    };

    /// <summary>A child, a grandchild in a session of its own, and one in its own session whose parent has ended.</summary>
    private async Task<(ChildProcess Root, int[] Pids)> Workload()
    {
        var file = _workshop.PathOf("pids");
        var sleeper = $"sh -c \"echo \\$\\$ >> {file}; exec sleep 100\"";
        var root = _workshop.Launch(Marked(Workshop.Shell($"{sleeper} & setsid {sleeper} & (setsid {sleeper} &) ; exec sleep 100")));
        var lines = await Workshop.Eventually(() =>
            File.Exists(file) && File.ReadAllLines(file) is { Length: 3 } three && ProcessTable.Take() is var table
            && three.All(pid => table.Find(int.Parse(pid)) is { Command: "sleep" }) ? three : null);
        return (root, [.. lines.Select(int.Parse)]);
    }
}
