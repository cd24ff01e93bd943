using Stoker.Diagnostics;
using Entry = System.Collections.Generic.KeyValuePair<Stoker.Estates.ScalarNode, Stoker.Estates.Node>;

namespace Stoker.Estates.Yaml;

/// <summary>
/// YAML's merge key, <c>&lt;&lt;: *defaults</c> or <c>&lt;&lt;: [*a, *b]</c>: keys written in the mapping itself win, then the
/// earlier source. What was merged in stands where <c>&lt;&lt;</c> stood; what lost is kept as overridden.
/// </summary>
internal static class MergeKey
{
    public static Entry[] Expand(Entry[] entries, int mergeAt, DiagnosticBag bag)
    {
        var own = new Dictionary<string, int>(entries.Length);
        for (var i = 0; i < entries.Length; i++) own[entries[i].Key.Value!] = i;

        var merged = new List<Entry>();
        var seen = new Dictionary<string, int>();
        foreach (var source in Sources(entries[mergeAt].Value, bag))
        {
            foreach (var entry in source.Entries)
            {
                var key = entry.Key.Value!;
                if (own.TryGetValue(key, out var mine)) entries[mine] = new Entry(entries[mine].Key, entries[mine].Value.Over(entry.Value));
                else if (seen.TryGetValue(key, out var earlier)) merged[earlier] = new Entry(merged[earlier].Key, merged[earlier].Value.Over(entry.Value));
                else
                {
                    seen.Add(key, merged.Count);
                    merged.Add(entry);
                }
            }
        }

        return [.. entries[..mergeAt], .. merged, .. entries[(mergeAt + 1)..]];
    }

    private static IEnumerable<MappingNode> Sources(Node value, DiagnosticBag bag)
    {
        foreach (var source in value is SequenceNode list ? list.Items : [value])
        {
            if (source is MappingNode mapping) yield return mapping;
            // Nothing to merge: `<<:` alone, or an alias that has been reported.
            else if (source is not ScalarNode { Value: null }) bag.Add(YamlDiagnostics.BadMergeKey, source.Where, $"`<<` merges mappings, and this is {NodeKind.Of(source)}");
        }
    }
}
