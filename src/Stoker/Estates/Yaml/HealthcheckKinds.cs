namespace Stoker.Estates.Yaml;

/// <summary>
/// A healthcheck asks in one way. When a later file asks in another way than an earlier one, its way is meant instead, not as well;
/// intervals and retries still merge.
/// </summary>
internal static class HealthcheckKinds
{
    private static readonly HashSet<string> Kinds = ["test", "http", "tcp", "exec", "log", "notify", "gpu", "disable"];

    public static Node WithoutOthers(Node earlier, Node later)
    {
        if (earlier is not MappingNode below || later is not MappingNode above) return earlier;
        var asked = above.Entries.Where(e => e.Value.Mark != MergeMark.Reset).Select(e => e.Key.Value!).Where(Kinds.Contains).ToHashSet();
        if (asked.Count == 0) return earlier;
        return below with { Entries = [.. below.Entries.Where(e => !Kinds.Contains(e.Key.Value!) || asked.Contains(e.Key.Value!))] };
    }
}
