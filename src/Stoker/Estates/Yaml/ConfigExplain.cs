using Stoker.Diagnostics;

namespace Stoker.Estates.Yaml;

/// <summary>What <c>stoker config explain</c> finds at a path.</summary>
internal abstract record Explanation
{
    /// <summary>The value, and what it overrode, most recent first.</summary>
    internal sealed record Found(Node Node, IReadOnlyList<Node> Overrode) : Explanation;

    /// <summary>Nothing is set there. <c>Parent</c> is the part of the path that exists, empty for the root.</summary>
    internal sealed record Missing(string Parent, string Segment, string? Hint) : Explanation;

    /// <summary>The text is no path.</summary>
    internal sealed record Malformed(string Problem) : Explanation;
}

/// <summary>Finds the value at <c>services.vision.environment.LOG_LEVEL</c>, and who set it.</summary>
internal static class ConfigExplain
{
    public static Explanation Find(MappingNode root, string path)
    {
        if (ConfigPath.Parse(path, out var problem) is not { } parsed) return new Explanation.Malformed(problem!);
        Node node = root;
        for (var i = 0; i < parsed.Segments.Count; i++)
        {
            if (Step(node, parsed.Segments[i]) is { } next)
            {
                node = next;
                continue;
            }

            var parent = new ConfigPath([.. parsed.Segments.Take(i)]).ToString();
            var segment = parsed.Segments[i];
            return new Explanation.Missing(parent, segment.Key ?? $"[{segment.Index}]", Hint(node, segment));
        }

        return new Explanation.Found(node, [.. Chain(node)]);
    }

    private static Node? Step(Node node, PathSegment segment) => (node, segment) switch
    {
        (MappingNode mapping, { Key: { } key }) => mapping.Find(key),
        (SequenceNode list, { Index: { } index }) when index < list.Items.Count => list.Items[index],
        (SequenceNode list, { Key: { } key }) => ByName(list, key),
        _ => null,
    };

    // `environment: [LOG_LEVEL=debug]` is found by the same path as the mapping form; the last of two items wins.
    private static ScalarNode? ByName(SequenceNode list, string key)
    {
        foreach (var item in list.Items.OfType<ScalarNode>().Reverse())
        {
            if (item.Value == key) return item with { Value = null };
            if (item.Value is { } text && text.StartsWith(key, StringComparison.Ordinal) && text.Length > key.Length && text[key.Length] == '=')
                return item with { Value = text[(key.Length + 1)..], Plain = false };
        }

        return null;
    }

    private static string? Hint(Node node, PathSegment segment) => (node, segment) switch
    {
        (MappingNode mapping, { Key: { } key }) => Suggestion.For(key, mapping.Entries.Select(e => e.Key.Value!)),
        (SequenceNode list, _) => $"the list has {list.Items.Count} items, counted from 0",
        (ScalarNode, _) => "the path ends before this: it is a single value",
        _ => null,
    };

    private static IEnumerable<Node> Chain(Node node)
    {
        for (var earlier = node.Overrode; earlier is not null; earlier = earlier.Overrode) yield return earlier;
    }
}
