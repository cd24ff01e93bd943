using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Estates.Keys;

/// <summary>The keys of <c>deploy:</c> and of GPU requests.</summary>
internal static class DeployKeys
{
    private const string NoRollingUpdate = "`up` restarts what changed, all replicas together";

    private static KeyRow[] Device(string count) =>
    [
        new("count", $"Number of GPUs, or `all`; {count}.", OneOf(NaturalOrUnlimited, Word("all")), Honoured),
        new("device_ids", "The GPUs themselves, by UUID or index; instead of `count`.", DistinctTexts, Honoured),
        new("driver", "Driver of the device; only `nvidia` is known.", Text, Honoured),
        new("options", "Options of the driver.", Pairs, Warned("the driver has no options that Stoker passes on")),
    ];

    public static readonly KeyTable Gpu = new("gpu-request", "GPUs that a service needs.",
    [
        new("capabilities", "What the GPU must be able to do; every NVIDIA GPU does.", DistinctTexts, Honoured),
        .. Device("default `all`"),
    ]);

    private static readonly KeyTable ReservedDevice = new("device-reservation", "Devices that a service needs.",
    [
        new("capabilities", "`[gpu]` asks for GPUs; other devices are not reserved.", DistinctTexts, Honoured) { Required = true },
        .. Device("default `all`"),
    ]);

    private static readonly KeyTable DiscreteResource = new("discrete-resource", "A countable resource.",
        new("kind", "Kind of the resource.", Text, Honoured),
        new("value", "How many.", Amount, Honoured));

    private static readonly KeyTable GenericResource = new("generic-resource", "A resource of Docker Swarm.",
        new KeyRow("discrete_resource_spec", "A countable resource.", Keyed(DiscreteResource), Honoured));

    private static readonly KeyTable Limits = new("resource-limits", "The most that each replica may use.",
        new("cpus", "Processors, as in `1.5`; default: no limit.", Amount, Honoured),
        new("memory", "Memory, as in `2G`; default: no limit.", SizeOrUnlimited, Honoured),
        new("pids", "Processes and threads; default and -1: no limit.", NaturalOrUnlimited, Honoured));

    private static readonly KeyTable Reservations = new("resource-reservations", "What each replica must be able to have: the plan refuses what does not fit.",
        new("cpus", "Processors, as in `0.5`; default 0.", Amount, Honoured),
        new("memory", "Memory, as in `512M`; default 0.", Size, Honoured),
        new("devices", "GPUs needed.", List(Keyed(ReservedDevice)), Honoured),
        new("generic_resources", "Resources of Docker Swarm.", List(Keyed(GenericResource)), Warned("only GPUs, processors and memory are reserved")));

    public static readonly KeyTable Resources = new("resources", "Limits and reservations of each replica.",
        new("limits", "The most that each replica may use.", Keyed(Limits), Honoured),
        new("reservations", "What each replica must be able to have.", Keyed(Reservations), Honoured));

    private static KeyRow[] Restart(string delay) =>
    [
        new("condition", "When to restart: `none`, `on-failure` or `any` (default).", Word("none", "on-failure", "any"), Honoured),
        new("delay", delay, Duration, Honoured),
        new("max_attempts", "Restarts within the window before it is left failed; default: no limit.", Natural, Honoured),
        new("window", "Up for this long counts as recovered: earlier failures are forgotten; default 10s.", Duration, Honoured),
    ];

    private const string Delay = "Wait before the second restart in a row, growing from there; default 100ms.";

    private static readonly KeyTable DeployRestart = new("deploy-restart-policy", "When and how a service that ended is restarted.", Restart(Delay));

    public static readonly KeyTable RestartPolicy = new("restart-policy", "When and how a service that ended is restarted.",
    [
        .. Restart(Delay),
        new("max_delay", "The delay grows to this; default 1m.", Duration, Extension),
        new("factor", "Growth from one delay to the next; default 2.", new Shape.Number(1), Extension),
    ]);

    private static KeyTable Rolling(string name) => new(name, "Rolling changes of Docker Swarm.",
        new("parallelism", "Replicas changed at a time.", Natural, Honoured),
        new("delay", "Wait between two batches.", Duration, Honoured),
        new("failure_action", "What to do when it fails.", Text, Honoured),
        new("monitor", "How long each batch is watched.", Duration, Honoured),
        new("max_failure_ratio", "Share of failures that is tolerated.", Amount, Honoured),
        new("order", "Whether the old stops or the new starts first.", Word("start-first", "stop-first"), Honoured));

    private static readonly KeyTable Preference = new("placement-preference", "Where replicas should rather run.",
        new KeyRow("spread", "Node label to spread over.", Text, Honoured));

    private static readonly KeyTable Placement = new("placement", "Where Docker Swarm may run replicas.",
        new("constraints", "Conditions on nodes.", OneOf(Texts, TextMap), Honoured),
        new("preferences", "Wishes about nodes.", List(Keyed(Preference)), Honoured),
        new("max_replicas_per_node", "Most replicas on one node.", Natural, Honoured));

    public static readonly KeyTable Table = new("deploy", "How many replicas run, and with which resources.",
        new("mode", "`replicated` (default); the modes of Docker Swarm are refused.", Word("replicated", "global", "replicated-job", "global-job"),
            Refused("a service runs on one host, in as many replicas as it says", "use `replicas`, and one service for each host")) { Harmless = "replicated" },
        new("replicas", "Number of copies; default 1.", Natural, Honoured),
        new("resources", "Limits and reservations of each replica.", Keyed(Resources), Honoured),
        new("restart_policy", "When and how a replica that ended is restarted; goes before `restart`.", Keyed(DeployRestart), Honoured),
        new("labels", "Labels of the service in Docker Swarm.", Pairs, Warned("there is no Swarm service to label: use the service's own `labels`")),
        new("endpoint_mode", "How Docker Swarm resolves the service's name.", Text, Warned("there is no Swarm to resolve names")),
        new("placement", "Where Docker Swarm may run replicas.", Keyed(Placement), Warned("a service runs on its `host`")),
        new("update_config", "Rolling updates of Docker Swarm.", Keyed(Rolling("update-config")), Warned(NoRollingUpdate)),
        new("rollback_config", "Rolling rollbacks of Docker Swarm.", Keyed(Rolling("rollback-config")), Warned(NoRollingUpdate)));
}
