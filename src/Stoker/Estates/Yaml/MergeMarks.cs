namespace Stoker.Estates.Yaml;

/// <summary>Ends the life of <c>!reset</c> and <c>!override</c>: what was reset is taken out, and no mark is left.</summary>
internal static class MergeMarks
{
    public static MappingNode Settle(MappingNode root) => (MappingNode)Visit(root);

    private static Node Visit(Node node)
    {
        var settled = node switch
        {
            MappingNode mapping => VisitMapping(mapping),
            SequenceNode sequence => VisitSequence(sequence),
            _ => node,
        };
        return settled.Mark == MergeMark.None ? settled : settled with { Mark = MergeMark.None };
    }

    private static MappingNode VisitMapping(MappingNode mapping)
    {
        var entries = new List<KeyValuePair<ScalarNode, Node>>(mapping.Entries.Count);
        var changed = false;
        foreach (var entry in mapping.Entries)
        {
            if (entry.Value.Mark == MergeMark.Reset)
            {
                changed = true;
                continue;
            }

            var value = Visit(entry.Value);
            changed |= !ReferenceEquals(value, entry.Value);
            entries.Add(new(entry.Key, value));
        }

        return changed ? mapping with { Entries = entries } : mapping;
    }

    private static SequenceNode VisitSequence(SequenceNode sequence)
    {
        var items = sequence.Items.Where(i => i.Mark != MergeMark.Reset).Select(Visit).ToList();
        return items.Count == sequence.Items.Count && items.Zip(sequence.Items).All(p => ReferenceEquals(p.First, p.Second))
            ? sequence
            : sequence with { Items = items };
    }
}
