using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Estates.Keys;

/// <summary>The keys of a service that plain processes and containers share; <see cref="ContainerKeys"/> has the others.</summary>
internal static class ServiceKeys
{
    private static readonly KeyTable Dependency = new("dependency", "What a service waits for.",
        new("condition", "`service_started`, `service_healthy` or `service_completed_successfully`.",
            Word("service_started", "service_healthy", "service_completed_successfully"), Honoured) { Required = true },
        new("restart", "Restart this service too when the dependency is restarted by its owner; default `false`.", Flag, Honoured),
        new("required", "When `false`, a dependency that is missing or failed is only a warning; default `true`.", Flag, Honoured));

    private static readonly KeyTable EnvironmentFile = new("env-file", "A file of variables.",
        new("path", "Where the file is.", Text, Honoured) { Required = true },
        new("required", "When `false`, the file may be missing; default `true`.", Flag, Honoured),
        new("format", "`raw`: values are taken as they stand, without quotes or variables.", Word("raw"), Honoured));

    private static readonly KeyTable Hook = new("hook", "A command at a turn of the service's life.",
        new("command", "The command; a string is split into words.", Shapes.Command, Honoured) { Required = true },
        new("user", "Who runs it; default: the service's user.", Text, Honoured),
        new("working_dir", "Where it runs; default: the service's.", Text, Honoured),
        new("environment", "Further variables of its environment.", Pairs, Honoured),
        new("privileged", "Run it with extended privileges.", Flag, Warned("the command has the privileges of its user")));

    private static readonly KeyTable Logging = new("logging", "How output is kept.",
        new("driver", "`none` throws output away; with any other, Stoker keeps it in rotated files.", Text, Honoured),
        new("options", "`max-size` of a file (default 10m) and `max-file`, their number (default 5).", Map(OneOf(TextOrEmpty, Nothing)), Honoured));

    private static readonly KeyTable ModelUse = new("model-use", "Variables that tell a service about a model.",
        new("endpoint_var", "Variable that gets the model's address; default: its name in capitals and `_URL`.", Text, Honoured),
        new("model_var", "Variable that gets the model's name; default: its name in capitals and `_MODEL`.", Text, Honoured));

    private static readonly KeyTable Extends = new("extends", "A service that this one is made from.",
        new("service", "Its name.", Text, Honoured) { Required = true },
        new("file", "The file it is in; default: this one.", Text, Honoured));

    private static readonly KeyRow[] Rows =
    [
        new("command", "The command, started without a shell; a string is split into words.", Command, Honoured),
        new("entrypoint", "Put before `command`; for a container it replaces the image's entry point.", Command, Honoured),
        new("environment", "Variables of its environment; one without a value is taken from the daemon's.", Pairs, Honoured),
        new("env_file", "Files of variables, which `environment` overrides.", OneOf(Text, List(OneOf(Text, Keyed(EnvironmentFile)))), Honoured),
        new("working_dir", "Directory it runs in; default: the estate's directory, for a container the image's.", Text, Honoured),
        new("user", "`name|uid[:group|gid]` that it runs as; default: the daemon's user, for a container the image's.", Text, Honoured),
        new("ports", "Ports it listens on: `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, ranges, or a mapping.", List(OneOf(Text, Keyed(MountKeys.Port))), Honoured),
        new("depends_on", "Services that it waits for; a list waits for their start.", OneOf(DistinctTexts, Named(Keyed(Dependency))), Honoured),
        new("healthcheck", "How its health is asked.", Keyed(HealthcheckKeys.Table), Honoured),
        new("restart", "`no` (default), `always`, `on-failure[:N]` or `unless-stopped`.", Text, Honoured),
        new("stop_signal", "Signal that asks it to stop; default SIGTERM.", Text, Honoured),
        new("stop_grace_period", "How long it may take to stop before it is killed; default 10s.", Duration, Honoured),
        new("scale", "Number of copies; default 1. `deploy.replicas` says the same.", Natural, Honoured),
        new("deploy", "How many replicas run, and with which resources.", OrNothing(Keyed(DeployKeys.Table)), Honoured),
        new("cpus", "Processors it may use, as in `1.5`; default: no limit.", Amount, Honoured),
        new("mem_limit", "Memory it may use, as in `2g`; default: no limit.", SizeOrUnlimited, Honoured),
        new("mem_reservation", "Memory it must be able to have; default 0.", Size, Honoured),
        new("pids_limit", "Processes and threads it may have; default and -1: no limit.", NaturalOrUnlimited, Honoured),
        new("gpus", "GPUs it needs: `all`, or a list of `count`, `device_ids`, `driver`, `capabilities`.",
            OneOf(Word("all"), List(Keyed(DeployKeys.Gpu))), Honoured),
        new("ulimits", "Resource limits by name, as in `nofile`; a number, or `soft` and `hard`; -1: none.", BuildKeys.Ulimits, Honoured),
        new("secrets", "Secrets it may read, as files.", BuildKeys.Materials, Honoured),
        new("configs", "Configs it may read, as files.", BuildKeys.Materials, Honoured),
        new("labels", "Labels, for people and for selecting.", Pairs, Honoured),
        new("label_file", "Files of labels, which `labels` overrides.", TextOrTexts, Honoured),
        new("logging", "How output is kept.", Keyed(Logging), Honoured),
        new("profiles", "Active only with one of these profiles, or when named; default: always.", DistinctTexts, Honoured),
        new("models", "Models whose address and name it gets in its environment.", OneOf(DistinctTexts, Named(OrNothing(Keyed(ModelUse)))), Honoured),
        new("post_start", "Commands after each start; when one fails, the service is stopped.", List(Keyed(Hook)), Honoured),
        new("pre_stop", "Commands before it is asked to stop.", List(Keyed(Hook)), Honoured),
        new("extends", "A service that this one is made from.", OneOf(Text, Keyed(Extends)), Honoured),
        new("attach", "Whether `up` shows its output; default `true`.", Flag, Warned("the live view offers the output of every service"))
            { Harmless = "true" },
        new("develop", "Rebuilding while files change.", OrNothing(Keyed(ContainerKeys.Develop)), Warned("nothing watches files for changes")),
        new("provider", "An external program that manages the service.", Keyed(ContainerKeys.Provider),
            Refused("Stoker runs its services itself", "declare the provider's program as a service")),

        new("group", "The group it belongs to.", Text, Extension),
        new("host", "The host that runs it; default: its group's host, else the only host.", Text, Extension),
        new("restart_policy", "When and how it is restarted, in detail.", Keyed(DeployKeys.RestartPolicy), Extension),
        new("reload", "How it is told to read its configuration again: a signal, or a command as a list.", OneOf(Text, Texts), Extension),
        new("gpu", "GPU memory it needs, and how the GPU is shared.", Keyed(HostKeys.GpuShare), Extension),
        new("tunnel", "A connection that is kept up: by SSH through a bastion, or a public address for a local port.", Keyed(TunnelKeys.Table), Extension),
        new("umask", "File mode creation mask, octal; default: the daemon's.", Octal, ProcessesOnly("a container has its image's mask")),
        new("nice", "Scheduling priority, -20 (first) to 19 (last); default 0.", Range(-20, 19), ProcessesOnly("a container has the tool's priority")),
    ];

    public static readonly KeyTable Table = new("service", "A supervised workload: a plain process, or a container where `image` or `build` is given.",
        [.. Rows, .. ContainerKeys.Rows]);
}
