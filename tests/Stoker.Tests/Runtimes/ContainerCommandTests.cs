using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Planning;
using Stoker.Runtimes;
using Xunit;

namespace Stoker.Tests.Runtimes;

public sealed class ContainerCommandTests
{
    private const string Podman = "/usr/bin/podman", Docker = "/usr/bin/docker";

    private static readonly ServiceSpec Web = new(new ServiceName("web"), new SourcePosition("compose.yaml", 3, 3)) { Image = "nginx:1.25" };

    private static readonly Dictionary<string, string> Caller = new() { ["PATH"] = "/usr/bin", ["HOME"] = "/home/ann", ["HTTPS_PROXY"] = "http://proxy", ["AWS_SECRET"] = "no", ["FROM_CALLER"] = "given" };

    [Fact]
    public void The_smallest_service_becomes_this_command_of_podman() => Assert.Equal(
        """
        /usr/bin/podman run --rm --log-driver=none --no-healthcheck --http-proxy=false --name=shop-web-1
        --label=stoker.estate=shop --label=stoker.service=web --label=stoker.replica=1 --label=stoker.run=r1 --label=stoker.state=/state
        --stop-timeout=10 -e STOKER_ESTATE -e STOKER_REPLICA -e STOKER_SERVICE --network=shop_default --network-alias=web nginx:1.25
        """.ReplaceLineEndings(" "),
        string.Join(' ', Run(Web)));

    [Fact]
    public void Docker_differs_where_its_options_do()
    {
        var spec = Web with { ContainerRuntime = "nvidia" };
        Assert.StartsWith("/usr/bin/docker run --rm --runtime=nvidia --log-driver=none --no-healthcheck --name=", string.Join(' ', Run(spec, tool: Docker)), StringComparison.Ordinal);
        Assert.StartsWith("/usr/bin/podman --runtime=nvidia run --rm --log-driver=none", string.Join(' ', Run(spec)), StringComparison.Ordinal);
        var replica = new ReplicaPlan(1, []) { GpuUuids = ["GPU-1", "GPU-2"] };
        Assert.Contains("--gpus=\"device=GPU-1,GPU-2\"", Run(Web, replica, tool: Docker));
        Assert.Contains("--device=nvidia.com/gpu=GPU-1 --device=nvidia.com/gpu=GPU-2", string.Join(' ', Run(Web, replica)), StringComparison.Ordinal);
        Assert.Equal(["/usr/bin/docker", "container", "rm", "-f", "-v"], ContainerClient.Remove(Docker));
    }

