using Stoker.Estates.Reading;
using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Estates.Keys;

/// <summary>The keys of a service that have an effect only in a container, with the options of <c>run</c> that they become.</summary>
internal static class ContainerKeys
{
    private const string OwnNetwork = "it uses the host's network as it is";
    private const string OwnProcessor = "set `deploy.resources.limits` instead";
    private const string HostNamespace = "it shares the host's namespaces";

    private static readonly KeyTable DeviceMapping = new("device-mapping", "A device of the host in the container.",
        new("source", "Path of the device on the host, or name of a CDI device.", Text, Honoured) { Required = true },
        new("target", "Path in the container; default: the same.", Text, Honoured),
        new("permissions", "Any of `r`, `w` and `m`; default `rwm`.", Text, Honoured));

    private static readonly KeyTable RateLimit = new("device-rate", "A rate of a device.",
        new("path", "The device.", Text, Honoured) { Required = true },
        new("rate", "Bytes or operations per second.", Size, Honoured) { Required = true });

    private static readonly KeyTable DeviceWeight = new("device-weight", "A weight of a device.",
        new("path", "The device.", Text, Honoured) { Required = true },
        new("weight", "10 to 1000.", Range(10, 1000), Honoured) { Required = true });

    private static readonly KeyTable BlockIo = new("blkio-config", "Limits of block devices.",
        new("weight", "Share of the disks against other containers, 10 to 1000.", Range(10, 1000), Honoured),
        new("weight_device", "The same for each device.", List(Keyed(DeviceWeight)), Honoured),
        new("device_read_bps", "Bytes read per second.", List(Keyed(RateLimit)), Honoured),
        new("device_read_iops", "Reads per second.", List(Keyed(RateLimit)), Honoured),
        new("device_write_bps", "Bytes written per second.", List(Keyed(RateLimit)), Honoured),
        new("device_write_iops", "Writes per second.", List(Keyed(RateLimit)), Honoured));

    private static readonly KeyTable NetworkUse = new("network-use", "How a service joins a network.",
        new("aliases", "Further names of the service in the network.", DistinctTexts, Honoured),
        new("ipv4_address", "Its fixed IPv4 address.", Text, Honoured),
        new("ipv6_address", "Its fixed IPv6 address.", Text, Honoured),
        new("mac_address", "Its MAC address in the network.", Text, Honoured),
        new("interface_name", "Name of the interface in the container.", Text, Warned("the tools share no option for it: the name is the tool's choice")),
        new("link_local_ips", "Link-local addresses.", DistinctTexts, Warned("Podman has no such option")),
        new("driver_opts", "Options of the network's driver.", Map(TextOrEmpty), Warned("set the options of the network itself")),
        new("priority", "Order in which networks are joined.", Whole, Warned("networks are joined in the order of the file")),
        new("gw_priority", "Which network has the default route.", Whole, Warned("the container tool chooses the default route")));

    private static readonly KeyTable WindowsCredential = new("credential-spec", "A managed account of Windows.",
        new("config", "A config that holds it.", Text, Honoured),
        new("file", "A file that holds it.", Text, Honoured),
        new("registry", "A key of the registry that holds it.", Text, Honoured));

    private static readonly KeyTable WatchHook = new("watch-exec", "A command after a change.",
        new("command", "The command.", Command, Honoured) { Required = true },
        new("user", "Who runs it.", Text, Honoured),
        new("working_dir", "Where it runs.", Text, Honoured),
        new("environment", "Further variables.", Pairs, Honoured),
        new("privileged", "With extended privileges.", Flag, Honoured));

    private static readonly KeyTable Watch = new("watch", "What happens when files change.",
        new("path", "Files to watch.", Text, Honoured) { Required = true },
        new("action", "What to do.", Word("rebuild", "sync", "restart", "sync+restart", "sync+exec"), Honoured) { Required = true },
        new("target", "Where files are copied to.", Text, Honoured),
        new("include", "Patterns of files that count.", TextOrTexts, Honoured),
        new("ignore", "Patterns of files that do not count.", TextOrTexts, Honoured),
        new("exec", "Command after a copy.", Keyed(WatchHook), Honoured),
        new("initial_sync", "Copy once at the start.", Flag, Honoured));

