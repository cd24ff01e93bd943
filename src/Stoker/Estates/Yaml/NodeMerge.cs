using Stoker.Diagnostics;
using Entry = System.Collections.Generic.KeyValuePair<Stoker.Estates.ScalarNode, Stoker.Estates.Node>;

namespace Stoker.Estates.Yaml;

/// <summary>
/// Merges a later file's value on top of an earlier one's by <see cref="MergeRules"/>. A value that loses is kept as overridden by
/// the one that wins. The earlier side carries no marks (see <see cref="MergeMarks"/>); the later side's marks stay in the result,
/// because they speak to every file below.
/// </summary>
internal sealed class NodeMerge(DiagnosticBag bag)
{
    private readonly List<string> _path = [];

    public MappingNode Files(MappingNode earlier, MappingNode later) => Mappings(earlier, later, MergeRules.Root);

    public MappingNode Service(string name, MappingNode extended, MappingNode own)
    {
        _path.AddRange(["services", name]);
        var merged = Mappings(extended, own, MergeRules.Service);
        _path.Clear();
        return merged;
    }

    private Node Values(Node earlier, Node later, MergeRule? rule)
    {
        if (later.Mark != MergeMark.None) return later.Over(earlier);
        var way = rule?.Way ?? MergeWay.ByKind;
        // An empty `key:` in an overlay says nothing, except where null is a value: `environment: {NAME: }`.
        if (later is ScalarNode { Value: null, Plain: true } && way != MergeWay.KeyValues) return earlier;
        return way switch
        {
            MergeWay.ByKind => ByKind(earlier, later, rule),
            MergeWay.Replace => later.Over(earlier),
            MergeWay.KeyValues => Unified(earlier, later, rule, KeyedLists.KeyValues, nullWins: true),
            MergeWay.Names => Unified(earlier, later, rule, KeyedLists.Names),
            MergeWay.DependsOn => Unified(earlier, later, rule, KeyedLists.Dependencies),
            MergeWay.Unique => Unique(earlier, later, rule!),
            MergeWay.ExtraHosts => Append(KeyedLists.Hosts(earlier), KeyedLists.Hosts(later), UniqueKeys.Text),
            MergeWay.Build => ByKind(KeyedLists.Build(earlier), KeyedLists.Build(later), rule),
            MergeWay.Logging => SameDriver(earlier, later) ? ByKind(earlier, later, rule) : later.Over(earlier),
            MergeWay.Healthcheck => ByKind(HealthcheckKinds.WithoutOthers(earlier, later), later, rule),
            MergeWay.Subnets => Subnets(earlier, later, rule),
            MergeWay.SameKindOrReplace => earlier.GetType() == later.GetType() ? ByKind(earlier, later, rule) : later.Over(earlier),
        };
    }

    private Node ByKind(Node earlier, Node later, MergeRule? rule)
    {
        switch (earlier, later)
        {
            case (MappingNode below, MappingNode above):
                return Mappings(below, above, rule);
            case (SequenceNode below, SequenceNode above):
                return new SequenceNode([.. below.Items, .. above.Items], below.Where) { Overrode = below.Overrode };
            case (ScalarNode, _):
                return later.Over(earlier);
            default:
                return Clash(earlier, later);
        }
    }

    private MappingNode Mappings(MappingNode earlier, MappingNode later, MergeRule? rule, bool nullWins = false)
    {
        if (later.Entries.Count == 0) return earlier;
        var index = new Dictionary<string, int>(earlier.Entries.Count);
        for (var i = 0; i < earlier.Entries.Count; i++) index[earlier.Entries[i].Key.Value!] = i;
        var entries = new List<Entry>(earlier.Entries.Count + later.Entries.Count);
        entries.AddRange(earlier.Entries);
        foreach (var entry in later.Entries)
        {
            var key = entry.Key.Value!;
            if (!index.TryGetValue(key, out var at))
            {
                entries.Add(entry);
                continue;
            }

            _path.Add(key);
            var isPlainNull = nullWins && entry.Value is ScalarNode { Value: null };
            entries[at] = new Entry(entries[at].Key, isPlainNull ? entry.Value.Over(entries[at].Value) : Values(entries[at].Value, entry.Value, rule?.For(key)));
            _path.RemoveAt(_path.Count - 1);
        }

        return new MappingNode(entries, earlier.Where) { Overrode = earlier.Overrode };
    }

    private Node Unified(Node earlier, Node later, MergeRule? rule, Func<Node, MappingNode?> toMapping, bool nullWins = false)
    {
        if (toMapping(earlier) is { } below && toMapping(later) is { } above) return Mappings(below, above, rule, nullWins);
        return ByKind(earlier, later, rule);
    }

    private Node Unique(Node earlier, Node later, MergeRule rule)
    {
        if (earlier is MappingNode || later is MappingNode) return ByKind(earlier, later, rule);
        return Append(earlier, later, rule.UniqueKey!);
    }

    private static SequenceNode Append(Node earlier, Node later, Func<Node, string?> keyOf)
    {
        var items = new List<Node>();
        var index = new Dictionary<string, int>();
        foreach (var item in KeyedLists.Items(earlier).Concat(KeyedLists.Items(later)))
        {
            var key = item.Mark == MergeMark.Reset ? null : keyOf(item);
            if (key is not null && !index.TryAdd(key, items.Count))
            {
                var at = index[key];
                items[at] = ReferenceEquals(items[at], item) ? item : item.Over(items[at]);
            }
            else
            {
                items.Add(item);
            }
        }

        return new SequenceNode(items, earlier.Where) { Overrode = earlier.Overrode };
    }

    private Node Subnets(Node earlier, Node later, MergeRule? rule)
    {
        if (earlier is not SequenceNode below || later is not SequenceNode above) return ByKind(earlier, later, rule);
        var items = new List<Node>(below.Items);
        foreach (var item in above.Items)
        {
            var subnet = SubnetOf(item);
            var at = subnet is null ? -1 : items.FindIndex(i => SubnetOf(i) == subnet);
            if (at < 0) items.Add(item);
            else items[at] = Mappings((MappingNode)items[at], (MappingNode)item, null);
        }

        return new SequenceNode(items, below.Where) { Overrode = below.Overrode };
    }

    private Node Clash(Node earlier, Node later)
    {
        bag.Add(YamlDiagnostics.CannotMerge, later.Where,
            $"`{string.Join('.', _path)}` is {NodeKind.Of(later)} here and {NodeKind.Of(earlier)} at {earlier.Where}",
            "write `!override` before the value to replace the other one whole");
        return later.Over(earlier);
    }

    private static bool SameDriver(Node earlier, Node later)
    {
        var below = ((earlier as MappingNode)?.Find("driver") as ScalarNode)?.Value;
        var above = ((later as MappingNode)?.Find("driver") as ScalarNode)?.Value;
        return below is null || above is null || below == above;
    }

    private static string? SubnetOf(Node node) => ((node as MappingNode)?.Find("subnet") as ScalarNode)?.Value;
}
