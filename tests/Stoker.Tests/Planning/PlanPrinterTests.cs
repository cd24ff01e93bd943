using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Stoker.Estates;
using Stoker.Planning;
using Stoker.Tests.Shared;
using Xunit;
using static Stoker.Tests.Shared.EstateBuilder;

namespace Stoker.Tests.Planning;

/// <summary>Estate + observed → exact text, in <c>golden/</c>. <c>UPDATE_GOLDEN=1</c> writes what is printed now.</summary>
public sealed partial class PlanPrinterTests
{
    private static EstateBuilder AiSystem() => new EstateBuilder("ai-system")
        .Host("mainpc", "192.168.1.10", 16, GiB(64), Gpu("NVIDIA GeForce RTX 4090", GiB(24)))
        .Host("pc2", "192.168.1.11", 8, GiB(32), Gpu("NVIDIA GeForce RTX 3060", GiB(12)))
        .Group("infra_core", "mainpc")
        .Group("vision_gpu", "mainpc", ["infra_core"], GpuShare(GiB(6)))
        .Group("speech_gpu", "pc2", ["infra_core"])
        .Service("redis", s => s.Group("infra_core").Command("redis-server").Port(6379).Tcp(6379))
        .Service("postgres", s => s.Group("infra_core").Image("postgres:16").Port(5432).Tcp(5432))
        .Service("vision", s => s.Group("vision_gpu").Command("python3", "vision.py", "--port=$(PORT)").Port(7300).Replicas(2).Gpu(memory: GiB(3))
            .DependsOn("redis", DependencyCondition.Healthy).Memory(GiB(2)))
        .Service("detector", s => s.Group("vision_gpu").Command("python3", "detector.py").DependsOn("vision"))
        .Service("speech", s => s.Group("speech_gpu").Command("python3", "speech.py").Port(7400).Tcp(7400).Gpu(memory: GiB(6), share: "mps"))
        .Service("dialogue", s => s.Host("mainpc").Command("python3", "dialogue.py").DependsOn("speech", DependencyCondition.Healthy)
            .DependsOn("vision", DependencyCondition.Healthy).Cpus(limit: 4));

    private static EstatePlan Rehearsal() => Plans.Plan(AiSystem(), new PlanRequest { Rehearse = true }, o => o with
    {
        Executables = o.Executables.ToDictionary(e => e.Key, e => e.Key == "redis-server" ? null : e.Value),
        CgroupControllers = Plans.Set(),
        CgroupProblem = "/sys/fs/cgroup is read-only",
    });

    [Theory]
    [InlineData(80)]
    [InlineData(160)]
    public void A_rehearsal_of_two_hosts(int width) => IsGolden($"rehearsal-{width}", PlanPrinter.Print(Rehearsal(), new PlanPrintOptions(width)));

    [Fact]
    public void One_host_of_two_with_changes_and_known_times()
    {
        var before = Plans.Plan(AiSystem(), new PlanRequest { Host = new("mainpc") }, Mainpc);
        var running = before.Local.ToDictionary(s => s.Name, s => new ObservedService(s.Fingerprint, s.Replicas.Count, true) { Gpus = s.Gpus });
        running[new("old-agent")] = new("0", 1, true);
        running[new("redis")] = running[new("redis")] with { Fingerprint = "0" };
        running[new("vision")] = running[new("vision")] with { Replicas = 1 };
        running.Remove(new("dialogue"));
        var plan = Plans.Plan(AiSystem(), new PlanRequest { Host = new("mainpc") }, o => Mainpc(o) with
        {
            Running = running,
            StartTimes = new Dictionary<ServiceName, TimeSpan>
            {
                [new("redis")] = TimeSpan.FromMilliseconds(120), [new("vision")] = TimeSpan.FromSeconds(41.5), [new("dialogue")] = TimeSpan.FromSeconds(2),
            },
        });
        IsGolden("changes", PlanPrinter.Print(plan));
    }

    [Fact]
    public void A_refused_plan_says_why()
    {
        var estate = new EstateBuilder("broken").Host("box", gpus: Gpu("NVIDIA GeForce RTX 3060", GiB(12)))
            .Service("a", s => s.DependsOn("b")).Service("b", s => s.DependsOn("a"))
            .Service("speech", s => s.Gpu(memory: GiB(6), share: "mps").Port(7300)).Service("vision", s => s.Gpu(memory: GiB(4), share: "mps").Port(7300))
            .Service("nlp", s => s.Gpu(memory: GiB(6), share: "mps")).Service("web", s => s.Image("nginx:1.25"));
        IsGolden("refused", PlanPrinter.Print(Plans.Plan(estate, null, o => o with { Gpus = [Plans.Real(0, "NVIDIA GeForce RTX 3060", 12)] })));
    }

    [Fact]
    public void Escape_sequences_change_nothing_but_the_looks()
    {
        var plan = Rehearsal();
        var bold = PlanPrinter.Print(plan, new PlanPrintOptions(Ansi: true));
        Assert.Contains("\e[1m", bold);
        Assert.Equal(PlanPrinter.Print(plan), Escape().Replace(bold, ""));
    }

    [Theory]
    [InlineData(40)]
    [InlineData(80)]
    [InlineData(200)]
    public void Lines_are_no_wider_than_the_terminal_where_words_can_be_broken(int width) => Assert.All(
        PlanPrinter.Print(Rehearsal(), new PlanPrintOptions(width)).Split('\n'),
        line => Assert.True(line.Length <= Math.Max(width, 70), line));

    [Fact]
    public void The_document_is_snake_case_and_reads_back()
    {
        var document = PlanDocument.From(Rehearsal());
        var json = document.ToJson();
        IsGolden("rehearsal.json", json);
        var again = JsonSerializer.Deserialize(json, PlanJson.Default.PlanDocument)!;
        Assert.Equal(json, again.ToJson());
    }

    private static Observed Mainpc(Observed observed) => observed with
    {
        ContainerTool = new ContainerTool("podman", "/usr/bin/podman"),
        Gpus = [Plans.Real(0, "NVIDIA GeForce RTX 4090", 24)],
    };

    private static void IsGolden(string name, string actual, [CallerFilePath] string here = "")
    {
        var file = Path.Combine(Path.GetDirectoryName(here)!, "golden", name.Contains('.', StringComparison.Ordinal) ? name : $"{name}.txt");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1") File.WriteAllText(file, actual.TrimEnd('\n') + "\n");
        Assert.Equal(File.ReadAllText(file).TrimEnd('\n'), actual.TrimEnd('\n'));
    }

    [GeneratedRegex("\e\\[[0-9;]*m")]
    private static partial Regex Escape();
}
