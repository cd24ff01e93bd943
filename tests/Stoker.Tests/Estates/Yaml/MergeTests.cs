using Xunit;

namespace Stoker.Tests.Estates.Yaml;

public sealed class MergeTests
{
    public static TheoryData<string, string, string, string> Cases() => new()
    {
        { "single values are replaced", "image: a", "image: b", "image: b" },
        { "mappings merge", "deploy: {replicas: 1, mode: x}", "deploy: {replicas: 2}", "deploy: {replicas: 2, mode: x}" },
        { "lists are appended", "security_opt: [a]", "security_opt: [b, a]", "security_opt: [a, b, a]" },
        { "an empty key says nothing", "ports: ['80']\nimage: a", "ports:\nimage:", "ports: ['80']\nimage: a" },
        { "command is replaced", "command: [a, b]", "command: c", "command: c" },
        { "entrypoint is replaced", "entrypoint: [a]", "entrypoint: [b]", "entrypoint: [b]" },
        { "healthcheck.test is replaced", "healthcheck: {test: [CMD, a], retries: 3}", "healthcheck: {test: b}", "healthcheck: {test: b, retries: 3}" },
        { "another kind of probe replaces the first", "healthcheck: {tcp: 80, retries: 3}", "healthcheck: {http: 'http://x'}", "healthcheck: {retries: 3, http: 'http://x'}" },
        { "environment lists merge by name", "environment: [A=1, B=2]", "environment: [B=3, C]", "environment: {A: '1', B: '3', C: }" },
        { "environment list over mapping", "environment: {A: 1, B: x}", "environment: [B=y=z]", "environment: {A: 1, B: 'y=z'}" },
        { "environment mapping over list", "environment: [A=1]", "environment: {A: 2, B: }", "environment: {A: 2, B: }" },
        { "null in environment is a value", "environment: {A: 1}", "environment: {A: }", "environment: {A: }" },
        { "labels merge by name", "labels: [a=1]", "labels: {a: 2}", "labels: {a: 2}" },
        { "annotations merge by name", "annotations: [a=1]", "annotations: [b=1]", "annotations: {a: '1', b: '1'}" },
        { "sysctls merge by name", "sysctls: [a=1]", "sysctls: [a=2]", "sysctls: {a: '2'}" },
        { "build args merge by name", "build: {context: ., args: [A=1]}", "build: {args: {A: 2}}", "build: {context: ., args: {A: 2}}" },
        { "a build path is a context", "build: .", "build: {target: t}", "build: {context: ., target: t}" },
        { "a later build path is a context", "build: {target: t}", "build: ./dir", "build: {target: t, context: ./dir}" },
        { "deploy labels merge by name", "deploy: {labels: [a=1]}", "deploy: {labels: [a=2]}", "deploy: {labels: {a: '2'}}" },
        { "depends_on lists unite", "depends_on: [a]", "depends_on: [b]", "depends_on: {a: {condition: service_started, required: true}, b: {condition: service_started, required: true}}" },
        { "depends_on list under mapping", "depends_on: [a]", "depends_on: {a: {condition: service_healthy}}", "depends_on: {a: {condition: service_healthy, required: true}}" },
        { "networks list under mapping", "networks: [a, b]", "networks: {b: {aliases: [x]}}", "networks: {a: , b: {aliases: [x]}}" },
        { "network aliases unite", "networks: {a: {aliases: [x, y]}}", "networks: {a: {aliases: [y, z]}}", "networks: {a: {aliases: [x, y, z]}}" },
        { "models list under mapping", "models: [m]", "models: {m: {model_var: M}}", "models: {m: {model_var: M}}" },
        { "volumes are unique by target", "volumes: ['foo:/work', 'x:/y']", "volumes: ['bar:/work:ro']", "volumes: ['bar:/work:ro', 'x:/y']" },
        { "volumes are unique by target in both forms", "volumes: ['foo:/work/']", "volumes: [{type: bind, source: ., target: /work}]", "volumes: [{type: bind, source: ., target: /work}]" },
        { "ports are unique by all four", "ports: ['80', '8080:80']", "ports: ['8081:80', '8080:80/tcp', '80/udp']", "ports: ['80', '8080:80/tcp', '8081:80', '80/udp']" },
        { "ports are unique in both forms", "ports: ['127.0.0.1:8080:80', '[::1]:1:2']", "ports: [{target: 80, published: 8080, host_ip: 127.0.0.1}, {target: 2, published: '1', host_ip: '::1'}]", "ports: [{target: 80, published: 8080, host_ip: 127.0.0.1}, {target: 2, published: '1', host_ip: '::1'}]" },
        { "secrets are unique by target", "secrets: [a, b]", "secrets: [{source: c, target: a}]", "secrets: [{source: c, target: a}, b]" },
        { "configs are unique by target", "configs: [{source: a, target: /a}]", "configs: [a]", "configs: [a]" },
        { "devices are unique by target", "devices: ['/dev/a:/dev/x']", "devices: ['/dev/b:/dev/x:r']", "devices: ['/dev/b:/dev/x:r']" },
        { "env_file text under list", "env_file: a.env", "env_file: [{path: b.env, required: false}, a.env]", "env_file: [a.env, {path: b.env, required: false}]" },
        { "dns text and list", "dns: 1.1.1.1", "dns: [8.8.8.8, 1.1.1.1]", "dns: [1.1.1.1, 8.8.8.8]" },
        { "tmpfs text and text", "tmpfs: /a", "tmpfs: /b", "tmpfs: [/a, /b]" },
        { "cap_add unites", "cap_add: [A]", "cap_add: [A, B]", "cap_add: [A, B]" },
        { "profiles unite", "profiles: [a]", "profiles: [b, a]", "profiles: [a, b]" },
        { "expose unites", "expose: [80]", "expose: ['80', 81]", "expose: ['80', 81]" },
        { "extra_hosts in both forms", "extra_hosts: [a=1.1.1.1]", "extra_hosts: {b: 2.2.2.2, a: 1.1.1.1}", "extra_hosts: ['a=1.1.1.1', 'b=2.2.2.2']" },
        { "ulimits in both forms", "ulimits: {nofile: 1, nproc: {soft: 1, hard: 2}}", "ulimits: {nofile: {soft: 3}, nproc: {hard: 4}}", "ulimits: {nofile: {soft: 3}, nproc: {soft: 1, hard: 4}}" },
        { "logging of one driver merges", "logging: {driver: d, options: {a: 1}}", "logging: {options: {b: 2}}", "logging: {driver: d, options: {a: 1, b: 2}}" },
        { "logging of another driver replaces", "logging: {driver: d, options: {a: 1}}", "logging: {driver: e}", "logging: {driver: e}" },
        { "gpus all, then a list", "gpus: all", "gpus: [{driver: nvidia}]", "gpus: [{driver: nvidia}]" },
        { "x- keys merge as any other", "x-a: {b: 1}", "x-a: {c: 2}", "x-a: {b: 1, c: 2}" },
        { "reset takes away", "ports: ['80']\nimage: a\nenvironment: {A: 1, B: 2}", "ports: !reset []\nimage: !reset null\nenvironment: {A: !reset null}", "environment: {B: 2}" },
        { "reset of a variable in a list", "environment: {A: 1, B: 2}", "environment: [!reset A]", "environment: {B: 2}" },
        { "override replaces whole", "ports: ['80']\nlabels: {a: 1}", "ports: !override ['81']\nlabels: !override {b: 2}", "ports: ['81']\nlabels: {b: 2}" },
        { "override joins what cannot merge", "security_opt: [a]", "security_opt: !override {b: 1}", "security_opt: {b: 1}" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Two_files_merge_as_Compose_merges_them(string why, string below, string above, string expected)
    {
        Assert.NotEmpty(why);
        var merged = new FakeEstateFiles().With("a.yaml", Service(below)).With("b.yaml", Service(above)).Print(null, "a.yaml", "b.yaml");
        Assert.Equal(new FakeEstateFiles().With("stoker.yaml", Service(expected)).Print(), merged);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Extends_merges_by_the_same_rules(string why, string below, string above, string expected)
    {
        Assert.NotEmpty(why);
        var files = new FakeEstateFiles()
            .With("base.yaml", Service(below))
            .With("stoker.yaml", Service(above + "\nextends: {file: base.yaml, service: web}"));
        Assert.Equal(new FakeEstateFiles().With("stoker.yaml", Service(expected)).Print(), files.Print());
    }

    [Fact]
    public void Subnets_of_a_network_merge_by_address()
    {
        var merged = new FakeEstateFiles()
            .With("a.yaml", "networks: {n: {ipam: {config: [{subnet: 10.0.0.0/8, gateway: 10.0.0.1}]}}}")
            .With("b.yaml", "networks: {n: {ipam: {config: [{subnet: 10.0.0.0/8, gateway: 10.0.0.2}, {subnet: 11.0.0.0/8}]}}}")
            .Print(null, "a.yaml", "b.yaml");
        Assert.Contains("gateway: 10.0.0.2\n        - subnet: 11.0.0.0/8", merged, StringComparison.Ordinal);
        Assert.DoesNotContain("10.0.0.1", merged, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_merge_names_both_places_and_the_way_out()
    {
        var messages = new FakeEstateFiles().With("a.yaml", Service("security_opt: [a]")).With("b.yaml", Service("security_opt: {b: 1}"))
            .Messages(null, "a.yaml", "b.yaml");
        Assert.Equal(["b.yaml:3:19: error EST027: `services.web.security_opt` is a mapping here and a list at a.yaml:3:19"], messages);
    }

    [Fact]
    public void A_third_file_speaks_to_what_the_first_two_made()
    {
        var merged = new FakeEstateFiles()
            .With("a.yaml", Service("ports: ['1']")).With("b.yaml", Service("ports: !reset []")).With("c.yaml", Service("ports: ['3']"))
            .Print(null, "a.yaml", "b.yaml", "c.yaml");
        Assert.Equal("services:\n  web:\n    ports:\n      - \"3\"\n", merged);
    }

    private static string Service(string body) => "services:\n  web:\n    " + body.Replace("\n", "\n    ", StringComparison.Ordinal) + "\n";
}
