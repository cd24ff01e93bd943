namespace Stoker.Estates.Yaml;

/// <summary>Every key that does not merge by its kind, as Compose has it; Stoker's own keys are marked.</summary>
internal static class MergeRules
{
    private static readonly MergeRule s_replace = new(MergeWay.Replace);
    private static readonly MergeRule s_keyValues = new(MergeWay.KeyValues);
    private static readonly MergeRule s_names = new(MergeWay.Names);
    private static readonly MergeRule s_texts = new(MergeWay.Unique, UniqueKeys.Text);
    private static readonly MergeRule s_sameKindOrReplace = new(MergeWay.SameKindOrReplace);

    private static readonly MergeRule s_build = new(MergeWay.Build)
    {
        Inside = new Dictionary<string, MergeRule>
        {
            ["args"] = s_keyValues,
            ["additional_contexts"] = s_keyValues,
            ["extra_hosts"] = new(MergeWay.ExtraHosts),
            ["labels"] = s_keyValues,
            ["platforms"] = s_texts,
            ["tags"] = s_texts,
            ["ulimits"] = Each(s_sameKindOrReplace),
        },
    };

    private static readonly MergeRule s_networks = new(MergeWay.Names)
    {
        Inside = new Dictionary<string, MergeRule>
        {
            ["*"] = Inside(("aliases", s_texts), ("link_local_ips", s_texts)),
        },
    };

    private static readonly MergeRule s_healthcheck = new(MergeWay.Healthcheck)
    {
        Inside = new Dictionary<string, MergeRule>
        {
            ["test"] = s_replace,
            ["exec"] = s_replace, // Stoker's
            ["notify"] = s_sameKindOrReplace, // Stoker's
        },
    };

    /// <summary>One entry of <c>services:</c>; <c>extends</c> merges by it too.</summary>
    public static readonly MergeRule Service = Inside(
        ("annotations", s_keyValues),
        ("build", s_build),
        ("cap_add", s_texts),
        ("cap_drop", s_texts),
        ("command", s_replace),
        ("configs", new MergeRule(MergeWay.Unique, UniqueKeys.Config)),
        ("depends_on", new MergeRule(MergeWay.DependsOn)),
        ("deploy", Inside(("labels", s_keyValues))),
        ("devices", new MergeRule(MergeWay.Unique, UniqueKeys.Device)),
        ("dns", s_texts),
        ("dns_opt", s_texts),
        ("dns_search", s_texts),
        ("entrypoint", s_replace),
        ("env_file", new MergeRule(MergeWay.Unique, UniqueKeys.EnvFile)),
        ("environment", s_keyValues),
        ("expose", s_texts),
        ("extra_hosts", new MergeRule(MergeWay.ExtraHosts)),
        ("gpus", s_sameKindOrReplace),
        ("healthcheck", s_healthcheck),
        ("label_file", s_texts),
        ("labels", s_keyValues),
        ("links", s_texts),
        ("logging", new MergeRule(MergeWay.Logging)),
        ("models", s_names),
        ("networks", s_networks),
        ("ports", new MergeRule(MergeWay.Unique, UniqueKeys.Port)),
        ("profiles", s_texts),
        ("reload", s_replace), // Stoker's
        ("secrets", new MergeRule(MergeWay.Unique, UniqueKeys.Secret)),
        ("sysctls", s_keyValues),
        ("tmpfs", s_texts),
        ("ulimits", Each(s_sameKindOrReplace)),
        ("volumes", new MergeRule(MergeWay.Unique, UniqueKeys.Volume)));

    /// <summary>A whole file.</summary>
    public static readonly MergeRule Root = Inside(
        ("services", Each(Service)),
        ("networks", Each(Inside(("labels", s_keyValues), ("ipam", Inside(("config", new MergeRule(MergeWay.Subnets))))))),
        ("volumes", Each(Inside(("labels", s_keyValues)))),
        ("secrets", Each(Inside(("labels", s_keyValues)))),
        ("configs", Each(Inside(("labels", s_keyValues)))),
        ("groups", Each(Inside(("depends_on", new MergeRule(MergeWay.Unique, UniqueKeys.Text)))))); // Stoker's

    private static MergeRule Each(MergeRule rule) => Inside(("*", rule));

    private static MergeRule Inside(params ReadOnlySpan<(string Key, MergeRule Rule)> rules)
    {
        var inside = new Dictionary<string, MergeRule>();
        foreach (var (key, rule) in rules) inside.Add(key, rule);
        return new MergeRule(MergeWay.ByKind) { Inside = inside };
    }
}
