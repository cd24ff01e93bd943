using Stoker.Estates;
using Xunit;
using static Stoker.Tests.Estates.EstateText;

namespace Stoker.Tests.Estates;

/// <summary>Short and long forms of one thing read the same.</summary>
public sealed class ServiceFormTests
{
    [Theory]
    [InlineData("command: sh -c 'echo \"a b\"' x\\ y", "sh|-c|echo \"a b\"|x y")]
    [InlineData("command: [sh, -c, 'echo hi', 5, true]", "sh|-c|echo hi|5|true")]
    [InlineData("command: >-\n  serve\n  --port 80\n  ''", "serve|--port|80|")]
    public void A_command_is_words(string yaml, string words) => Assert.Equal(words.Split('|'), Service(yaml).Command);

    [Fact]
    public void A_process_may_have_its_words_in_the_entrypoint()
    {
        var service = Service("entrypoint: [tini, --, serve]", "command: []");
        Assert.Equal(["tini", "--", "serve"], service.Entrypoint);
        Assert.Empty(service.Command!);
    }

    [Fact]
    public void A_container_without_a_command_runs_what_its_image_says()
    {
        var service = Service("image: nginx", "command:");
        Assert.True(service.IsContainer);
        Assert.Null(service.Command);
    }

    [Theory]
    [InlineData("image: i\nports: ['80']", "null:80->80/tcp")]
    [InlineData("image: i\nports: [8080:80/udp]", "8080->80/udp")]
    [InlineData("image: i\nports: ['127.0.0.1:8080:80']", "127.0.0.1:8080->80/tcp")]
    [InlineData("image: i\nports: ['127.0.0.1::80']", "127.0.0.1:null->80/tcp")]
    [InlineData("image: i\nports: ['[::1]:8080:80']", "::1:8080->80/tcp")]
    [InlineData("image: i\nports: [3000-3001]", "null->3000/tcp null->3001/tcp")]
    [InlineData("image: i\nports: ['9000-9001:80-81']", "9000->80/tcp 9001->81/tcp")]
    [InlineData("image: i\nports: ['9000-9005:80']", "9000-9005->80/tcp")]
    [InlineData("image: i\nports: [{target: 80, published: '9000-9005', protocol: udp, host_ip: 127.0.0.1}]", "127.0.0.1:9000-9005->80/udp")]
    [InlineData("command: c\nports: ['7300']", "7300->7300/tcp")]
    [InlineData("command: c\nports: [7300-7309]", "7300-7309->7300/tcp")]
    [InlineData("command: c\nports: ['7300-7309:7300-7309']", "7300-7309->7300/tcp")]
    [InlineData("command: c\nports: [{target: 7300}]", "7300->7300/tcp")]
    public void Ports_are_read_in_every_form(string keys, string ports)
    {
        var read = Service(keys).Ports.Select(p =>
            $"{(p.HostIp is null ? "" : $"{p.HostIp}:")}{p.Published?.ToString() ?? "null"}{(p.PublishedEnd is { } end ? $"-{end}" : "")}->{p.Target}/{p.Protocol}");
        Assert.Equal(ports.Replace("null:80", "null"), string.Join(' ', read));
    }

    [Theory]
    [InlineData("image: i", "asks the image, which says Interval, Timeout, Retries, StartPeriod, StartInterval")]
    [InlineData("build: .", "asks the image, which says Interval, Timeout, Retries, StartPeriod, StartInterval")]
    [InlineData("image: i\nhealthcheck: {interval: 5s, retries: 2}", "asks the image, which says Timeout, StartPeriod, StartInterval")]
    [InlineData("image: i\nhealthcheck: {test: check, timeout: 1s, start_period: 0s, start_interval: 1s}", "asks itself, and the image says Interval, Retries")]
    [InlineData("image: i\nhealthcheck: {test: check, interval: 1s, timeout: 1s, retries: 1, start_period: 0s, start_interval: 1s}", "asks itself")]
    [InlineData("image: i\nhealthcheck: {tcp: 80}", "asks itself")]
    [InlineData("image: i\nhealthcheck: {disable: true}", "asks nobody")]
    [InlineData("image: i\nhealthcheck: {test: NONE}", "asks nobody")]
    [InlineData("command: c\nhealthcheck: {test: check}", "asks itself")]
    public void What_a_container_does_not_say_of_its_health_is_left_to_its_image(string keys, string who)
    {
        var check = Service(keys).Healthcheck!;
        var asked = check.Probe switch { ProbeSpec.Image => "asks the image", ProbeSpec.None => "asks nobody", _ => "asks itself" };
        var left = check.LeftToImage == HealthcheckTimes.None ? "" : check.Probe is ProbeSpec.Image ? $", which says {check.LeftToImage}" : $", and the image says {check.LeftToImage}";
        Assert.Equal(who, asked + left);
        Assert.Equal(check.AsksImage, left.Length > 0);
    }