    public static readonly KeyTable Develop = new("develop", "Rebuilding while files change.",
        new KeyRow("watch", "What happens when files change.", List(Keyed(Watch)), Honoured));

    public static readonly KeyTable Provider = new("provider", "An external program that manages the service.",
        new("type", "The program.", Text, Honoured) { Required = true },
        new("options", "Its options.", Map(OneOf(Text, Texts)), Honoured));

    public static readonly KeyRow[] Rows =
    [
        new("image", "Image to run in a container; without `image` and `build` the service is a plain process.", Text, Honoured),
        new("build", "How the image is built: a directory, or a mapping.", OneOf(Text, Keyed(BuildKeys.Table)), Honoured),
        new("container_name", "Name of its container; default: the estate's name, the service's and a number.", Text,
            ContainersOnly("it has no container to name")),
        new("pull_policy", "When the image is pulled: `missing` (default), `always`, `never`, `build`.", Text, ContainersOnly("it has no image to pull"),
            new ContainerOption.Custom(Pull)),
        new("pull_refresh_after", "Age after which the image is pulled again.", Text, Warned("images are not pulled again by age: use `pull_policy: always`")),
        new("platform", "Platform of the image, as in `linux/arm64`.", Text, ContainersOnly("it runs on the host's platform"), Value("--platform")),
        new("runtime", "OCI runtime, as in `runc` or `nvidia`; default: the container tool's.", Text, ContainersOnly("it has no container runtime")),

        new("volumes", "Host directories and volumes in the container: `[SOURCE:]TARGET[:MODE]`, or a mapping.", List(OneOf(Text, Keyed(MountKeys.Mount))),
            ContainersOnly("nothing is mounted, it sees the host's files where they are")),
        new("volumes_from", "Takes the mounts of `container:NAME`.", Texts, ContainersOnly("nothing is mounted"), new ContainerOption.Custom(VolumesFrom)),
        new("tmpfs", "Directories in memory, as in `/run:size=64m`.", OneOf(Text, List(Text)), ContainersOnly("nothing is mounted, it sees the host's files where they are")),
        new("read_only", "The root file system cannot be written; default `false`.", Flag, ContainersOnly("it may write what its user may write"), Switch("--read-only")),
        new("shm_size", "Size of `/dev/shm`; default 64m.", Size, ContainersOnly("it shares the host's /dev/shm"), new ContainerOption.Bytes("--shm-size")),
        new("storage_opt", "Options of the storage driver.", Map(TextOrEmpty), ContainersOnly("it has no storage driver"), new ContainerOption.Pairs("--storage-opt")),
        new("devices", "Devices of the host in the container.", List(OneOf(Text, Keyed(DeviceMapping))),
            ContainersOnly("it may use the devices that its user may use"), new ContainerOption.Custom(Devices)),
        new("device_cgroup_rules", "Rules for devices in the cgroup.", DistinctTexts, ContainersOnly("it may use the devices that its user may use"), Each("--device-cgroup-rule")),
        new("blkio_config", "Limits of block devices.", Keyed(BlockIo), ContainersOnly("its disk traffic is not limited"), new ContainerOption.Custom(BlockIoOptions)),

        new("networks", "Networks it joins; default: the estate's own.", OneOf(DistinctTexts, Named(OrNothing(Keyed(NetworkUse)))), ContainersOnly(OwnNetwork)),
        new("network_mode", "`bridge`, `host`, `none` or `container:NAME`; instead of `networks`.", Text, ContainersOnly(OwnNetwork), Value("--network"))
            { Harmless = "host" },
        new("hostname", "Host name in the container.", Text, ContainersOnly("it sees the host's name")),
        new("domainname", "Domain after the host name in the container.", Text, ContainersOnly("it sees the host's name")),
        new("mac_address", "MAC address.", Text, ContainersOnly(OwnNetwork), Value("--mac-address")),
        new("expose", "Ports that other containers may reach without publishing.", List(Text, distinct: true), ContainersOnly(OwnNetwork), Each("--expose")),
        new("links", "Services it can reach by name, and waits for.", DistinctTexts, ContainersOnly(OwnNetwork)),
        new("external_links", "Containers outside the estate to link to.", DistinctTexts, Warned("Podman has no links: join a common network instead")),
        new("dns", "Name servers.", OneOf(TextOrEmpty, Texts), ContainersOnly("it uses the host's resolver"), Each("--dns")),
        new("dns_opt", "Options of the resolver.", DistinctTexts, ContainersOnly("it uses the host's resolver"), Each("--dns-option")),
        new("dns_search", "Domains to search.", TextOrTexts, ContainersOnly("it uses the host's resolver"), Each("--dns-search")),
        new("extra_hosts", "Further host names: `HOST:IP` or a mapping.", BuildKeys.ExtraHosts, ContainersOnly("it uses the host's resolver"), BuildKeys.AddHost),

        new("cap_add", "Capabilities to add.", DistinctTexts, ContainersOnly("it has the capabilities of its user"), Each("--cap-add")),
        new("cap_drop", "Capabilities to take away.", DistinctTexts, ContainersOnly("it has the capabilities of its user"), Each("--cap-drop")),
        new("privileged", "All privileges of the host; default `false`.", Flag, ContainersOnly("it has the privileges of its user"), Switch("--privileged")),
        new("security_opt", "Security options, as in `no-new-privileges`.", DistinctTexts, ContainersOnly("it has the privileges of its user"), Each("--security-opt")),
        new("group_add", "Further groups of its user.", List(Text, distinct: true), ContainersOnly("it has the groups of its user"), Each("--group-add")),
        new("userns_mode", "User namespace.", Text, ContainersOnly(HostNamespace), Value("--userns")) { Harmless = "host" },
        new("ipc", "IPC namespace.", Text, ContainersOnly(HostNamespace), Value("--ipc")) { Harmless = "host" },
        new("pid", "Process namespace.", OrNothing(Text), ContainersOnly(HostNamespace), Value("--pid")) { Harmless = "host" },
        new("uts", "UTS namespace.", Text, ContainersOnly(HostNamespace), Value("--uts")) { Harmless = "host" },
        new("cgroup", "Control group namespace.", Word("host", "private"), ContainersOnly(HostNamespace), Value("--cgroupns")) { Harmless = "host" },
        new("cgroup_parent", "Control group above the container's.", Text, ContainersOnly("Stoker places it in the estate's control group"), Value("--cgroup-parent")),
        new("sysctls", "Kernel parameters of its namespaces.", Pairs, ContainersOnly("the host's kernel parameters stay as they are"), new ContainerOption.Pairs("--sysctl")),

        new("cpu_shares", "Share of the processors against other containers; default 1024.", Natural, ContainersOnly(OwnProcessor), Value("--cpu-shares")),
        new("cpu_quota", "Processor time per period, in microseconds or as a duration.", OneOf(Whole, Duration), ContainersOnly(OwnProcessor), Microseconds("--cpu-quota")),
        new("cpu_period", "Length of a period, in microseconds or as a duration.", OneOf(Natural, Duration), ContainersOnly(OwnProcessor), Microseconds("--cpu-period")),
        new("cpu_rt_runtime", "Real-time processor time per period, in microseconds or as a duration.", OneOf(Natural, Duration),
            ContainersOnly("it gets no real-time share"), Microseconds("--cpu-rt-runtime")),
        new("cpu_rt_period", "Length of a real-time period, in microseconds or as a duration.", OneOf(Natural, Duration),
            ContainersOnly("it gets no real-time share"), Microseconds("--cpu-rt-period")),
        new("cpuset", "Processors it may run on, as in `0-3`.", Text, ContainersOnly("it may run on every processor"), Value("--cpuset-cpus")),
        new("cpu_count", "Number of processors on Windows.", Natural, Warned("it is about Windows: use `cpus`")),
        new("cpu_percent", "Share of the processors on Windows.", Range(0, 100), Warned("it is about Windows: use `cpus`")),
        new("memswap_limit", "Memory and swap together; -1: no limit.", SizeOrUnlimited, ContainersOnly("swap is not limited"), new ContainerOption.Custom(MemorySwap)),
        new("mem_swappiness", "How readily memory is swapped out, 0 to 100.", Range(0, 100), ContainersOnly("the host's setting holds"), Value("--memory-swappiness")),
        new("oom_kill_disable", "Never kill it for memory; default `false`.", Flag, ContainersOnly("the kernel may kill it"), Switch("--oom-kill-disable")),
        new("oom_score_adj", "How readily it is killed for memory, -1000 to 1000.", Range(-1000, 1000), ContainersOnly("it keeps the daemon's score"), Value("--oom-score-adj")),

        new("init", "A small init reaps its orphans; default `false`.", Flag, ContainersOnly("Stoker reaps its orphans anyway"), Switch("--init")),
        new("tty", "A pseudo-terminal; default `false`.", Flag, ContainersOnly("its output is a pipe"), Switch("--tty")),
        new("stdin_open", "Input stays open; default `false`.", Flag, ContainersOnly("its input is /dev/null"), Switch("--interactive")),
        new("annotations", "Annotations of the container.", Pairs, ContainersOnly("it has no container to annotate"), new ContainerOption.Pairs("--annotation")),
        new("credential_spec", "A managed account of Windows.", Keyed(WindowsCredential), Warned("it is about Windows")),
        new("isolation", "Isolation on Windows.", Text, Warned("it is about Windows")) { Harmless = "default" },
        new("use_api_socket", "The socket of the container tool in the container.", Flag, Warned("the socket is not mounted: mount it yourself if you must")),
    ];