    [Fact]
    public void A_partition_is_the_device_in_place_of_its_card()
    {
        var replica = new ReplicaPlan(1, []) { GpuUuids = ["GPU-1"], GpuPartitions = ["MIG-1"] };
        Assert.Contains("--gpus=\"device=MIG-1\"", Run(Web, replica, tool: Docker));
        Assert.Contains("--device=nvidia.com/gpu=MIG-1 ", string.Join(' ', Run(Web, replica)), StringComparison.Ordinal);
        Assert.DoesNotContain("GPU-1", string.Join(' ', Run(Web, replica)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_of_MPS_gets_the_directory_of_its_server_and_the_memory_that_they_share()
    {
        var replica = new ReplicaPlan(1, []) { GpuUuids = ["GPU-1"], Mps = new MpsShare("gpu0-mps", 50, 1L << 30, "GPU-1") };
        var words = string.Join(' ', Run(Web, replica));
        Assert.Contains(" --volume=/run/mps/gpu0-mps:/run/mps/gpu0-mps ", words, StringComparison.Ordinal);
        Assert.Contains(" --ipc=host ", words, StringComparison.Ordinal);
        Assert.Contains(" -e CUDA_MPS_ACTIVE_THREAD_PERCENTAGE ", words, StringComparison.Ordinal);
        Assert.DoesNotContain("CUDA_VISIBLE_DEVICES", words, StringComparison.Ordinal);
        var own = string.Join(' ', Run(Web with { ContainerOptions = ["--ipc=container:other"] }, replica));
        Assert.DoesNotContain("--ipc=host", own, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_that_a_service_declares_is_in_its_place()
    {
        var spec = Web with
        {
            Entrypoint = ["/entry", "--fast"],
            Command = ["serve", "$(REGION)"],
            User = new("1000:1000", default),
            WorkingDirectory = "/srv",
            StopSignal = 3,
            StopGracePeriod = TimeSpan.FromMilliseconds(1500),
            Environment = Variables(("REGION", "eu"), ("PASSWORD", "hunter2")),
            Ulimits = [new UlimitSpec("nofile", 1024, -1, default)],
            Labels = new Dictionary<string, string> { ["team"] = "a b" },
            ContainerOptions = ["--cap-drop=ALL", "--init"],
            Resources = new ResourceSpec { CpuLimit = 1.5, MemoryLimit = ByteSize.FromMebibytes(64), PidsLimit = 20 },
        };
        Assert.Equal(
            """
            /usr/bin/podman run --rm --log-driver=none --no-healthcheck --http-proxy=false --name=shop-web-2
            --label=stoker.estate=shop --label=stoker.service=web --label=stoker.replica=2 --label=stoker.run=r1 --label=stoker.state=/state --label=team=a b
            --user=1000:1000 --workdir=/srv --stop-signal=3 --stop-timeout=2
            -e PASSWORD -e REGION -e STOKER_ESTATE -e STOKER_REPLICA -e STOKER_SERVICE
            -p 8081:80/tcp -p 127.0.0.1:5353:53/udp -p [::1]:9001:9000/tcp -p 7000/tcp
            --network=shop_default --network-alias=web --cpus=1.5 --memory=67108864 --pids-limit=20 --ulimit=nofile=1024:-1
            --cap-drop=ALL --init --entrypoint=/entry nginx:1.25 --fast serve eu
            """.ReplaceLineEndings(" "),
            string.Join(' ', Run(spec, new ReplicaPlan(2,
            [
                new PortPlan(8080, 8081, 80, "tcp", null), new PortPlan(5353, 5353, 53, "udp", "127.0.0.1"),
                new PortPlan(9001, 9001, 9000, "tcp", "::1"), new PortPlan(0, 0, 7000, "tcp", null),
            ]))));
    }

    [Fact]
    public void No_value_of_a_variable_is_in_the_arguments_but_of_names_that_the_client_obeys()
    {
        var plan = Compose(Web with { Environment = Variables(("PASSWORD", "hunter2"), ("PATH", "/opt/bin"), ("FROM_CALLER", null), ("NOWHERE", null)) });
        var words = Words(plan);
        Assert.DoesNotContain(words, w => w.Contains("hunter2", StringComparison.Ordinal));
        Assert.Contains("-e FROM_CALLER -e PASSWORD -e PATH=/opt/bin -e STOKER_ESTATE", string.Join(' ', words), StringComparison.Ordinal);
        Assert.DoesNotContain("NOWHERE", words);
        Assert.Equal(["HOME", "HTTPS_PROXY", "PATH"], plan.Handle.Environment.Keys.Order());

        var (client, container) = ContainerEnvironment.Unpack(ContainerEnvironment.Pack(plan.Handle.Environment, plan.Environment));
        Assert.Equal(plan.Handle.Environment, client);
        Assert.Equal(plan.Environment, container);
        var merged = ContainerEnvironment.Merge(client, container);
        Assert.Equal(("/usr/bin", "hunter2", "given"), (merged["PATH"], merged["PASSWORD"], merged["FROM_CALLER"]));
    }

    [Fact]
    public void Volumes_secrets_and_configs_are_mounted_and_made_where_they_are_missing()
    {
        var estate = Estate() with
        {
            Volumes = new Dictionary<string, VolumeSpec>
            {
                ["data"] = new("data", null, false, default),
                ["fast"] = new("fast", "local", false, default) { DriverOptions = new Dictionary<string, string> { ["type"] = "tmpfs" } },
                ["old"] = new("old", null, true, default) { GivenName = "legacy" },
            },
            Secrets = new Dictionary<string, MaterialSpec> { ["kept"] = new("kept", null, null, null, true, default) },
            Configs = new Dictionary<string, MaterialSpec> { ["site"] = new("site", null, null, null, true, default) { GivenName = "site-v2" } },
        };
        var spec = Web with
        {
            Mounts =
            [
                new(MountKind.Bind, "/etc/site", "/site", ["ro", "z"], default) { CreatesHostPath = true }, new(MountKind.Volume, "data", "/data", [], default),
                new(MountKind.Volume, "fast", "/fast", [], default), new(MountKind.Volume, "old", "/old", [], default),
                new(MountKind.Volume, null, "/cache", [], default), new(MountKind.Tmpfs, null, "/run", ["size=64m"], default),
            ],
            Secrets = [new("kept", null, null, null, 0x100, default)],
            Configs = [new("site", null, "33", null, null, default)],
        };
        var around = Around(estate) with { Materials = new Dictionary<string, string> { ["/run/secrets/db"] = "/state/secrets/web.1/db" } };
        var plan = ContainerCommand.Compose(Plan(spec, Podman), new ReplicaPlan(1, []), "r1", around);
        Assert.Contains(
            "-v /etc/site:/site:ro,z -v shop_data:/data -v shop_fast:/fast -v legacy:/old -v /cache --tmpfs=/run:size=64m "
                + "-v /state/secrets/web.1/db:/run/secrets/db:ro --secret=kept,target=/run/secrets/kept,mode=0400 --secret=site-v2,target=/site,uid=33",
            string.Join(' ', Words(plan)), StringComparison.Ordinal);
        Assert.Equal(
            [
                "Directory /etc/site |",
                "Unless /usr/bin/podman volume inspect shop_fast | /usr/bin/podman volume create --label=stoker.estate=shop --driver=local --opt=type=tmpfs shop_fast",
                "Need /usr/bin/podman volume inspect legacy | external volume `legacy` does not exist; make it with `podman volume create legacy`",
                "Need /usr/bin/podman secret inspect kept | external secret `kept` does not exist; make it with `podman secret create kept FILE`",
                "Need /usr/bin/podman secret inspect site-v2 | external config `site-v2` does not exist; make it with `podman secret create site-v2 FILE`",
            ],
            Steps(plan).Where(s => s.Contains("volume", StringComparison.Ordinal) || s.StartsWith("Directory", StringComparison.Ordinal) || s.Contains("secret inspect", StringComparison.Ordinal)));
    }

    [Fact]
    public void Networks_are_made_once_and_a_service_is_found_by_its_name_in_each()
    {
        var estate = Estate() with
        {
            Networks = new Dictionary<string, NetworkSpec>
            {
                ["front"] = new("front", "bridge", false, false, default) { CreateOptions = ["--subnet=10.5.0.0/24"] },
                ["back"] = new("back", null, true, false, default) { GivenName = "corp" },
            },
        };
        var front = new NetworkUse("front", ["www"], "10.5.0.9", null, null, default);
        var plan = ContainerCommand.Compose(Plan(Web with { Networks = [front] }, Podman), new ReplicaPlan(1, []), "r1", Around(estate));
        Assert.Contains("--network=shop_front --network-alias=web --network-alias=www --ip=10.5.0.9", string.Join(' ', Words(plan)), StringComparison.Ordinal);
        Assert.Contains(
            "Unless /usr/bin/podman network inspect shop_front | /usr/bin/podman network create --label=stoker.estate=shop --label=stoker.state=/state --driver=bridge --subnet=10.5.0.0/24 shop_front",
            Steps(plan));

        var both = Web with { Networks = [front, new NetworkUse("back", [], null, null, "92:d0:c6:0a:29:33", default)] };
        plan = ContainerCommand.Compose(Plan(both, Podman), new ReplicaPlan(1, []), "r1", Around(estate));
        Assert.Contains("--network=shop_front:alias=web,alias=www,ip=10.5.0.9 --network=corp:alias=web,mac=92:d0:c6:0a:29:33", string.Join(' ', Words(plan)), StringComparison.Ordinal);
        Assert.Contains("Need /usr/bin/podman network inspect corp | external network `corp` does not exist; make it with `podman network create corp`", Steps(plan));
        plan = ContainerCommand.Compose(Plan(both, Docker), new ReplicaPlan(1, []), "r1", Around(estate));
        Assert.Contains("--network=name=shop_front,alias=web,alias=www,ip=10.5.0.9 --network=name=corp,alias=web,mac-address=92:d0:c6:0a:29:33", string.Join(' ', Words(plan)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_mode_leaves_the_estates_network_out()
    {
        var plan = Compose(Web with { ContainerOptions = ["--network=host"] });
        Assert.DoesNotContain(Steps(plan), s => s.Contains("network create", StringComparison.Ordinal));
        Assert.Single(Words(plan), w => w.StartsWith("--network", StringComparison.Ordinal));
    }

    [Fact]
    public void An_image_is_built_when_it_is_missing_and_never_pulled()
    {
        var build = new BuildSpec("/src/web", "Dockerfile.web", default) { Options = ["--build-arg=FROM_CALLER", "--target=prod"] };
        var plan = Compose(Web with { Image = null, Build = build });
        Assert.Contains(
            "Build /usr/bin/podman image inspect --format={{.Id}} shop-web | "
                + "/usr/bin/podman build --format=docker --tag=shop-web --file=/src/web/Dockerfile.web --build-arg=FROM_CALLER --target=prod /src/web",
            Steps(plan));
        Assert.EndsWith("--pull=never shop-web", string.Join(' ', Words(plan)), StringComparison.Ordinal);
        Assert.Equal("given", plan.Handle.Environment["FROM_CALLER"]);

        plan = Compose(Web with { Build = new BuildSpec("/src", null, default) { DockerfileInline = "FROM scratch", Always = true } });
        Assert.Contains("Write /state/Dockerfile.web | FROM scratch", Steps(plan));
        Assert.Contains("Build  | /usr/bin/podman build --format=docker --tag=nginx:1.25 --file=/state/Dockerfile.web /src", Steps(plan));
        plan = ContainerCommand.Compose(Plan(Web with { Build = new BuildSpec("/src", null, default) { Always = true } }, Docker), new ReplicaPlan(1, []), "r1", Around());
        Assert.Contains("Build  | /usr/bin/docker build --tag=nginx:1.25 /src", Steps(plan));
    }

    [Fact]
    public void What_a_crash_left_under_the_same_name_is_cleared_first_and_nothing_of_strangers() => Assert.Equal(
        "Clear /usr/bin/podman container ls -aq --filter=name=^shop-web-1$ --filter=label=stoker.state=/state | /usr/bin/podman container rm -f -v -t 0",
        Steps(Compose(Web))[0]);

    [Fact]
    public void A_declared_name_is_kept_and_replicas_add_their_number()
    {
        Assert.Equal("front", ContainerCommand.NameOf("shop", Web with { ContainerName = "front" }, 1));
        Assert.Equal("front-2", ContainerCommand.NameOf("shop", Web with { ContainerName = "front" }, 2));
    }

    [Fact]
    public void Commands_in_a_container_keep_secrets_out_of_their_arguments()
    {
        var handle = new ContainerHandle(Podman, "shop-web-1");
        Assert.Equal("/usr/bin/podman exec -e STOKER_RUN shop-web-1 true", string.Join(' ', ContainerCommand.Exec(handle, ["true"])));
        Assert.Equal(
            "/usr/bin/podman exec -e STOKER_RUN -e TOKEN --user=app --workdir=/srv shop-web-1 /bin/sh -c warm up",
            string.Join(' ', ContainerCommand.Exec(handle, ["/bin/sh", "-c", "warm up"], "app", "/srv", new Dictionary<string, string> { ["TOKEN"] = "t0p" })));
    }

    [Fact]
    public void Steps_survive_the_way_through_arguments()
    {
        var steps = Compose(Web with { Command = ["sh", "-c", "a\nb", "", "3"] }).Steps;
        Assert.Equal(
            steps.Select(s => (s.Kind, string.Join('\0', s.First), string.Join('\0', s.Then))),
            ContainerStep.Parse(ContainerStep.ToArguments(steps).ToArray())!.Select(s => (s.Kind, string.Join('\0', s.First), string.Join('\0', s.Then))));
        Assert.Null(ContainerStep.Parse(["Run", "9", "a"]));
        Assert.Null(ContainerStep.Parse(["Dance", "0", "0"]));
        Assert.Null(ContainerStep.Parse(["Run", "1", "a"]));
    }

    private static EstateSpec Estate() => new("shop", "compose.yaml", "/estate");

    private static LaunchSurroundings Around(EstateSpec? estate = null) => new("shop", Caller, "/usr/bin/stoker") { OutputFifo = "/p/o", ErrorFifo = "/p/e", State = "/state", Mps = "/run/mps", Declared = estate };

    private static ServicePlan Plan(ServiceSpec spec, string tool) => new(spec, "") { Executable = tool, Runtime = RuntimeKind.Container };

    private static ContainerPlan Compose(ServiceSpec spec) => ContainerCommand.Compose(Plan(spec, Podman), new ReplicaPlan(1, []), "r1", Around());

    private static IReadOnlyList<string> Run(ServiceSpec spec, ReplicaPlan? replica = null, string tool = Podman) =>
        Words(ContainerCommand.Compose(Plan(spec, tool), replica ?? new ReplicaPlan(1, []), "r1", Around()));

    private static IReadOnlyList<string> Words(ContainerPlan plan) => plan.Steps[^1].First;

    private static List<string> Steps(ContainerPlan plan) => [.. plan.Steps.Select(s => $"{s.Kind} {string.Join(' ', s.First)} |{string.Concat(s.Then.Select(w => " " + w))}")];

    private static Dictionary<string, Positioned<string?>> Variables(params (string Name, string? Value)[] variables) =>
        variables.ToDictionary(v => v.Name, v => new Positioned<string?>(v.Value, default));
}
