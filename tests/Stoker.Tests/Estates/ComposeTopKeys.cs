using Stoker.Estates;
using Stoker.Models;
using static Stoker.Tests.Estates.ComposeKey;

namespace Stoker.Tests.Estates;

/// <summary>The expectations for top-level keys.</summary>
internal static class ComposeTopKeys
{
    private static VolumeSpec Volume(EstateSpec estate) => estate.Volumes["v"];

    private static NetworkSpec Network(EstateSpec estate) => estate.Networks["n"];

    private static ModelSpec Model(EstateSpec estate) => estate.Part<ModelsSpec>()!.Models.Single();

    public static IEnumerable<ComposeKey> Rows { get; } =
    [
        Warns("version", "version: '3.8'"),
        Top("name", "name: my-estate", e => e.Name == "my-estate"),
        Top("include", "include: [other.yaml]", e => e.Services.Count == 0),
        Top("include[].path", "include: [{path: [a.yaml, b.yaml]}]", e => e.Services.Count == 0),
        Top("include[].env_file", "include: [{path: a.yaml, env_file: .env}]", e => e.Services.Count == 0),
        Top("include[].project_directory", "include: [{path: a.yaml, project_directory: ..}]", e => e.Services.Count == 0),
        Top("services", "services: {a: {command: b}}", e => e.Services.Count == 1),

        Top("models", "models: {m: {model: ai/tiny, engine: vllm}}", e => Model(e).Model == "ai/tiny"),
        Top("models.*.name", "models: {m: {model: a, engine: vllm, name: n}}", e => Model(e).Name == "n"),
        Top("models.*.model", "models: {m: {model: a, engine: vllm}}", e => Model(e).Model == "a"),
        Top("models.*.context_size", "models: {m: {model: a, engine: vllm, context_size: 4096}}", e => Model(e).ContextSize == 4096),
        Top("models.*.runtime_flags", "models: {m: {model: a, engine: vllm, runtime_flags: [--x]}}", e => Model(e).Arguments is ["--x"]),

        Top("networks", "networks: {n: null}", e => Network(e).Driver is null),
        Top("networks.*.name", "networks: {n: {name: lan}}", e => Network(e).GivenName == "lan"),
        Top("networks.*.driver", "networks: {n: {driver: macvlan}}", e => Network(e).Driver == "macvlan"),
        Top("networks.*.driver_opts", "networks: {n: {driver_opts: {parent: eth0}}}", e => Network(e).DriverOptions["parent"] == "eth0"),
        Top("networks.*.ipam", "networks: {n: {ipam: {driver: dhcp}}}", e => Network(e).CreateOptions is ["--ipam-driver=dhcp"]),
        Top("networks.*.ipam.driver", "networks: {n: {ipam: {driver: dhcp}}}", e => Network(e).CreateOptions is ["--ipam-driver=dhcp"]),
        Top("networks.*.ipam.config", "networks: {n: {ipam: {config: [{subnet: 10.5.0.0/16}]}}}", e => Network(e).CreateOptions is ["--subnet=10.5.0.0/16"]),
        Top("networks.*.ipam.config[].subnet", "networks: {n: {ipam: {config: [{subnet: 10.5.0.0/16}]}}}", e => Network(e).CreateOptions is ["--subnet=10.5.0.0/16"]),
        Top("networks.*.ipam.config[].ip_range", "networks: {n: {ipam: {config: [{ip_range: 10.5.1.0/24}]}}}", e => Network(e).CreateOptions is ["--ip-range=10.5.1.0/24"]),
        Top("networks.*.ipam.config[].gateway", "networks: {n: {ipam: {config: [{gateway: 10.5.0.1}]}}}", e => Network(e).CreateOptions is ["--gateway=10.5.0.1"]),
        Warns("networks.*.ipam.config[].aux_addresses", "networks: {n: {ipam: {config: [{aux_addresses: {a: 10.5.0.9}}]}}}"),
        Warns("networks.*.ipam.options", "networks: {n: {ipam: {options: {a: b}}}}"),
        Top("networks.*.external", "networks: {n: {external: true}}", e => Network(e).External),
        Top("networks.*.external.name", "networks: {n: {external: {name: lan}}}", e => Network(e) is { External: true, GivenName: "lan" }),
        Top("networks.*.internal", "networks: {n: {internal: true}}", e => Network(e).Internal),
        Warns("networks.*.enable_ipv4", "networks: {n: {enable_ipv4: false}}"),
        Top("networks.*.enable_ipv6", "networks: {n: {enable_ipv6: true}}", e => Network(e).CreateOptions is ["--ipv6"]),
        Top("networks.*.attachable", "networks: {n: {attachable: true}}", e => e.Networks.Count == 1),
        Top("networks.*.labels", "networks: {n: {labels: [a=b]}}", e => Network(e).Labels["a"] == "b"),

        Top("volumes", "volumes: {v: null}", e => Volume(e).Driver is null),
        Top("volumes.*.name", "volumes: {v: {name: data}}", e => Volume(e).GivenName == "data"),
        Top("volumes.*.driver", "volumes: {v: {driver: local}}", e => Volume(e).Driver == "local"),
        Top("volumes.*.driver_opts", "volumes: {v: {driver_opts: {type: nfs, n: 5}}}", e => Volume(e).DriverOptions is { Count: 2 } o && o["n"] == "5"),
        Top("volumes.*.external", "volumes: {v: {external: 'true'}}", e => Volume(e).External),
        Top("volumes.*.external.name", "volumes: {v: {external: {name: data}}}", e => Volume(e) is { External: true, GivenName: "data" }),
        Top("volumes.*.labels", "volumes: {v: {labels: {a: b}}}", e => Volume(e).Labels["a"] == "b"),

        .. Material("secrets", e => e.Secrets["m"]),
        Refuses("secrets.*.driver", "secrets: {m: {file: f, driver: vault}}"),
        Warns("secrets.*.driver_opts", "secrets: {m: {file: f, driver_opts: {a: b}}}"),
        .. Material("configs", e => e.Configs["m"]),
        Top("configs.*.content", "configs: {m: {content: 'a: b'}}", e => e.Configs["m"].Content == "a: b"),
    ];

    private static IEnumerable<ComposeKey> Material(string section, Func<EstateSpec, MaterialSpec> material) =>
    [
        Top(section, $"{section}: {{m: {{file: ./f}}}}", e => material(e).File == "/srv/estate/f"),
        Top($"{section}.*.name", $"{section}: {{m: {{external: true, name: x}}}}", e => material(e) is { External: true, GivenName: "x" }),
        Top($"{section}.*.file", $"{section}: {{m: {{file: ./f}}}}", e => material(e).File == "/srv/estate/f"),
        Top($"{section}.*.environment", $"{section}: {{m: {{environment: VARIABLE}}}}", e => material(e).EnvironmentVariable == "VARIABLE"),
        Top($"{section}.*.external", $"{section}: {{m: {{external: true}}}}", e => material(e).External),
        Top($"{section}.*.external.name", $"{section}: {{m: {{external: {{name: x}}}}}}", e => material(e) is { External: true, GivenName: "x" }),
        Warns($"{section}.*.labels", $"{section}: {{m: {{file: f, labels: {{a: b}}}}}}"),
        Refuses($"{section}.*.template_driver", $"{section}: {{m: {{file: f, template_driver: golang}}}}"),
    ];
}
