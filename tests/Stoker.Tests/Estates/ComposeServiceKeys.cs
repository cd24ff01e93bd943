using Stoker.Estates;
using static Stoker.Tests.Estates.ComposeKey;

namespace Stoker.Tests.Estates;

/// <summary>The expectations for keys of services that are not only for containers.</summary>
internal static class ComposeServiceKeys
{
    private static readonly ServiceName B = new("b");

    private static GpuRequest Gpu(ServiceSpec service) => service.Resources.Gpus.Single();

    public static IEnumerable<ComposeKey> Rows { get; } =
    [
        Service("command", "command: [sleep, '5']", s => s.Command is ["sleep", "5"]),
        Service("entrypoint", "entrypoint: [tini, --]", s => s.Entrypoint is ["tini", "--"]),
        Service("environment", "environment: {LEVEL: info}", s => s.Environment["LEVEL"].Value == "info"),
        Service("env_file", "env_file: vars.env", s => s.Environment["FROM_FILE"].Value == "quoted"),
        Service("env_file[].path", "env_file: [{path: vars.env}]", s => s.Environment["FROM_FILE"].Value == "quoted"),
        Service("env_file[].format", "env_file: [{path: vars.env, format: raw}]", s => s.Environment["FROM_FILE"].Value == "\"quoted\""),
        Service("env_file[].required", "env_file: [{path: none.env, required: false}]", s => s.Environment.Count == 0),
        Service("label_file", "label_file: [vars.env]", s => s.Labels["FROM_FILE"] == "quoted"),
        Service("labels", "labels: [tier=front]", s => s.Labels["tier"] == "front"),
        Service("user", "user: '1000:video'", s => s.User?.Value == "1000:video"),
        Service("working_dir", "working_dir: /opt/app", s => s.WorkingDirectory == "/opt/app"),
        Service("stop_signal", "stop_signal: SIGINT", s => s.StopSignal == 2),
        Service("stop_grace_period", "stop_grace_period: 1m30s", s => s.StopGracePeriod == TimeSpan.FromSeconds(90)),
        Service("restart", "restart: on-failure:5", s => s.Restart is { Mode: RestartMode.OnFailure, MaxAttempts: 5 }),
        Service("scale", "scale: 3", s => s.Replicas == 3),
        Service("profiles", "profiles: [debug]", s => s.Profiles is ["debug"]),
        Service("extends", "extends: b", s => s.Name.Value == "a"),
        Service("extends.service", "extends: {service: b}", s => s.Name.Value == "a"),
        Service("extends.file", "extends: {service: b, file: other.yaml}", s => s.Name.Value == "a"),
        Service("cpus", "cpus: 1.5", s => s.Resources.CpuLimit == 1.5),
        Service("mem_limit", "mem_limit: 512m", s => s.Resources.MemoryLimit == ByteSize.FromMebibytes(512)),
        Service("mem_reservation", "mem_reservation: 256m", s => s.Resources.MemoryReservation == ByteSize.FromMebibytes(256)),
        Service("pids_limit", "pids_limit: 100", s => s.Resources.PidsLimit == 100),
        Service("ulimits", "ulimits: {nofile: 1024}", s => s.Ulimits.Single() is { Name: "nofile", Soft: 1024, Hard: 1024 }),
        Service("ulimits.*.soft", "ulimits: {nofile: {soft: 10, hard: 20}}", s => s.Ulimits.Single().Soft == 10),
        Service("ulimits.*.hard", "ulimits: {nofile: {soft: 10, hard: 20}}", s => s.Ulimits.Single().Hard == 20),

        Service("ports", "ports: ['8080']", s => s.Ports.Single().Target == 8080),
        Service("ports[].target", "ports: [{target: 80, published: 80}]", s => s.Ports.Single().Target == 80),
        Service("ports[].published", "ports: [{target: 80, published: '80'}]", s => s.Ports.Single().Published == 80),
        Service("ports[].host_ip", "ports: [{target: 80, published: 80, host_ip: 127.0.0.1}]", s => s.Ports.Single().HostIp == "127.0.0.1"),
        Service("ports[].protocol", "ports: [{target: 80, published: 80, protocol: udp}]", s => s.Ports.Single().Protocol == "udp"),
        Service("ports[].app_protocol", "ports: [{target: 80, published: 80, app_protocol: http}]", s => s.Ports.Single().ApplicationProtocol == "http"),
        Service("ports[].name", "ports: [{target: 80, published: 80, name: web}]", s => s.Ports.Single().Purpose == "web"),
        Service("ports[].mode", "ports: [{target: 80, published: 80, mode: host}]", s => s.Ports.Single().Published == 80),

        Service("depends_on", "depends_on: [b]", s => s.DependsOn[B].Condition == DependencyCondition.Started),
        Service("depends_on.*.condition", "depends_on: {b: {condition: service_healthy}}", s => s.DependsOn[B].Condition == DependencyCondition.Healthy),
        Service("depends_on.*.restart", "depends_on: {b: {condition: service_started, restart: true}}", s => s.DependsOn[B].Restart),
        Service("depends_on.*.required", "depends_on: {b: {condition: service_started, required: false}}", s => !s.DependsOn[B].Required),

        Service("healthcheck", "healthcheck: {test: 'true'}", s => s.Healthcheck?.Probe is ProbeSpec.Exec),
        Service("healthcheck.test", "healthcheck: {test: [CMD, 'true']}", s => s.Healthcheck?.Probe is ProbeSpec.Exec { Command: ["true"] }),
        Service("healthcheck.interval", "healthcheck: {test: 'true', interval: 5s}", s => s.Healthcheck?.Interval == TimeSpan.FromSeconds(5)),
        Service("healthcheck.timeout", "healthcheck: {test: 'true', timeout: 2s}", s => s.Healthcheck?.Timeout == TimeSpan.FromSeconds(2)),
        Service("healthcheck.retries", "healthcheck: {test: 'true', retries: '7'}", s => s.Healthcheck?.Retries == 7),
        Service("healthcheck.start_period", "healthcheck: {test: 'true', start_period: 1m}", s => s.Healthcheck?.StartPeriod == TimeSpan.FromMinutes(1)),
        Service("healthcheck.start_interval", "healthcheck: {test: 'true', start_interval: 200ms}", s => s.Healthcheck?.StartInterval == TimeSpan.FromMilliseconds(200)),
        Service("healthcheck.disable", "healthcheck: {disable: true}", s => s.Healthcheck?.Probe is ProbeSpec.None),

        Service("gpus", "gpus: all", s => Gpu(s).Count is null),
        Service("gpus[].count", "gpus: [{count: 2}]", s => Gpu(s).Count == 2),
        Service("gpus[].device_ids", "gpus: [{device_ids: [GPU-1]}]", s => Gpu(s).DeviceIds is ["GPU-1"]),
        Service("gpus[].driver", "gpus: [{driver: nvidia}]", s => Gpu(s).Count is null),
        Service("gpus[].capabilities", "gpus: [{capabilities: [compute]}]", s => Gpu(s).Count is null),
        Warns("services.*.gpus[].options", "gpus: [{options: {a: b}}]"),

        Service("secrets", "secrets: [pass]", s => s.Secrets.Single().Source == "pass"),
        Service("secrets[].source", "secrets: [{source: pass}]", s => s.Secrets.Single().Source == "pass"),
        Service("secrets[].target", "secrets: [{source: pass, target: db}]", s => s.Secrets.Single().Target == "db"),
        Service("secrets[].uid", "secrets: [{source: pass, uid: '70'}]", s => s.Secrets.Single().Uid == "70"),
        Service("secrets[].gid", "secrets: [{source: pass, gid: '71'}]", s => s.Secrets.Single().Gid == "71"),
        Service("secrets[].mode", "secrets: [{source: pass, mode: 0440}]", s => s.Secrets.Single().Mode == 0x120),
        Service("configs", "configs: [conf]", s => s.Configs.Single().Source == "conf"),
        Service("configs[].source", "configs: [{source: conf}]", s => s.Configs.Single().Source == "conf"),
        Service("configs[].target", "configs: [{source: conf, target: /etc/app}]", s => s.Configs.Single().Target == "/etc/app"),
        Service("configs[].uid", "configs: [{source: conf, uid: '70'}]", s => s.Configs.Single().Uid == "70"),
        Service("configs[].gid", "configs: [{source: conf, gid: '71'}]", s => s.Configs.Single().Gid == "71"),
        Service("configs[].mode", "configs: [{source: conf, mode: '0444'}]", s => s.Configs.Single().Mode == 0x124),

        Service("models", "models: [tiny-llm]", s => s.Models.Single() is { Model: "tiny-llm", EndpointVariable: "TINY_LLM_URL", ModelVariable: "TINY_LLM_MODEL" }),
        Service("models.*.endpoint_var", "models: {tiny-llm: {endpoint_var: AT}}", s => s.Models.Single().EndpointVariable == "AT"),
        Service("models.*.model_var", "models: {tiny-llm: {model_var: NAMED}}", s => s.Models.Single().ModelVariable == "NAMED"),

        Service("logging", "logging: {driver: none}", s => !s.Logging.Keep),
        Service("logging.driver", "logging: {driver: none}", s => !s.Logging.Keep),
        Service("logging.options", "logging: {options: {max-size: 1m, max-file: '3'}}", s => s.Logging is { MaxFiles: 3, MaxSize.Bytes: 1 << 20 }),

        .. Hook("post_start", s => s.PostStart.Single()),
        .. Hook("pre_stop", s => s.PreStop.Single()),
        .. Deploy,

        Warns("services.*.attach", "attach: false"),
        Warns("services.*.develop", "develop: {watch: [{path: ., action: sync, target: /x, include: a, ignore: [b], initial_sync: true, exec: {command: a, user: b, privileged: true, working_dir: /, environment: {A: b}}}]}"),
        Refuses("services.*.provider", "provider: {type: cloud, options: {a: 1, b: [c]}}"),
    ];

