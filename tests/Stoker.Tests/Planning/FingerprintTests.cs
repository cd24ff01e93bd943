using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Planning;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Planning;

public sealed class FingerprintTests
{
    private static readonly SourcePosition Where = EstateBuilder.At(99, 9);

    public enum Restarts
    {
        Nothing,
        Containers,
        Both,
    }

    /// <summary>Every member of a service but its name: a changed declaration, and what of it must restart when it runs.</summary>
    private static readonly Dictionary<string, (Restarts What, Func<ServiceSpec, ServiceSpec> Change)> Members = new()
    {
        [nameof(ServiceSpec.Command)] = (Restarts.Both, s => s with { Command = ["other"] }),
        [nameof(ServiceSpec.Entrypoint)] = (Restarts.Both, s => s with { Entrypoint = ["tini"] }),
        [nameof(ServiceSpec.Image)] = (Restarts.Both, s => s with { Image = "nginx" }),
        [nameof(ServiceSpec.Build)] = (Restarts.Both, s => s with { Build = new BuildSpec(".", null, Where) }),
        [nameof(ServiceSpec.Environment)] = (Restarts.Both, s => s with { Environment = new Dictionary<string, Positioned<string?>> { ["A"] = new("1", Where) } }),
        [nameof(ServiceSpec.WorkingDirectory)] = (Restarts.Both, s => s with { WorkingDirectory = "/srv" }),
        [nameof(ServiceSpec.User)] = (Restarts.Both, s => s with { User = new Positioned<string>("www-data", Where) }),
        [nameof(ServiceSpec.Ports)] = (Restarts.Both, s => s with { Ports = [new PortSpec(null, 80, null, 80, "tcp", Where)] }),
        [nameof(ServiceSpec.Resources)] = (Restarts.Both, s => s with { Resources = new ResourceSpec { MemoryLimit = EstateBuilder.GiB(1) } }),
        [nameof(ServiceSpec.Ulimits)] = (Restarts.Both, s => s with { Ulimits = [new UlimitSpec("nofile", 1, 2, Where)] }),
        [nameof(ServiceSpec.Umask)] = (Restarts.Both, s => s with { Umask = 18 }),
        [nameof(ServiceSpec.Nice)] = (Restarts.Both, s => s with { Nice = 5 }),
        [nameof(ServiceSpec.Secrets)] = (Restarts.Both, s => s with { Secrets = [new MaterialUse("key", null, null, null, null, Where)] }),
        [nameof(ServiceSpec.Configs)] = (Restarts.Both, s => s with { Configs = [new MaterialUse("conf", null, null, null, null, Where)] }),
        [nameof(ServiceSpec.Mounts)] = (Restarts.Both, s => s with { Mounts = [new MountSpec(MountKind.Bind, "/a", "/b", [], Where)] }),
        [nameof(ServiceSpec.Models)] = (Restarts.Both, s => s with { Models = [new ModelUse("phi", "URL", null, Where)] }),
        [nameof(ServiceSpec.PostStart)] = (Restarts.Both, s => s with { PostStart = [new HookSpec(["true"], null, null, new Dictionary<string, string>(), Where)] }),
        [nameof(ServiceSpec.ContainerOptions)] = (Restarts.Containers, s => s with { ContainerOptions = ["--privileged"] }),
        [nameof(ServiceSpec.ContainerName)] = (Restarts.Containers, s => s with { ContainerName = "box" }),
        [nameof(ServiceSpec.ContainerRuntime)] = (Restarts.Containers, s => s with { ContainerRuntime = "runsc" }),
        [nameof(ServiceSpec.Networks)] = (Restarts.Containers, s => s with { Networks = [new NetworkUse("back", [], null, null, null, Where)] }),
        [nameof(ServiceSpec.Labels)] = (Restarts.Containers, s => s with { Labels = new Dictionary<string, string> { ["a"] = "b" } }),
        [nameof(ServiceSpec.StopSignal)] = (Restarts.Containers, s => s with { StopSignal = 2 }),
        [nameof(ServiceSpec.StopGracePeriod)] = (Restarts.Nothing, s => s with { StopGracePeriod = TimeSpan.FromSeconds(1) }),
        [nameof(ServiceSpec.Healthcheck)] = (Restarts.Nothing, s => s with { Healthcheck = new HealthcheckSpec(new ProbeSpec.Tcp("::1", 1), Where) }),
        [nameof(ServiceSpec.Restart)] = (Restarts.Nothing, s => s with { Restart = new RestartSpec(RestartMode.Always) }),
        [nameof(ServiceSpec.Reload)] = (Restarts.Nothing, s => s with { Reload = new ReloadSpec(1, null, Where) }),
        [nameof(ServiceSpec.Replicas)] = (Restarts.Nothing, s => s with { Replicas = 3 }),
        [nameof(ServiceSpec.Group)] = (Restarts.Nothing, s => s with { Group = new Positioned<GroupName>(new("g"), Where) }),
        [nameof(ServiceSpec.Host)] = (Restarts.Nothing, s => s with { Host = new Positioned<HostName>(new("box"), Where) }),
        [nameof(ServiceSpec.Profiles)] = (Restarts.Nothing, s => s with { Profiles = ["p"] }),
        [nameof(ServiceSpec.DependsOn)] = (Restarts.Nothing, s => s with
        {
            DependsOn = new Dictionary<ServiceName, DependencySpec> { [new("b")] = new(new("b"), DependencyCondition.Started, true, true, Where) },
        }),
        [nameof(ServiceSpec.Logging)] = (Restarts.Nothing, s => s with { Logging = new LoggingSpec { MaxFiles = 9 } }),
        [nameof(ServiceSpec.PreStop)] = (Restarts.Nothing, s => s with { PreStop = [new HookSpec(["true"], null, null, new Dictionary<string, string>(), Where)] }),
        [nameof(ServiceSpec.StartsOnRequest)] = (Restarts.Nothing, s => s with { StartsOnRequest = true }),
        [nameof(ServiceSpec.Simulation)] = (Restarts.Nothing, s => s with { Simulation = new SimulationSpec(["simulate"]) }),
        [nameof(ServiceSpec.Tunnel)] = (Restarts.Nothing, s => s with { Tunnel = new TunnelSpec("bastion", 22, Where) }),
        [nameof(ServiceSpec.Where)] = (Restarts.Nothing, s => s with { Where = Where }),
        [nameof(ServiceSpec.CommandWhere)] = (Restarts.Nothing, s => s with { CommandWhere = Where }),
    };

