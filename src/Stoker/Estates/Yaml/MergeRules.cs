namespace Stoker.Estates.Yaml;

/// <summary>Every key that does not merge by its kind, as Compose has it; Stoker's own keys are marked.</summary>
internal static class MergeRules
{
    private static readonly MergeRule Replace = new(MergeWay.Replace);
    private static readonly MergeRule KeyValues = new(MergeWay.KeyValues);
    private static readonly MergeRule Names = new(MergeWay.Names);
    private static readonly MergeRule Texts = new(MergeWay.Unique, UniqueKeys.Text);
    private static readonly MergeRule SameKindOrReplace = new(MergeWay.SameKindOrReplace);

    private static readonly MergeRule Build = new(MergeWay.Build)
    {
        Inside = new Dictionary<string, MergeRule>
        {
            ["args"] = KeyValues,
            ["additional_contexts"] = KeyValues,
            ["extra_hosts"] = new(MergeWay.ExtraHosts),
            ["labels"] = KeyValues,
            ["platforms"] = Texts,
            ["tags"] = Texts,
            ["ulimits"] = Each(SameKindOrReplace),
        },
    };

    private static readonly MergeRule Networks = new(MergeWay.Names)
    {
        Inside = new Dictionary<string, MergeRule>
        {
            ["*"] = Inside(("aliases", Texts), ("link_local_ips", Texts)),
        },
    };

    private static readonly MergeRule Healthcheck = new(MergeWay.Healthcheck)
    {
        Inside = new Dictionary<string, MergeRule>
        {
            ["test"] = Replace,
            ["exec"] = Replace, // Stoker's
            ["notify"] = SameKindOrReplace, // Stoker's
        },
    };

    /// <summary>One entry of <c>services:</c>; <c>extends</c> merges by it too.</summary>
    public static readonly MergeRule Service = Inside(
        ("annotations", KeyValues),
        ("build", Build),
        ("cap_add", Texts),
        ("cap_drop", Texts),
        ("command", Replace),
        ("configs", new MergeRule(MergeWay.Unique, UniqueKeys.Config)),
        ("depends_on", new MergeRule(MergeWay.DependsOn)),
        ("deploy", Inside(("labels", KeyValues))),
        ("devices", new MergeRule(MergeWay.Unique, UniqueKeys.Device)),
        ("dns", Texts),
        ("dns_opt", Texts),
        ("dns_search", Texts),
        ("entrypoint", Replace),
        ("env_file", new MergeRule(MergeWay.Unique, UniqueKeys.EnvFile)),
        ("environment", KeyValues),
        ("expose", Texts),
        ("extra_hosts", new MergeRule(MergeWay.ExtraHosts)),
        ("gpus", SameKindOrReplace),
        ("healthcheck", Healthcheck),
        ("label_file", Texts),
        ("labels", KeyValues),
        ("links", Texts),
        ("logging", new MergeRule(MergeWay.Logging)),
        ("models", Names),
        ("networks", Networks),
        ("ports", new MergeRule(MergeWay.Unique, UniqueKeys.Port)),
        ("profiles", Texts),
        ("reload", Replace), // Stoker's
        ("secrets", new MergeRule(MergeWay.Unique, UniqueKeys.Secret)),
        ("sysctls", KeyValues),
        ("tmpfs", Texts),
        ("ulimits", Each(SameKindOrReplace)),
        ("volumes", new MergeRule(MergeWay.Unique, UniqueKeys.Volume)));

    /// <summary>A whole file.</summary>
    public static readonly MergeRule Root = Inside(
        ("services", Each(Service)),
        ("networks", Each(Inside(("labels", KeyValues), ("ipam", Inside(("config", new MergeRule(MergeWay.Subnets))))))),
        ("volumes", Each(Inside(("labels", KeyValues)))),
        ("secrets", Each(Inside(("labels", KeyValues)))),
        ("configs", Each(Inside(("labels", KeyValues)))),
        ("groups", Each(Inside(("depends_on", new MergeRule(MergeWay.Unique, UniqueKeys.Text)))))); // Stoker's

    private static MergeRule Each(MergeRule rule) => Inside(("*", rule));

    private static MergeRule Inside(params ReadOnlySpan<(string Key, MergeRule Rule)> rules)
    {
        var inside = new Dictionary<string, MergeRule>();
        foreach (var (key, rule) in rules) inside.Add(key, rule);
        return new MergeRule(MergeWay.ByKind) { Inside = inside };
    }
}