    private static ContainerOption.Value Value(string flag) => new(flag);

    private static ContainerOption.Switch Switch(string flag) => new(flag);

    private static ContainerOption.Each Each(string flag) => new(flag);

    private static ContainerOption.Microseconds Microseconds(string flag) => new(flag);

    private static IEnumerable<string> Pull(Node node) => (node as ScalarNode)?.Value switch
    {
        "always" => ["--pull=always"],
        "never" => ["--pull=never"],
        "missing" or "if_not_present" => ["--pull=missing"],
        _ => [],
    };

    private static IEnumerable<string> VolumesFrom(Node node) =>
        from source in node.Strings()
        where source.Value.StartsWith("container:", StringComparison.Ordinal)
        select $"--volumes-from={source.Value["container:".Length..]}";

    private static IEnumerable<string> MemorySwap(Node node) => node is ScalarNode { Value: { } value }
        ? [$"--memory-swap={(Scalars.Size(value) is { } size ? size.Bytes : -1)}"]
        : [];

    private static IEnumerable<string> Devices(Node node)
    {
        foreach (var item in (node as SequenceNode)?.Items ?? [])
        {
            if (item is ScalarNode { Value: { } device }) yield return $"--device={device}";
            if (item is not MappingNode map || map.Text("source") is not { } source) continue;
            var parts = new[] { source, map.Text("target") ?? (map.Text("permissions") is null ? null : source), map.Text("permissions") };
            yield return $"--device={string.Join(':', parts.OfType<string>())}";
        }
    }

    private static IEnumerable<string> BlockIoOptions(Node node)
    {
        var map = node as MappingNode;
        if (map.Whole("weight") is { } weight) yield return $"--blkio-weight={weight}";
        foreach (var device in map.Items("weight_device").OfType<MappingNode>())
            yield return $"--blkio-weight-device={device.Text("path")}:{device.Text("weight")}";
        foreach (var limit in new[] { "device_read_bps", "device_read_iops", "device_write_bps", "device_write_iops" })
        {
            foreach (var device in map.Items(limit).OfType<MappingNode>())
                yield return $"--{limit.Replace('_', '-')}={device.Text("path")}:{device.Size("rate")?.Bytes}";
        }
    }
}
