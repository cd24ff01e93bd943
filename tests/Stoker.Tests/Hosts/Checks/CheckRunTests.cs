using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Xml.Linq;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Hosts.Checks;
using Stoker.Hosts.Facts;
using Stoker.Platform;
using Stoker.Tests.Hosts.Facts;
using Stoker.Tests.Logs;
using Xunit;

namespace Stoker.Tests.Hosts.Checks;

public sealed class CheckRunTests
{
    [Fact]
    public async Task A_check_is_not_made_when_one_that_it_needs_did_not_pass()
    {
        var marker = Path.Combine(Path.GetTempPath(), $"stoker-needs-{Guid.NewGuid():N}");
        var results = await CheckBed.MakeAsync($$$"""
            after: {command: "touch {{{marker}}}", needs: [first, second]}
            first: {command: "true"}
            second: {command: "false"}
            last: {command: "true", needs: [after]}
            """);
        Assert.Equal(["after", "first", "second", "last"], results.Keys);
        Assert.Equal([Verdict.Unknown, Verdict.Passed, Verdict.Failed, Verdict.Unknown], results.Values.Select(r => r.Verdict));
        Assert.Equal("needs `second`, which failed", results["after"].Findings[0].Evidence);
        Assert.Equal("needs `after`, which is unknown", results["last"].Findings[0].Evidence);
        Assert.False(File.Exists(marker));
    }

    [Fact]
    public async Task A_check_is_made_again_until_it_passes_or_its_retries_are_used_up()
    {
        var counter = Path.Combine(Path.GetTempPath(), $"stoker-retries-{Guid.NewGuid():N}");
        try
        {
            var results = await CheckBed.MakeAsync($$$"""
                third: {command: {run: [sh, -c, "echo x >>{{{counter}}}; [ $(wc -l <{{{counter}}}) -ge 3 ]"]}, retries: 5, interval: 1ms}
                never: {command: "false", retries: 2, interval: 1ms, hint: give up}
                """);
            Assert.Equal((Verdict.Passed, 3), (results["third"].Verdict, results["third"].Attempts));
            Assert.Equal((Verdict.Failed, 3, "give up"), (results["never"].Verdict, results["never"].Attempts, results["never"].Mend));
        }
        finally
        {
            File.Delete(counter);
        }
    }

