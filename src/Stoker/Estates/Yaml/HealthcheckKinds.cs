namespace Stoker.Estates.Yaml;

/// <summary>
/// A healthcheck asks in one way. When a later file asks in another way than an earlier one, its way is meant instead, not as well;
/// intervals and retries still merge.
/// </summary>
internal static class HealthcheckKinds
{
    private static readonly HashSet<string> s_kinds = ["test", "http", "tcp", "exec", "log", "notify", "disable"];

    public static Node WithoutOthers(Node earlier, Node later)
    {
        if (earlier is not MappingNode below || later is not MappingNode above) return earlier;
        var asked = above.Entries.Where(e => e.Value.Mark != MergeMark.Reset).Select(e => e.Key.Value!).Where(s_kinds.Contains).ToHashSet();
        if (asked.Count == 0) return earlier;
        return below with { Entries = [.. below.Entries.Where(e => !s_kinds.Contains(e.Key.Value!) || asked.Contains(e.Key.Value!))] };
    }
}
