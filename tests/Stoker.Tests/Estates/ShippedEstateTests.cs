using Stoker.Daemon;
using Stoker.Daemon.Protocol;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Hosts.Checks;
using Stoker.Hosts.Layers;
using Stoker.Models;
using Stoker.Planning;
using Stoker.Streams;
using Stoker.Tests.Architecture;
using Xunit;
using Findings = Stoker.Tests.Architecture.Findings;

namespace Stoker.Tests.Estates;

/// <summary>The estates that come with the program are right, and are what their comments say.</summary>
public sealed class ShippedEstateTests
{
    private const string Quickstart = "estates/quickstart/stoker.yaml", AiSystem = "estates/ai-system/stoker.yaml", Citadel = "estates/citadel/stoker.yaml",
        Ca4 = "estates/ca4/stoker.yaml", VaultCube = "estates/vault-cube/stoker.yaml";

    [Theory]
    [InlineData(Quickstart, null)]
    [InlineData(AiSystem, null)]
    [InlineData(AiSystem, "staging")]
    [InlineData(AiSystem, "production")]
    [InlineData(Citadel, null)]
    [InlineData(VaultCube, null)]
    [InlineData(Ca4, null)]
    [InlineData(Ca4, "postgres")]
    [InlineData(Ca4, "s3")]
    public void An_estate_that_is_shipped_has_no_mistakes(string file, string? environment)
    {
        var loaded = Load(file, environment);
        Findings.AreNone(loaded.Diagnostics.Select(d => d.ToString()));
        Assert.NotNull(loaded.Estate);
    }

    [Fact]
    public void The_quickstart_runs_for_real_with_what_every_Debian_has()
    {
        var plan = Plan(Quickstart, rehearse: false, ["sh", "perl"]);
        Findings.AreNone(plan.Diagnostics.Select(d => d.ToString()));
        Assert.All(plan.Local, service => Assert.Equal(RuntimeKind.Process, service.Runtime));
        Assert.All(plan.Local, service => Assert.Equal(Repository.PathOf("estates/quickstart"), service.Spec.WorkingDirectory));
        Assert.Equal(2, plan.Services[new ServiceName("hello")].Replicas.Count);
    }

    [Fact]
    public void The_AI_system_has_its_groups_and_agents_on_two_hosts()
    {
        var estate = Load(AiSystem, null).Estate!;
        Assert.Equal(
            ["infra_core", "coordination", "observability", "memory_stack", "vision_gpu", "speech_gpu", "learning_gpu", "reasoning_gpu",
                "language_stack", "utility_cpu", "emotion_system"],
            GroupsOf(estate, "mainpc"));
        Assert.Equal(
            ["pc2_infra_core", "pc2_memory_stack", "async_pipeline", "tutoring_cpu", "vision_dream_gpu", "pc2_utility_cpu", "web_interface"],
            GroupsOf(estate, "pc2"));
        Assert.InRange(estate.Services.Values.Count(IsAgent), 40, 100);
        Assert.All(estate.Groups.Keys, group => Assert.Contains(estate.Services.Values, service => service.Group?.Value == group));
    }

    [Fact]
    public void The_AI_system_comes_up_whole_in_rehearsal_on_a_machine_that_has_nothing()
    {
        var plan = Plan(AiSystem, rehearse: true, []);
        Findings.AreNone(plan.Diagnostics.Where(d => d.Severity == Severity.Error).Select(d => d.ToString()));
        Assert.Equal(plan.Services.Count, plan.Local.Count());
        Assert.All(plan.Local, service => Assert.NotNull(service.StandIn));
        Assert.InRange(plan.Waves.Count, 6, 20);
    }

    [Theory]
    [InlineData("mainpc")]
    [InlineData("pc2")]
    public void Each_host_of_the_AI_system_waits_for_services_of_the_other(string host)
    {
        var plan = Plan(AiSystem, rehearse: true, [], host);
        Findings.AreNone(plan.Diagnostics.Where(d => d.Severity == Severity.Error).Select(d => d.ToString()));
        Assert.Contains(plan.Local, service => service.Dependencies.Any(dependency => dependency.Remote));
    }