    [Fact]
    public async Task What_hangs_is_left_after_its_time_and_is_unknown()
    {
        var clock = Stopwatch.StartNew();
        var result = await CheckBed.OneAsync("{command: sleep 600, timeout: 300ms}");
        Assert.Equal(Verdict.Unknown, result.Verdict);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"{clock.Elapsed}");
    }

    [Fact]
    public async Task Checks_that_wait_do_so_beside_each_other()
    {
        // Sixteen that take as long as the slowest of them: each waits until all have begun.
        var place = Directory.CreateTempSubdirectory("stoker-beside-").FullName;
        try
        {
            var yaml = string.Concat(Enumerable.Range(1, 16).Select(i =>
                $"c{i}: {{command: {{run: [sh, -c, \"touch {place}/{i}; until [ $(ls {place} | wc -l) -ge 16 ]; do sleep 0.05; done\"]}}, timeout: 2m}}\n"));
            Assert.All((await CheckBed.MakeAsync(yaml)).Values, r => Assert.Equal(Verdict.Passed, r.Verdict));
        }
        finally
        {
            Directory.Delete(place, recursive: true);
        }
    }

    [Fact]
    public async Task Two_hundred_checks_of_every_cheap_kind_are_made_in_one_run()
    {
        string[] kinds = ["{file: /etc/passwd}", "{mount: /}", "{package: dpkg}", "{user: root}", "{group: root}", "{kernel_parameter: {name: kernel.ostype, is: Linux}}", "{dns: localhost}", "{fact: {path: os.kernel, is: '>=3'}}"];
        var yaml = string.Concat(Enumerable.Range(0, 200).Select(i => $"c{i}: {kinds[i % kinds.Length]}\n"));
        var results = await CheckBed.MakeAsync(yaml);
        Assert.Equal(200, results.Count);
        Assert.All(results.Values.Where(r => r.Kind != "package"), r => Assert.Equal(Verdict.Passed, r.Verdict));
    }

    [Fact]
    public void A_report_is_JUnit_with_failures_and_errors_apart()
    {
        var report = XDocument.Parse(CheckFormats.ToJUnit([Sample])).Root!.Element("testsuite")!;
        Assert.Equal(("mainpc", "3", "1", "1"), ((string?)report.Attribute("name"), (string?)report.Attribute("tests"), (string?)report.Attribute("failures"), (string?)report.Attribute("errors")));
        var cases = report.Elements("testcase").ToList();
        Assert.Equal([null, "failure", "error"], cases.Select(c => c.Elements().SingleOrDefault()?.Name.LocalName));
        Assert.Equal("mode: expected <0600>, found 0644 (stat /etc/key)", (string?)cases[1].Element("failure")!.Attribute("message"));
        Assert.Contains("mend: chmod 0600 /etc/key", cases[1].Value, StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_is_TAP_in_which_unknown_is_not_ok() => Assert.Equal(
        """
        TAP version 14
        1..3
        ok 1 - good
        not ok 2 - bad \# one
          ---
          verdict: failed
          findings:
            - {what: "mode", expected: "<0600>", found: "0644", evidence: "stat /etc/key"}
          mend: "chmod 0600 /etc/key"
          ...
        not ok 3 - dark
          ---
          verdict: unknown
          findings:
            - {what: "running", expected: "running", found: null, evidence: "no systemd\u0007"}
          ...

        """, CheckFormats.ToTap([Sample]));

    [Fact]
    public void A_report_is_JSON_in_lower_case()
    {
        using var document = JsonDocument.Parse(JsonSerializer.Serialize(Sample, ChecksJson.Readable.CheckReport));
        Assert.Equal(1, document.RootElement.GetProperty("unknown").GetInt32());
        Assert.Equal(["passed", "failed", "unknown"], document.RootElement.GetProperty("checks").EnumerateArray().Select(c => c.GetProperty("verdict").GetString()));
    }

    [Fact]
    public async Task A_check_that_several_lists_have_is_made_once_and_what_needs_it_knows_what_came_of_it()
    {
        var checks = CheckBed.Read("""
            first: {command: "false"}
            second: {command: "true", needs: [first]}
            third: {command: "true"}
            """);
        var run = new CheckRun(CheckBed.Here, TimeProvider.System);
        var one = await run.MakeAsync([checks[0]], budget: null, TestContext.Current.CancellationToken);
        var all = await run.MakeAsync(checks, budget: null, TestContext.Current.CancellationToken);
        Assert.Equal(("first", Verdict.Failed), (one.Single().Name, one.Single().Verdict));
        Assert.Equal([("second", Verdict.Unknown), ("third", Verdict.Passed)], all.Select(r => (r.Name, r.Verdict)));
        Assert.Contains("needs `first`, which failed", all[0].Findings.Single().Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_done_when_the_budget_is_used_up_is_unknown_and_what_is_done_stays()
    {
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        var checks = CheckBed.Read($$"""
            quick: {command: "true"}
            slow: {http: "http://{{mute.LocalEndpoint}}/", timeout: 1h, retries: 3, needs: [quick]}
            after: {command: "true", needs: [slow]}
            """);
        var making = new CheckRun(CheckBed.Here, time).MakeAsync(checks, TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
        using var asked = await mute.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromMinutes(4.9));
        Assert.False(making.IsCompleted);
        time.Advance(TimeSpan.FromMinutes(0.1));
        var results = await making;
        Assert.Equal([Verdict.Passed, Verdict.Unknown, Verdict.Unknown], results.Select(r => r.Verdict));
        Assert.Equal("the budget of 5 min was used up", results[1].Findings.Single().Evidence);
        Assert.Equal("needs `slow`, which is unknown", results[2].Findings.Single().Evidence);
    }

    [Fact]
    public void Several_lists_are_one_report_for_other_programs_too()
    {
        var other = CheckReport.Of("pc2", Sample.Checks, TimeSpan.FromMilliseconds(8), TimeSpan.FromMinutes(5));
        var suites = XDocument.Parse(CheckFormats.ToJUnit([Sample, other])).Root!.Elements("testsuite").ToList();
        Assert.Equal(["mainpc", "pc2"], suites.Select(s => (string?)s.Attribute("name")));
        Assert.All(suites, s => Assert.Equal(3, s.Elements("testcase").Count()));
        var tap = CheckFormats.ToTap([Sample, other]).Split('\n');
        Assert.Equal("1..6", tap[1]);
        Assert.Contains("ok 4 - pc2: good", tap);
        using var document = JsonDocument.Parse(JsonSerializer.Serialize(ProfilesReport.Of([Sample, other]), ChecksJson.Readable.ProfilesReport));
        Assert.Equal((2, 20d), (document.RootElement.GetProperty("passed").GetInt32(), document.RootElement.GetProperty("took_ms").GetDouble()));
        var profiles = document.RootElement.GetProperty("profiles").EnumerateArray().ToList();
        Assert.False(profiles[0].TryGetProperty("budget_ms", out _));
        Assert.Equal(300_000, profiles[1].GetProperty("budget_ms").GetDouble());
    }

    [Fact]
    public void The_profiles_that_Stoker_has_can_be_read()
    {
        var profiles = ProfileReader.BuiltIn();
        Assert.Equal(["gateway", "gpu", "onboarding"], profiles.Keys.Order());
        Assert.All(profiles.Values, p => Assert.True(p.Checks.Count >= 5 && p.Description is not null && p.Checks.All(c => c.Description is not null), p.Name));
    }

    [Fact]
    public void A_host_that_is_less_than_it_was_declared_is_told_apart_part_by_part()
    {
        var host = new HostSpec(new HostName("mainpc"), null, [Gpu("RTX 5090", 32), Gpu("RTX 5090", 32), Gpu("RTX 4090", 24), Gpu("RTX 3060", 8)], SourcePosition.Whole("stoker.yaml")) { Cpus = 32, Memory = new ByteSize(128L << 30) };
        var facts = CapturedMachine.Load("desktop");
        var findings = new Findings();
        DeclaredCheck.Cpus(host, CpuReader.Read(new FactSource(facts)), findings);
        DeclaredCheck.Memory(host, MemoryReader.Read(new FactSource(facts)), findings);
        DeclaredCheck.Gpus(host, new NvmlAnswer.Found(3,
        [
            new NvmlCard(0) { Name = "NVIDIA GeForce RTX 5090", Uuid = "GPU-0", TotalMemory = 34190917632 }, new NvmlCard(1) { Name = "NVIDIA GeForce RTX 4090", Uuid = "GPU-1", TotalMemory = 25757220864 },
            new NvmlCard(2) { Name = "NVIDIA GeForce RTX 3060", Uuid = "GPU-2", TotalMemory = 12884901888 },
        ],
        []), facts.Doors, findings);
        Assert.Equal(
            [
                ("cpus", Verdict.Passed), ("memory", Verdict.Failed), ("gpu", Verdict.Passed), ("gpu memory", Verdict.Passed), ("gpu", Verdict.Failed), ("gpu", Verdict.Passed), ("gpu memory", Verdict.Passed),
                ("gpu", Verdict.Passed), ("gpu memory", Verdict.Passed),
            ],
            findings.All.Select(f => (f.What, f.Verdict)));
        Assert.Equal("missing; there are NVIDIA GeForce RTX 5090, NVIDIA GeForce RTX 4090, NVIDIA GeForce RTX 3060", findings.All[4].Found);
    }

    [Fact]
    public void Memory_that_the_kernel_keeps_for_itself_is_not_missed()
    {
        var findings = new Findings();
        var host = new HostSpec(new HostName("mainpc"), null, [], SourcePosition.Whole("stoker.yaml")) { Memory = new ByteSize(64L << 30) };
        DeclaredCheck.Memory(host, MemoryReader.Read(new FactSource(CapturedMachine.Load("desktop"))), findings);
        Assert.Equal((Verdict.Passed, "62 GiB"), (findings.Verdict, findings.All[0].Found));
    }

    [Fact]
    public void GPUs_that_cannot_be_seen_are_unknown_and_those_that_are_not_there_failed()
    {
        var host = new HostSpec(new HostName("mainpc"), null, [Gpu("RTX 4090", 24)], SourcePosition.Whole("stoker.yaml"));
        Assert.Equal(Verdict.Unknown, Judge(new NvmlAnswer.Failed("NVML cannot begin: Driver/library version mismatch (code 18)"), "desktop"));
        Assert.Equal(Verdict.Unknown, Judge(new NvmlAnswer.NotThere(), "vm"));
        Assert.Equal(Verdict.Failed, Judge(new NvmlAnswer.NotThere(), "desktop"));

        Verdict Judge(NvmlAnswer answer, string machine)
        {
            var findings = new Findings();
            DeclaredCheck.Gpus(host, answer, CapturedMachine.Load(machine).Doors, findings);
            return findings.Verdict;
        }
    }

    [Fact]
    public async Task The_cards_are_held_to_count_model_memory_and_driver()
    {
        var machine = CapturedMachine.Load("desktop").Also(m => m.Nvml = new NvmlAnswer.Found(1, [new NvmlCard(0) { Name = "NVIDIA GeForce RTX 4090", TotalMemory = 25757220864 }], []) { Driver = "550.54.14", Cuda = "12.4" }).Doors;
        Assert.Equal(Verdict.Passed, (await CheckBed.OneAsync("{gpu: {count: 1, model: RTX 4090, memory: 24GiB, driver: '>=550 <560', cuda: '>=12.4'}}", machine)).Verdict);
        var bad = await CheckBed.OneAsync("{gpu: {count: '>=2', model: /5090/, memory: '>=32GiB', driver: '>=560'}}", machine);
        Assert.Equal(["count", "driver", "model of GPU 0", "memory of GPU 0"], bad.Findings.Where(f => f.Verdict == Verdict.Failed).Select(f => f.What));
        Assert.Equal(Verdict.Unknown, (await CheckBed.OneAsync("{gpu: {driver: '>=550'}}", CapturedMachine.Load("vm").Doors)).Verdict);
    }

    private static CheckReport Sample { get; } = CheckReport.Of(
        "mainpc",
        [
            new CheckResult("good", "file", null, Verdict.Passed, [new Finding("exists", "there", "there", Verdict.Passed, "stat /etc/key")], null, 1, 1.5),
            new CheckResult("bad # one", "file", null, Verdict.Failed, [new Finding("mode", "<0600>", "0644", Verdict.Failed, "stat /etc/key")], "chmod 0600 /etc/key", 1, 2),
            new CheckResult("dark", "service", null, Verdict.Unknown, [new Finding("running", "running", null, Verdict.Unknown, "no systemd\a")], null, 1, 0),
        ],
        TimeSpan.FromMilliseconds(12));

    private static GpuSpec Gpu(string model, int gibibytes) => new(model, new ByteSize((long)gibibytes << 30), null, SourcePosition.Whole("stoker.yaml"));
}
