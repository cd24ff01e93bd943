using FsCheck;
using FsCheck.Fluent;
using Stoker.Gpus.Healing;
using Xunit;

namespace Stoker.Tests.Gpus.Healing;

public sealed class HealingPolicyTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_page_fault_restarts_the_service_whose_program_it_was()
    {
        var decision = Decide(Fault(31, ["vision", "speech"]) with { Culprit = "vision" });
        Assert.Equal((XidAction.RestartService, "vision"), (decision.Action, string.Join(',', decision.Services)));
        Assert.Equal("Xid 31 (GPU memory page fault) on GPU 0 (RTX 4090): vision is restarted (NVIDIA Xid catalogue)", decision.Text);
    }

    [Fact]
    public void Where_nobody_says_whose_program_it_was_all_are_restarted_and_the_reason_says_so()
    {
        var decision = Decide(Fault(31, ["speech", "vision"]));
        Assert.Equal(["speech", "vision"], decision.Services);
        Assert.Contains("because nobody says whose program it was", decision.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Under_MPS_a_fault_of_one_client_restarts_all()
    {
        var decision = Decide(Fault(31, ["speech", "vision"]) with { Culprit = "vision", Share = "mps" });
        Assert.Equal((XidAction.RestartClients, "speech,vision"), (decision.Action, string.Join(',', decision.Services)));
    }

    [Fact]
    public void A_card_that_fell_off_the_bus_is_drained()
    {
        var decision = Decide(Fault(79, ["vision"]));
        Assert.Equal(XidAction.Drain, decision.Action);
        Assert.Equal("Xid 79 (GPU has fallen off the bus) on GPU 0 (RTX 4090): vision is stopped, because only a person or a restart of the machine brings it back (NVIDIA Xid catalogue: restart the machine)", decision.Text);
    }

    [Fact]
    public void What_is_not_in_the_table_is_left_alone()
    {
        var decision = Decide(Fault(999, ["vision"]));
        Assert.Equal((XidAction.Nothing, 0), (decision.Action, decision.Services.Count));
        Assert.Equal("Xid 999 on GPU 0 (RTX 4090), which is not in the table of what to do", decision.Text);
    }

    [Fact]
    public void A_dry_run_says_what_it_would_do_and_does_nothing()
    {
        var (state, decision) = HealingPolicy.Decide(HealingState.Fresh, Fault(95, ["vision"]), HealingMode.DryRun);
        Assert.Equal((XidAction.Nothing, 0), (decision.Action, state.Done.Count));
        Assert.Contains("dry run; it would stop vision, reset it and start them again", decision.Text, StringComparison.Ordinal);
        Assert.Contains("healing is off; it would restart vision", HealingPolicy.Decide(HealingState.Fresh, Fault(31, ["vision"]), HealingMode.Off).Decision.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_second_Xid_of_one_fault_is_in_hand_already()
    {
        var (state, _) = HealingPolicy.Decide(HealingState.Fresh, Fault(31, ["vision"]), HealingMode.Act);
        var second = HealingPolicy.Decide(state, Fault(13, ["vision"]) with { At = Noon.AddSeconds(1) }, HealingMode.Act).Decision;
        Assert.Equal(XidAction.Nothing, second.Action);
        Assert.Contains("already in hand", second.Text, StringComparison.Ordinal);
        // What does more is done all the same.
        Assert.Equal(XidAction.Drain, HealingPolicy.Decide(state, Fault(79, ["vision"]) with { At = Noon.AddSeconds(2) }, HealingMode.Act).Decision.Action);
    }

    [Fact]
    public void The_fourth_restart_in_ten_minutes_asks_for_a_person_and_after_the_window_it_heals_again()
    {
        var state = HealingState.Fresh;
        HealingDecision decision;
        for (var i = 0; i < 3; i++)
        {
            (state, decision) = HealingPolicy.Decide(state, Fault(31, ["vision"]) with { At = Noon.AddMinutes(i) }, HealingMode.Act);
            Assert.Equal(XidAction.RestartService, decision.Action);
        }

        (state, decision) = HealingPolicy.Decide(state, Fault(31, ["vision"]) with { At = Noon.AddMinutes(4) }, HealingMode.Act);
        Assert.Equal(XidAction.Nothing, decision.Action);
        Assert.Contains("vision was restarted 3 times in 10 minutes for it already; a person is to look at it", decision.Text, StringComparison.Ordinal);
        Assert.Equal(XidAction.RestartService, HealingPolicy.Decide(state, Fault(31, ["vision"]) with { At = Noon.AddMinutes(11) }, HealingMode.Act).Decision.Action);
    }

    [Fact]
    public void A_card_is_reset_once_an_hour()
    {
        var (state, first) = HealingPolicy.Decide(HealingState.Fresh, Fault(95, ["vision"]), HealingMode.Act);
        Assert.Equal(XidAction.ResetGpu, first.Action);
        Assert.Contains("reset within the hour already", HealingPolicy.Decide(state, Fault(95, ["vision"]) with { At = Noon.AddMinutes(30) }, HealingMode.Act).Decision.Text, StringComparison.Ordinal);
        Assert.Equal(XidAction.ResetGpu, HealingPolicy.Decide(state, Fault(95, ["vision"]) with { At = Noon.AddMinutes(61) }, HealingMode.Act).Decision.Action);
    }

    [Fact]
    public void Whatever_comes_the_budgets_hold_and_nobody_is_touched_who_is_not_on_the_card()
    {
        var faults = Gen.Elements(13, 31, 43, 48, 62, 74, 79, 94, 95, 119, 999).SelectMany(xid => Gen.Choose(1, 120).SelectMany(gap => Gen.SubListOf("a", "b", "c").Select(clients => (xid, gap, clients: clients.ToList())))).ListOf(60);
        Prop.ForAll(faults.ToArbitrary(), sequence =>
        {
            var (state, at) = (HealingState.Fresh, Noon);
            var done = new List<(DateTimeOffset At, XidAction Action, string Service)>();
            foreach (var (xid, gap, clients) in sequence)
            {
                at = at.AddSeconds(gap);
                (state, var decision) = HealingPolicy.Decide(state, Fault(xid, clients) with { At = at }, HealingMode.Act);
                if (decision.Services.Except(clients).Any() || decision.Text.Length == 0) return false;
                if (decision.Action == XidAction.ResetGpu) done.Add((at, decision.Action, ""));
                else done.AddRange(decision.Services.Select(s => (at, decision.Action, s)));
            }

            return done.All(d => d.Action switch
            {
                XidAction.ResetGpu => done.Count(o => o.Action == XidAction.ResetGpu && o.At <= d.At && d.At - o.At < HealingPolicy.ResetWindow) <= HealingPolicy.ResetsAtMost,
                XidAction.RestartService or XidAction.RestartClients => done.Count(o => o.Service == d.Service && o.Action is XidAction.RestartService or XidAction.RestartClients && o.At <= d.At && d.At - o.At < HealingPolicy.RestartWindow) <= HealingPolicy.RestartsAtMost,
                _ => true,
            });
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Each_row_of_the_table_stands_once_and_says_where_it_is_from()
    {
        Assert.Equal(XidTable.All.Count, XidTable.All.Select(r => r.Xid).Distinct().Count());
        Assert.All(XidTable.All, row => Assert.NotEmpty(row.Source));
    }

    [Theory]
    [InlineData("[ 4711.123456] NVRM: Xid (PCI:0000:01:00): 31, pid=4711, name=python3, Ch 00000008, intr 00000000.", "0000:01:00", 31, 4711)]
    [InlineData("NVRM: Xid (PCI:0000:41:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.", "0000:41:00", 79, null)]
    [InlineData("NVRM: Xid (PCI:0000:01:00): 13, pid='812', Graphics Exception: ESR", "0000:01:00", 13, 812)]
    public void A_line_of_the_kernel_says_which_card_and_whose_program(string line, string bus, int xid, int? pid)
    {
        var read = KernelLine.Parse(line)!;
        Assert.Equal((bus, xid, pid), (read.PciBusId, read.Xid, read.Pid));
        Assert.True(read.IsAbout($"0000{bus}.0".ToUpperInvariant()));
        Assert.False(read.IsAbout("00000000:99:00.0"));
    }

    [Theory]
    [InlineData("NVRM: loading NVIDIA UNIX x86_64 Kernel Module  580.65.06")]
    [InlineData("NVRM: Xid (PCI:0000:01:00")]
    [InlineData("NVRM: Xid (PCI:0000:01:00): none")]
    public void Another_line_of_the_kernel_says_nothing(string line) => Assert.Null(KernelLine.Parse(line));

    private static HealingDecision Decide(HealingFact fact) => HealingPolicy.Decide(HealingState.Fresh, fact, HealingMode.Act).Decision;

    private static HealingFact Fault(long xid, IReadOnlyList<string> clients) => new(Noon, "GPU-1", "GPU 0 (RTX 4090)", xid, clients, null, "time");
}
