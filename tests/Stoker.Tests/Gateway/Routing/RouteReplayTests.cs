using System.Buffers;
using System.CommandLine;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Cli;
using Stoker.Gateway.Routing;
using Stoker.Tests.Cli;
using Xunit;

namespace Stoker.Tests.Gateway.Routing;

public sealed class RouteReplayTests
{
    [Fact]
    public void Whatever_the_situation_its_line_decides_as_it_was_decided() => Prop.ForAll(Situations.Any, s =>
    {
        var line = Line(s, out var decision);
        var recorded = RecordedDecision.Read(Encoding.UTF8.GetBytes("2026-11-21T12:00:00Z {\"route\":" + line + ",\"more\":1}"))!;
        Assert.Equal(s.Replicas, recorded.Snapshots);
        Assert.Equal(s.Tried.Where(t => s.Replicas.Any(r => r.Id == t)), recorded.Tried);
        Assert.Equal(decision, recorded.Was);
        Assert.Equal(decision, recorded.Redecide(RoutingOptions.Default));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_line_tells_all_that_the_choice_rests_on_and_nothing_that_is_usual()
    {
        var replicas = Sample.Replicas(1, 0);
        (replicas[0].Matched, replicas[0].Tokens, replicas[0].Running, replicas[0].Waiting, replicas[0].SignalAge) = (4, 1024, 1, 0, Sample.Second / 2);
        replicas[1].Phase = HealthPhase.Ejected;
        var line = Line(new Situation(replicas, 700, 0, 5, [], 12, 0xABC), out _);
        Assert.Equal(
            """
            {"decision":1,"model":"m","outcome":"placed","replica":"m.1","why":"only","sequence":12,"seed":"0000000000000abc","prompt_tokens":700,"blocks":5,
            "candidates":[{"replica":"m.1","in_flight":1,"tokens":1024,"matched":4,"engine":{"running":1,"waiting":0,"age_s":0.5,"used":true},
            "load":1.5,"parts":{"prompts":0.5}},{"replica":"m.2","in_flight":0,"health":"ejected","load":0,"rejected":"ejected"}]}
            """.ReplaceLineEndings(""),
            line);
    }

    [Fact]
    public void A_line_may_be_a_header_whatever_the_model_is_called()
    {
        var buffer = new ArrayBufferWriter<byte>();
        var router = Sample.Router(Sample.Route(2, name: "größer\r\nx: y"));
        router.Place(router.Table.Routes[0], new RouteRequest { PromptTokens = 5 }, Sample.At(1), buffer);
        Assert.All(buffer.WrittenSpan.ToArray(), b => Assert.InRange(b, 0x20, 0x7e));
        Assert.Equal("größer\r\nx: y", RecordedDecision.Read(buffer.WrittenSpan)!.Model);
    }

    [Fact]
    public void What_the_router_explains_can_be_decided_again()
    {
        var router = Sample.Router(Sample.Route(3, r => r.Id.Index == 3 ? r with { CanaryShare = 0.2 } : r) with { MaxConcurrency = 3 });
        var route = router.Table.Routes[0];
        var lines = new List<ReadOnlyMemory<byte>>();
        for (var i = 0; i < 30; i++)
        {
            var buffer = new ArrayBufferWriter<byte>();
            var now = Sample.At(i * 0.1);
            var lease = router.Place(route, new RouteRequest { Sequence = route.Begin(now), Prefix = RouterTests.Prefix($"{i % 4}"), PromptTokens = i }, now, buffer).Lease;
            if (i % 4 == 0) lease.End(ReplicaFact.ServerError, now);
            lines.Add(buffer.WrittenMemory);
        }

        var report = RouteReplay.Run(lines, RoutingOptions.Default);
        Assert.Equal((30, 30), (report.Decisions, report.Same));
    }

    [Fact]
    public async Task The_verb_shows_what_another_policy_would_have_done()
    {
        using var world = new FakeWorld();
        var replicas = Sample.Replicas(5, 0);
        replicas[0].Matched = 8;
        world.Write("gateway.log", "12:00:00 started\n12:00:01 " + Line(new Situation(replicas, 700, 0, 8, [], 12, 0xABC), out _) + "\n");
        Assert.Equal(ExitCode.Done, await RunAsync(world, "replay", "gateway.log"));
        Assert.Equal("1 decision: all the same\n", world.Output.ToString());
        world.Output.GetStringBuilder().Clear();
        Assert.Equal(ExitCode.Done, await RunAsync(world, "replay", "gateway.log", "--set", "escape_floor=6"));
        Assert.Equal("line 2: m: m.2 (least_load, prefix escaped) → m.1 (prefix)\nm: m.1 0 → 1\nm: m.2 1 → 0\n1 decision: 1 differ\n", world.Output.ToString());
        world.Output.GetStringBuilder().Clear();
        Assert.Equal(ExitCode.Done, await RunAsync(world, "replay", "gateway.log", "--json", "--set", "escape_floor=6"));
        Assert.Contains("""{"decisions":1,"same":0,"other":1,"unreadable":[],"differences":[{"line":2,"model":"m","was":"m.2",""", world.Output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_decision_that_was_tampered_with_or_cannot_be_read_is_told()
    {
        using var world = new FakeWorld();
        var line = Line(new Situation(Sample.Replicas(5, 0), 700, 0, 0, [], 12, 0xABC), out _);
        world.Write("other.log", line.Replace("\"replica\":\"m.2\",\"why\"", "\"replica\":\"m.1\",\"why\"", StringComparison.Ordinal));
        Assert.Equal(ExitCode.NotAsItShouldBe, await RunAsync(world, "replay", "other.log"));
        Assert.Equal("line 1: m: m.1 (least_load) → m.2 (least_load)\n1 decision: 1 differ\n", world.Output.ToString());
        world.Write("cut.log", line[..^20] + "\n" + line.Replace("\"decision\":1", "\"decision\":9", StringComparison.Ordinal));
        Assert.Equal(ExitCode.NotAsItShouldBe, await RunAsync(world, "replay", "cut.log"));
        Assert.Contains("cut.log:1: not a decision that can be read", world.Error.ToString(), StringComparison.Ordinal);
        Assert.Contains("cut.log:2: not a decision that can be read: a decision of version 9; this program reads 1", world.Error.ToString(), StringComparison.Ordinal);
        world.Write("empty.log", "nothing\n");
        Assert.Equal(ExitCode.NotAsItShouldBe, await RunAsync(world, "replay", "empty.log"));
        Assert.Equal(ExitCode.NotAsItShouldBe, await RunAsync(world, "replay", "absent.log"));
        Assert.Equal(ExitCode.Usage, await RunAsync(world, "replay", "cut.log", "--set", "escape_flor=6"));
    }

    [Fact]
    public void No_line_makes_the_reader_fall_over() => Prop.ForAll(
        (from s in Situations.Any.Generator from at in Gen.Choose(0, 2000) from with in Gen.Elements('0', '"', '}', '-', 'x', ',') select (s, at, with)).ToArbitrary(),
        broken =>
        {
            var line = Line(broken.s, out _).ToCharArray();
            line[broken.at % line.Length] = broken.with;
            try
            {
                RecordedDecision.Read(Encoding.UTF8.GetBytes(line))?.Redecide(RoutingOptions.Default);
            }
            catch (FormatException)
            {
                // With the reason.
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_name_that_can_be_set_changes_the_policy() =>
        Assert.All(RouteReplay.Names, name => Assert.NotEqual(RoutingOptions.Default, RouteReplay.With(RoutingOptions.Default, name, "0.125")));

    private static string Line(Situation s, out Decision decision)
    {
        var candidates = new Candidate[s.Replicas.Length];
        decision = RoutePolicy.Pick(s.Facts, s.Replicas, candidates, RoutingOptions.Default);
        var buffer = new ArrayBufferWriter<byte>();
        DecisionLine.Write(buffer, s.Spec, s.Facts, s.Replicas, candidates, decision, 0, RoutingOptions.Default);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>The verb by itself, wherever it will hang.</summary>
    private static Task<ExitCode> RunAsync(FakeWorld world, params string[] words)
    {
        var globals = new GlobalOptions();
        var verb = RouteCommand.Create();
        foreach (var option in globals.All) verb.Options.Add(option);
        var parse = verb.Parse(words, CommandLine.Grammar);
        return ((Verb)parse.CommandResult.Command).Run!(new Invocation(world.Surroundings, parse, globals));
    }
}