    private static IEnumerable<ComposeKey> Hook(string key, Func<ServiceSpec, HookSpec> hook) =>
    [
        Service(key, $"{key}: [{{command: [echo, hi]}}]", s => hook(s).Command is ["echo", "hi"]),
        Service($"{key}[].command", $"{key}: [{{command: echo hi}}]", s => hook(s).Command is ["echo", "hi"]),
        Service($"{key}[].user", $"{key}: [{{command: a, user: nobody}}]", s => hook(s).User == "nobody"),
        Service($"{key}[].working_dir", $"{key}: [{{command: a, working_dir: /opt}}]", s => hook(s).WorkingDirectory == "/opt"),
        Service($"{key}[].environment", $"{key}: [{{command: a, environment: [A=b, KNOWN, UNKNOWN]}}]",
            s => hook(s).Environment is { Count: 2 } e && e["A"] == "b" && e["KNOWN"] == "known"),
        Warns($"services.*.{key}[].privileged", $"{key}: [{{command: a, privileged: true}}]"),
    ];

    private static IEnumerable<ComposeKey> Deploy =>
    [
        Service("deploy", "deploy: {replicas: 2}", s => s.Replicas == 2),
        Service("deploy.replicas", "deploy: {replicas: '2'}", s => s.Replicas == 2),
        Service("deploy.resources", "deploy: {resources: {limits: {cpus: '2'}}}", s => s.Resources.CpuLimit == 2),
        Service("deploy.resources.limits", "deploy: {resources: {limits: {cpus: '2'}}}", s => s.Resources.CpuLimit == 2),
        Service("deploy.resources.limits.cpus", "deploy: {resources: {limits: {cpus: 0.5}}}", s => s.Resources.CpuLimit == 0.5),
        Service("deploy.resources.limits.memory", "deploy: {resources: {limits: {memory: 2G}}}", s => s.Resources.MemoryLimit == ByteSize.FromMebibytes(2048)),
        Service("deploy.resources.limits.pids", "deploy: {resources: {limits: {pids: 50}}}", s => s.Resources.PidsLimit == 50),
        Service("deploy.resources.reservations", "deploy: {resources: {reservations: {cpus: '1'}}}", s => s.Resources.CpuReservation == 1),
        Service("deploy.resources.reservations.cpus", "deploy: {resources: {reservations: {cpus: '1'}}}", s => s.Resources.CpuReservation == 1),
        Service("deploy.resources.reservations.memory", "deploy: {resources: {reservations: {memory: 1g}}}", s => s.Resources.MemoryReservation == ByteSize.FromMebibytes(1024)),
        Service("deploy.resources.reservations.devices", Devices("count: 1"), s => Gpu(s).Count == 1),
        Service("deploy.resources.reservations.devices[].capabilities", Devices("count: 1"), s => Gpu(s).Count == 1),
        Service("deploy.resources.reservations.devices[].count", Devices("count: all"), s => Gpu(s).Count is null),
        Service("deploy.resources.reservations.devices[].device_ids", Devices("device_ids: ['0', '3']"), s => Gpu(s).DeviceIds is ["0", "3"]),
        Service("deploy.resources.reservations.devices[].driver", Devices("driver: nvidia"), s => Gpu(s).Count is null),
        Warns("services.*.deploy.resources.reservations.devices[].options", Devices("options: {a: b}")),
        Warns("services.*.deploy.resources.reservations.generic_resources",
            "deploy: {resources: {reservations: {generic_resources: [{discrete_resource_spec: {kind: FPGA, value: 1}}]}}}"),
        Service("deploy.restart_policy", "deploy: {restart_policy: {}}", s => s.Restart.Mode == RestartMode.Always),
        Service("deploy.restart_policy.condition", "deploy: {restart_policy: {condition: on-failure}}", s => s.Restart.Mode == RestartMode.OnFailure),
        Service("deploy.restart_policy.delay", "deploy: {restart_policy: {delay: 5s}}", s => s.Restart.Delay == TimeSpan.FromSeconds(5)),
        Service("deploy.restart_policy.max_attempts", "deploy: {restart_policy: {max_attempts: 4}}", s => s.Restart.MaxAttempts == 4),
        Service("deploy.restart_policy.window", "deploy: {restart_policy: {window: 2m}}", s => s.Restart.Window == TimeSpan.FromMinutes(2)),
        Refuses("services.*.deploy.mode", "deploy: {mode: global}"),
        Warns("services.*.deploy.labels", "deploy: {labels: {a: b}}"),
        Warns("services.*.deploy.endpoint_mode", "deploy: {endpoint_mode: vip}"),
        Warns("services.*.deploy.placement", "deploy: {placement: {constraints: [a==b], preferences: [{spread: c}], max_replicas_per_node: 1}}"),
        Warns("services.*.deploy.update_config", $"deploy: {{update_config: {Rolling}}}"),
        Warns("services.*.deploy.rollback_config", $"deploy: {{rollback_config: {Rolling}}}"),
    ];

    private const string Rolling = "{parallelism: 1, delay: 1s, failure_action: pause, monitor: 5s, max_failure_ratio: 0.1, order: stop-first}";

    private static string Devices(string keys) => $"deploy: {{resources: {{reservations: {{devices: [{{capabilities: [gpu], {keys}}}]}}}}}}";
}