    public static TheoryData<string> MemberNames =>
        [.. typeof(ServiceSpec).GetProperties().Where(p => p.CanWrite && p.Name != nameof(ServiceSpec.Name)).Select(p => p.Name)];

    private static ServiceSpec Service(string name = "a") => new(new ServiceName(name), EstateBuilder.At(1)) { Command = ["serve"] };

    private static string Of(ServiceSpec spec, EstateSpec? estate = null, RuntimeKind runtime = RuntimeKind.Process) =>
        new Fingerprint().Of(estate ?? new EstateBuilder().Build(), new PlacedService(spec, null, null, true, spec.Replicas), runtime, []);

    [Theory]
    [MemberData(nameof(MemberNames))]
    public void Each_member_restarts_what_runs_or_can_change_under_it(string member)
    {
        Assert.True(Members.TryGetValue(member, out var expected), $"decide whether a change of ServiceSpec.{member} restarts the service");
        var container = Service() with { Image = "redis" };
        Assert.Equal(expected.What == Restarts.Both, Of(Service()) != Of(expected.Change(Service())));
        Assert.Equal(expected.What != Restarts.Nothing, Of(container) != Of(expected.Change(container)));
    }

    [Fact]
    public void It_is_the_same_in_every_process() => Assert.Equal("39593a72a7805082", Of(Service()));

    [Fact]
    public void The_order_of_variables_does_not_matter()
    {
        static ServiceSpec With(params string[] names) => Service() with
        {
            Environment = names.ToDictionary(n => n, n => new Positioned<string?>(n.ToLowerInvariant(), Where)),
        };
        Assert.Equal(Of(With("A", "B", "C")), Of(With("C", "A", "B")));
        Assert.NotEqual(Of(With("A", "B")), Of(With("A")));
    }

    [Fact]
    public void Neighbouring_values_do_not_run_together() =>
        Assert.NotEqual(Of(Service() with { Command = ["ab", "c"] }), Of(Service() with { Command = ["a", "bc"] }));

    [Fact]
    public void No_value_is_not_an_empty_value() => Assert.NotEqual(
        Of(Service() with { Environment = new Dictionary<string, Positioned<string?>> { ["A"] = new(null, Where) } }),
        Of(Service() with { Environment = new Dictionary<string, Positioned<string?>> { ["A"] = new("", Where) } }));

    [Fact]
    public void A_secret_enters_by_its_source_and_a_stand_in_is_another_thing()
    {
        var uses = Service() with { Secrets = [new MaterialUse("key", null, null, null, null, Where)] };
        Assert.NotEqual(Of(uses, new EstateBuilder().Secret("key", "/one").Build()), Of(uses, new EstateBuilder().Secret("key", "/two").Build()));
        Assert.NotEqual(Of(uses), Of(uses, runtime: RuntimeKind.StandIn));
        Assert.NotEqual(Of(uses, runtime: RuntimeKind.StandIn), Of(uses with { Simulation = new SimulationSpec(["simulate"]) }, runtime: RuntimeKind.StandIn));
    }
}