    [Fact]
    public void The_GPU_shares_of_the_AI_system_fit_their_cards()
    {
        var plan = Plan(AiSystem, rehearse: true, []);
        Assert.Equal(
            ["active_learner", "dream_renderer", "dream_world", "face_recognition", "fine_tuner", "goal_planner", "language_model",
                "scene_understanding", "speech_to_text", "text_to_speech"],
            plan.Local.Where(service => service.Gpus.Count > 0).Select(service => service.Name.Value).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_groups_of_the_AI_system_share_one_RTX_4090_and_one_RTX_3060_without_MIG()
    {
        var gpus = Plan(AiSystem, rehearse: true, []).Gpus;
        Assert.Equal(["NVIDIA GeForce RTX 4090 by mps", "NVIDIA GeForce RTX 3060 by time"], gpus.Select(g => $"{g.Model} by {g.Share}"));
        Assert.Equal(["group learning_gpu", "group reasoning_gpu", "group vision_gpu", "group speech_gpu"], gpus[0].Holders.Select(h => h.Owner));
        Assert.Equal(23L << 30, gpus[0].Holders.Sum(h => h.Memory!.Value.Bytes));
        Assert.Equal(("group vision_dream_gpu", 10L << 30), (Assert.Single(gpus[1].Holders).Owner, gpus[1].Holders[0].Memory!.Value.Bytes));
    }

    [Fact]
    public void Production_secrets_that_are_not_there_are_named_before_anything_starts()
    {
        var plan = Plan(AiSystem, rehearse: true, [], environment: "production");
        var bag = new DiagnosticBag();
        EstateWork.Contexts(plan, new Dictionary<string, string>(), bag);
        Assert.All(bag, d => Assert.Equal(DaemonDiagnostics.MaterialUnreadable, d.Code));
        Assert.Contains(bag, d => d.Message == "secret `session_key` cannot be read: there is no file `/etc/ai-system/secrets/session_key`");
    }

    [Fact]
    public void Citadel_serves_its_four_models_from_two_small_GPUs()
    {
        var plan = Plan(Citadel, rehearse: true, []);
        Findings.AreNone(plan.Diagnostics.Where(d => d.Severity == Severity.Error).Select(d => d.ToString()));
        var models = ModelPlan.Of(plan);
        Assert.Equal(
            ["phi-3-mini", "imp-v1-3b", "Qwen-Coder-DeepSeek-R1-14B", "NousResearch/Nous-Hermes-2-Mixtral-8x7B-DPO"], models.Select(m => m.Name));
        Assert.All(models, m => Assert.Equal(EngineKind.Vllm, m.Engine));
        Assert.All(models, m => Assert.NotNull(plan.Services[m.Service!].Spec.Simulation));
        Assert.All(plan.Local.Where(s => s.Spec.Simulation is not null), s => Assert.Single(s.Gpus));
        Assert.Equal("--gpu-memory-utilization 0.56", Flag(plan.Services[new ServiceName("phi-3-mini")].Spec, "--gpu-memory-utilization"));
    }

    [Fact]
    public void The_vault_cube_has_its_layers_its_tiers_and_a_replica_on_each_of_four_cards()
    {
        var estate = Load(VaultCube, null).Estate!;
        Assert.Equal(
            ["base", "people", "kernel", "keys", "wall", "bans", "updates", "driver", "gpu-runtime", "frameworks", "validation"], estate.Part<LayersSpec>()!.Layers.Select(l => l.Name));
        Assert.All(["unit", "integration", "validation", "performance", "stress"], tier => Assert.Contains(tier, estate.Part<ChecksSpec>()!.Profiles.Keys));
        var plan = Plan(VaultCube, rehearse: true, []);
        Findings.AreNone(plan.Diagnostics.Where(d => d.Severity == Severity.Error).Select(d => d.ToString()));
        Assert.Equal(["llama-2-7b/1", "llama-2-7b/2", "llama-2-7b/3", "llama-2-7b/4"], plan.Gpus.Select(g => Assert.Single(g.Holders).Owner));
        Assert.All(plan.Gpus, g => Assert.Equal("NVIDIA GeForce RTX 5090", g.Model));
    }

    [Fact]
    public void Ca4_keeps_documents_in_SQLite_and_by_environment_in_PostgreSQL()
    {
        var plan = Plan(Ca4, rehearse: false, ["perl", ServiceSpec.OwnProgram]);
        Findings.AreNone(plan.Diagnostics.Select(d => d.ToString()));
        var stream = Assert.Single(StreamPlan.Of(plan));
        Assert.Equal(("gpu-metadata", "", 768), (stream.Name, stream.Store, stream.Dimension));
        Assert.Equal(["gpu-metadata", "notebook"], plan.Waves.SelectMany(wave => wave).Select(name => name.Value));

        plan = Plan(Ca4, rehearse: false, ["perl", "sh", ServiceSpec.OwnProgram], environment: "postgres");
        Findings.AreNone(plan.Diagnostics.Select(d => d.ToString()));
        stream = Assert.Single(StreamPlan.Of(plan));
        Assert.Equal(("postgres://ca4@127.0.0.1:5442/ca4", "CA4_STORE_PASSWORD"), (stream.Store, stream.PasswordVariable));
        Assert.Contains("postgres", plan.Local.Select(service => service.Name.Value));
    }

    [Fact]
    public void Ca4_keeps_events_in_a_topic_by_environment()
    {
        var plan = Plan(Ca4, rehearse: false, ["perl", "sh", "python3", ServiceSpec.OwnProgram], environment: "kafka");
        Findings.AreNone(plan.Diagnostics.Where(d => d.Code != StreamDiagnostics.KafkaMissing).Select(d => d.ToString()));
        var stream = Assert.Single(StreamPlan.Of(plan));
        Assert.Equal(("kafka://127.0.0.1:9092/gpu-metadata", 2, null, "postgres://ca4@127.0.0.1:5442/ca4"), (stream.Log, stream.Partitions, stream.KeepSeconds, stream.Store));
        Assert.Equal(Repository.PathOf("estates/ca4/archive"), stream.Archive!.To);
        Assert.Contains("kafka", plan.Local.Select(service => service.Name.Value));
    }

    [Fact]
    public void Ca4_archives_to_a_directory_and_by_environment_to_a_bucket()
    {
        var stream = Assert.Single(StreamPlan.Of(Plan(Ca4, rehearse: false, ["perl", ServiceSpec.OwnProgram])));
        Assert.Equal(Repository.PathOf("estates/ca4/archive"), stream.Archive!.To);
        Assert.Equal(["raw", "enriched"], stream.Archive.What);

        var plan = Plan(Ca4, rehearse: false, ["perl", "sh", ServiceSpec.OwnProgram], environment: "s3");
        Findings.AreNone(plan.Diagnostics.Select(d => d.ToString()));
        stream = StreamPlan.FromJson(Assert.Single(StreamPlan.Of(plan)).ToJson());
        Assert.Equal(("s3://ca4/archive", "http://127.0.0.1:9042", 60, 64L << 20), (stream.Archive!.To, stream.Archive.Endpoint, stream.Archive.EverySeconds, stream.Archive.Bytes));
        Assert.Contains("AWS_SECRET_ACCESS_KEY", plan.Services[new ServiceName("gpu-metadata")].Spec.Environment.Keys);
        Assert.Contains("s3", plan.Local.Select(service => service.Name.Value));
    }

    [Fact]
    public void Ca4_has_a_topic_PostgreSQL_and_a_bucket_together_in_one_environment()
    {
        var plan = Plan(Ca4, rehearse: false, ["perl", "sh", "python3", ServiceSpec.OwnProgram], environment: "whole");
        Findings.AreNone(plan.Diagnostics.Where(d => d.Code != StreamDiagnostics.KafkaMissing).Select(d => d.ToString()));
        var stream = Assert.Single(StreamPlan.Of(plan));
        Assert.Equal(("kafka://127.0.0.1:9092/gpu-metadata", "postgres://ca4@127.0.0.1:5442/ca4", "s3://ca4/archive"), (stream.Log, stream.Store, stream.Archive!.To));
        Assert.Equal(["gpu-metadata", "kafka", "notebook", "postgres", "s3"], plan.Local.Select(service => service.Name.Value).Order());
    }

    private static string Flag(ServiceSpec service, string flag) => string.Join(' ', service.Command!.SkipWhile(w => w != flag).Take(2));

    private static IEnumerable<string> GroupsOf(EstateSpec estate, string host) =>
        estate.Groups.Values.Where(group => group.Host?.Value == host).Select(group => group.Name.Value);

    private static bool IsAgent(ServiceSpec service) => service.Command?.Contains("-m") == true && !service.Command.Contains("migrations");

    private static EstateWork.Loaded Load(string file, string? environment) => EstateWork.Load(Request(file, environment));

    private static ApplyRequest Request(string file, string? environment) => new([Repository.PathOf(file)])
    {
        Env = environment,
        Variables = new Dictionary<string, string> { ["HOME"] = "/root" },
    };

    private static EstatePlan Plan(string file, bool rehearse, string[] installed, string? host = null, string? environment = null)
    {
        var estate = Load(file, environment).Estate!;
        var observed = new Observed
        {
            Executables = CommandWords.ToLookUp(estate).ToDictionary(word => word, word => installed.Contains(word) ? $"/usr/bin/{word}" : null),
            Cpus = 2,
            Memory = new ByteSize(24L << 30),
            CgroupControllers = new HashSet<string> { "cpu", "memory", "pids" },
            IsRoot = true,
            HardLimits = new Dictionary<string, long> { ["nofile"] = 1 << 20 },
        };
        return Planner.Plan(estate, new PlanRequest { Rehearse = rehearse, Host = host is null ? null : new HostName(host) }, observed);
    }
}
