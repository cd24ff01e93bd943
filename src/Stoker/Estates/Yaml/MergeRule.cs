namespace Stoker.Estates.Yaml;

/// <summary>How two files' values of one key become one. Compose's specification, section "Merge and override".</summary>
internal enum MergeWay
{
    /// <summary>Mappings merge, lists are appended, single values are replaced.</summary>
    ByKind,

    /// <summary>The later file's value replaces the earlier: commands.</summary>
    Replace,

    /// <summary><c>KEY=value</c> in a list, or a mapping; merged by key to a mapping.</summary>
    KeyValues,

    /// <summary>A list of names, or a mapping from names.</summary>
    Names,

    /// <summary>As <see cref="Names"/>, a bare name meaning Compose's default condition.</summary>
    DependsOn,

    /// <summary>One value or a list; appended, each unique key once, the later file's entry winning.</summary>
    Unique,

    /// <summary>A list of <c>host=ip</c> or a mapping; appended, the same pair once.</summary>
    ExtraHosts,

    /// <summary>A path, or a mapping with <c>context</c>.</summary>
    Build,

    /// <summary>Options merge only when both name the same driver, or one names none.</summary>
    Logging,

    /// <summary>A later file's kind of probe takes the place of an earlier file's other kind.</summary>
    Healthcheck,

    /// <summary>Address ranges, merged by <c>subnet</c>.</summary>
    Subnets,

    /// <summary>Short and long forms that do not mix: by kind when both are of one kind, else replaced.</summary>
    SameKindOrReplace,
}

/// <summary>The rule of one key, and below it the rules of the keys inside; a key without a rule merges by kind.</summary>
/// <param name="UniqueKey">For <see cref="MergeWay.Unique"/>: what makes an entry unique, null for an entry that nothing replaces.</param>
internal sealed record MergeRule(MergeWay Way, Func<Node, string?>? UniqueKey = null)
{
    /// <summary>Rules by key; <c>*</c> is any other key.</summary>
    public IReadOnlyDictionary<string, MergeRule> Inside { get; init; } = new Dictionary<string, MergeRule>();

    public MergeRule? For(string key) => Inside.GetValueOrDefault(key) ?? Inside.GetValueOrDefault("*");
}