    [Fact]
    public void What_the_file_says_of_a_healthcheck_goes_before_what_the_image_says_key_by_key()
    {
        var image = new ImageHealthcheck(["well"]) { Interval = TimeSpan.FromSeconds(9), Timeout = TimeSpan.FromSeconds(8), Retries = 7 };
        var left = image.Under(Service("image: i\nhealthcheck: {interval: 5s}").Healthcheck!);
        Assert.Equal((5, 8, 7, 0), (left.Interval.TotalSeconds, left.Timeout.TotalSeconds, left.Retries, left.StartPeriod.TotalSeconds));
        Assert.Equal(["well"], Assert.IsType<ProbeSpec.Exec>(left.Probe).Command);
        Assert.False(left.AsksImage);

        var own = image.Under(Service("image: i\nhealthcheck: {test: [CMD, own], timeout: 1s}").Healthcheck!);
        Assert.Equal((9, 1, 7), (own.Interval.TotalSeconds, own.Timeout.TotalSeconds, own.Retries));
        Assert.Equal(["own"], Assert.IsType<ProbeSpec.Exec>(own.Probe).Command);

        var none = ImageHealthcheck.None.Under(Service("image: i").Healthcheck!);
        Assert.IsType<ProbeSpec.None>(none.Probe);
        Assert.Equal(TimeSpan.FromSeconds(30), none.Interval);
    }

    [Fact]
    public void The_same_port_on_two_addresses_or_protocols_is_no_clash() =>
        Assert.Equal(3, Service("image: i", "ports: ['127.0.0.1:80:80', '127.0.0.2:80:80', '80:80/udp']").Ports.Count);

    [Theory]
    [InlineData("healthcheck: {test: curl -f http://localhost && exit 0}", "/bin/sh|-c|curl -f http://localhost && exit 0")]
    [InlineData("healthcheck: {test: [CMD-SHELL, curl -f http://localhost && exit 0]}", "/bin/sh|-c|curl -f http://localhost && exit 0")]
    [InlineData("healthcheck: {test: [CMD, curl, -f, http://localhost]}", "curl|-f|http://localhost")]
    [InlineData("healthcheck: {exec: curl -f 'http://localhost'}", "curl|-f|http://localhost")]
    [InlineData("healthcheck: {exec: [curl, http://localhost]}", "curl|http://localhost")]
    public void A_health_command_is_words(string yaml, string words)
    {
        var probe = Assert.IsType<ProbeSpec.Exec>(Service("command: c", yaml).Healthcheck!.Probe);
        Assert.Equal(words.Split('|'), probe.Command);
    }

    public static TheoryData<string, object> Probes() => new()
    {
        { "{http: 'http://127.0.0.1:80/health'}", new ProbeSpec.Http(new Uri("http://127.0.0.1:80/health")) },
        { "{http: {url: 'https://[::1]:8443/', status: 204}}", new ProbeSpec.Http(new Uri("https://[::1]:8443/"), 204) },
        { "{tcp: 6379}", new ProbeSpec.Tcp("127.0.0.1", 6379) },
        { "{tcp: 'db.local:5432'}", new ProbeSpec.Tcp("db.local", 5432) },
        { "{tcp: '[::1]:5432'}", new ProbeSpec.Tcp("::1", 5432) },
        { "{log: '^ready in \\d+ ms$'}", new ProbeSpec.Log("^ready in \\d+ ms$") },
        { "{notify: true}", new ProbeSpec.Notify(null) },
        { "{notify: {watchdog: 30s}}", new ProbeSpec.Notify(TimeSpan.FromSeconds(30)) },
        { "{notify: {}}", new ProbeSpec.Notify(null) },
        { "{test: NONE}", new ProbeSpec.None() },
        { "{test: [NONE]}", new ProbeSpec.None() },
        { "{disable: 'yes', test: 'true'}", new ProbeSpec.None() },
    };

