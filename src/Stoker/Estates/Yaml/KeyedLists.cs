using Entry = System.Collections.Generic.KeyValuePair<Stoker.Estates.ScalarNode, Stoker.Estates.Node>;

namespace Stoker.Estates.Yaml;

/// <summary>
/// The two or three forms that Compose allows for one thing, brought to one form for merging. Every new node takes the place of
/// the item it came from. Null where an item has a shape that the reader has yet to refuse.
/// </summary>
internal static class KeyedLists
{
    /// <summary><c>[A=1, B]</c> as <c>{A: "1", B: }</c>; of two items with one key, the later wins.</summary>
    public static MappingNode? KeyValues(Node node) => ToMapping(node, text =>
    {
        var equals = text.Value!.IndexOf('=');
        return equals < 0
            ? new Entry(text with { Plain = false }, new ScalarNode(null, true, text.Where))
            : new Entry(new ScalarNode(text.Value[..equals], false, text.Where), new ScalarNode(text.Value[(equals + 1)..], false, text.Where));
    });

    /// <summary><c>[a, b]</c> as <c>{a: , b: }</c>.</summary>
    public static MappingNode? Names(Node node) => ToMapping(node, text => new Entry(text, new ScalarNode(null, true, text.Where)));

    /// <summary><c>[a]</c> as <c>{a: {condition: service_started, required: true}}</c>.</summary>
    public static MappingNode? Dependencies(Node node) => ToMapping(node, text => new Entry(text, new MappingNode(
    [
        new(new ScalarNode("condition", true, text.Where), new ScalarNode("service_started", true, text.Where)),
        new(new ScalarNode("required", true, text.Where), new ScalarNode("true", true, text.Where)),
    ], text.Where)));

    /// <summary>A lone path as <c>{context: path}</c>.</summary>
    public static Node Build(Node node) => node is ScalarNode { Value: not null } path
        ? new MappingNode([new(new ScalarNode("context", true, path.Where), path)], path.Where) { Overrode = node.Overrode }
        : node;

    /// <summary><c>{name: ip}</c> or <c>{name: [ip, ip]}</c> as <c>[name=ip]</c>.</summary>
    public static Node Hosts(Node node)
    {
        if (node is not MappingNode mapping) return node;
        var items = from entry in mapping.Entries
                    from ip in Items(entry.Value)
                    select ip is ScalarNode address ? new ScalarNode($"{entry.Key.Value}={address.Value}", false, ip.Where) : ip;
        return new SequenceNode([.. items], mapping.Where) { Overrode = mapping.Overrode };
    }

    /// <summary>A list's items, or the one value that stands for a list of one.</summary>
    public static IReadOnlyList<Node> Items(Node node) => node is SequenceNode list ? list.Items : [node];

    private static MappingNode? ToMapping(Node node, Func<ScalarNode, Entry> split)
    {
        if (node is MappingNode mapping) return mapping;
        if (node is not SequenceNode list) return null;
        var entries = new List<Entry>(list.Items.Count);
        var index = new Dictionary<string, int>();
        foreach (var item in list.Items)
        {
            if (item is not ScalarNode { Value: not null } text) return null;
            var entry = split(text);
            if (item.Mark != MergeMark.None) entry = new Entry(entry.Key with { Mark = MergeMark.None }, entry.Value with { Mark = item.Mark });
            if (index.TryAdd(entry.Key.Value!, entries.Count)) entries.Add(entry);
            else entries[index[entry.Key.Value!]] = new Entry(entry.Key, entry.Value.Over(entries[index[entry.Key.Value!]].Value));
        }

        return new MappingNode(entries, list.Where) { Overrode = list.Overrode };
    }
}