    [Theory]
    [MemberData(nameof(Probes))]
    public void Every_kind_of_healthcheck_is_read(string healthcheck, object probe) =>
        Assert.Equal(probe, Service("command: c", $"healthcheck: {healthcheck}").Healthcheck!.Probe);

    [Fact]
    public void Variables_of_files_come_before_those_of_the_keys_and_later_files_win()
    {
        var files = new Dictionary<string, string> { ["/srv/estate/one.env"] = "A=1\nB=1\nC=1\n", ["/srv/estate/two.env"] = "B=2\nC=2\nKNOWN\n" };
        var yaml = ServiceYaml("a", "command: c", "env_file: [one.env, {path: ./two.env}]", "environment: [C=3, D, E=]");
        var environment = Good(yaml, files).Services[new ServiceName("a")].Environment;
        Assert.Equal("A=1 B=2 C=3 KNOWN=known D=null E=", string.Join(' ', environment.Select(e => $"{e.Key}={e.Value.Value ?? "null"}")));
        Assert.Equal("stoker.yaml:5:19", environment["C"].Where.ToString());
    }

    [Fact]
    public void Labels_of_lists_and_mappings_are_the_same() =>
        Assert.Equal(Service("command: c", "labels: [a=b, c, d=e=f]").Labels, Service("command: c", "labels: {a: b, c: null, d: e=f}").Labels);

    [Theory]
    [InlineData("volumes: ['/data']", "Volume||/data|")]
    [InlineData("volumes: ['data:/data:ro,z']", "Volume|data|/data|ro,z")]
    [InlineData("volumes: [{type: volume, source: data, target: /data, read_only: true}]", "Volume|data|/data|ro")]
    [InlineData("volumes: ['./src:/app']", "Bind|/srv/estate/src|/app|")]
    [InlineData("volumes: ['../src:/app']", "Bind|/srv/src|/app|")]
    [InlineData("volumes: ['~/models:/models']", "Bind|/home/owner/models|/models|")]
    [InlineData("volumes: ['/etc/x:/etc/x:ro']", "Bind|/etc/x|/etc/x|ro")]
    [InlineData("volumes: [{type: bind, source: ./src, target: /app, bind: {selinux: z}}]", "Bind|/srv/estate/src|/app|z")]
    [InlineData("tmpfs: /run", "Tmpfs||/run|")]
    [InlineData("tmpfs: ['/run:size=64m,mode=755']", "Tmpfs||/run|size=64m,mode=755")]
    public void Mounts_are_read_in_every_form(string keys, string mount)
    {
        var yaml = ServiceYaml("a", "image: i", keys) + "volumes: {data: null}\n";
        var read = Assert.Single(Good(yaml).Services[new ServiceName("a")].Mounts);
        Assert.Equal(mount, $"{read.Kind}|{read.Source}|{read.Target}|{string.Join(',', read.Options)}");
    }

    [Theory]
    [InlineData("gpus: all", "all||whole")]
    [InlineData("gpus: [{}]", "all||whole")]
    [InlineData("gpus: [{count: -1}]", "all||whole")]
    [InlineData("gpus: [{driver: nvidia, count: '2', capabilities: [compute, utility]}]", "2||whole")]
    [InlineData("deploy: {resources: {reservations: {devices: [{driver: nvidia, count: all, capabilities: [gpu]}]}}}", "all||whole")]
    [InlineData("gpu: {memory: 6GiB, share: mps}", "1|6 GiB|mps")]
    [InlineData("gpu: {count: 2}", "2||whole")]
    [InlineData("gpus: [{count: 2}]\ngpu: {memory: 6GiB, share: time}", "2|6 GiB|time")]
    public void Gpus_are_read_in_every_form(string keys, string gpu)
    {
        var request = Assert.Single(Service($"command: c\n{keys}").Resources.Gpus);
        Assert.Equal(gpu, $"{request.Count?.ToString() ?? "all"}|{request.Memory}|{request.Share}");
    }

    [Theory]
    [InlineData("restart: 'no'", nameof(RestartMode.No), null)]
    [InlineData("restart: always", nameof(RestartMode.Always), null)]
    [InlineData("restart: unless-stopped", nameof(RestartMode.UnlessStopped), null)]
    [InlineData("restart: on-failure", nameof(RestartMode.OnFailure), null)]
    [InlineData("restart: on-failure:3", nameof(RestartMode.OnFailure), 3)]
    [InlineData("restart_policy: {delay: 1s}", nameof(RestartMode.Always), null)]
    [InlineData("restart: on-failure\nrestart_policy: {max_attempts: 4}", nameof(RestartMode.OnFailure), 4)]
    [InlineData("restart: on-failure:3\nrestart_policy: {delay: 1s}", nameof(RestartMode.OnFailure), 3)]
    [InlineData("deploy: {restart_policy: {condition: none}}", nameof(RestartMode.No), null)]
    [InlineData("restart: unless-stopped\nrestart_policy: {condition: any}", nameof(RestartMode.UnlessStopped), null)]
    public void Restarting_is_read_in_every_form(string keys, string mode, int? attempts)
    {
        var restart = Service($"command: c\n{keys}").Restart;
        Assert.Equal((mode, attempts), (restart.Mode.ToString(), restart.MaxAttempts));
    }

    [Fact]
    public void The_details_of_restarting_come_from_the_nearer_policy()
    {
        var restart = Service("command: c", "restart_policy: {delay: 1s, max_delay: 1h, factor: 1.5}", "deploy: {restart_policy: {delay: 9s, window: 2m}}").Restart;
        Assert.Equal(
            new RestartSpec(RestartMode.Always)
            {
                Delay = TimeSpan.FromSeconds(1), MaxDelay = TimeSpan.FromHours(1), Factor = 1.5, Window = TimeSpan.FromMinutes(2),
            },
            restart);
    }

    [Fact]
    public void Reload_is_a_signal_or_a_command()
    {
        Assert.Equal(1, Service("command: c", "reload: SIGHUP").Reload!.Signal);
        Assert.Equal(["nginx", "-s", "reload"], Service("command: c", "reload: [nginx, -s, reload]").Reload!.Command);
    }

    [Fact]
    public void Paths_start_where_their_file_does()
    {
        var service = Service("command: c", "working_dir: ../tools");
        Assert.Equal("/srv/tools", service.WorkingDirectory);
        Assert.Equal("../tools", Service("image: i", "working_dir: ../tools").WorkingDirectory);
    }

    [Fact]
    public void Depending_by_list_waits_for_the_start_and_by_mapping_for_what_it_says()
    {
        var estate = Good("""
            services:
              a: {command: c, depends_on: [b]}
              d: {command: c, depends_on: {b: {condition: service_completed_successfully, restart: 'true', required: false}}}
              b: {command: c}
            """);
        var dependency = new ServiceName("b");
        Assert.Equal((DependencyCondition.Started, false, true), Told(estate.Services[new ServiceName("a")]));
        Assert.Equal((DependencyCondition.CompletedSuccessfully, true, false), Told(estate.Services[new ServiceName("d")]));

        (DependencyCondition, bool, bool) Told(ServiceSpec service) =>
            (service.DependsOn[dependency].Condition, service.DependsOn[dependency].Restart, service.DependsOn[dependency].Required);
    }

    [Fact]
    public void A_warning_about_what_a_process_does_not_have_leaves_it_out_of_the_spec()
    {
        var (spec, _) = Read(ServiceYaml("a", "command: c", "cap_add: [ALL]", "volumes: ['./a:/a']", "networks: [default]", "container_name: x"));
        var service = spec.Services[new ServiceName("a")];
        Assert.Empty(service.ContainerOptions);
        Assert.Empty(service.Mounts);
        Assert.Empty(service.Networks);
        Assert.Null(service.ContainerName);
    }
}
