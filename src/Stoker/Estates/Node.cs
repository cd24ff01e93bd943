using Stoker.Diagnostics;

namespace Stoker.Estates;

/// <summary>
/// A positioned piece of YAML. Every value keeps the place it was written at through merging, so that each later message
/// and <c>stoker config explain</c> can name file, line and column, and what an overlay replaced.
/// </summary>
internal abstract record Node(SourcePosition Where)
{
    /// <summary>What this value replaced when files were merged, most recent first.</summary>
    public Node? Overrode { get; init; }
}

/// <param name="Value">The text after interpolation; null for an explicit or empty YAML null.</param>
/// <param name="Plain">Written without quotes, so that it may be read as a number, boolean or null.</param>
internal sealed record ScalarNode(string? Value, bool Plain, SourcePosition Where) : Node(Where);

internal sealed record SequenceNode(IReadOnlyList<Node> Items, SourcePosition Where) : Node(Where);

/// <summary>Keys keep their order. A key stands once: a second one is a diagnostic of the reader.</summary>
internal sealed record MappingNode(IReadOnlyList<KeyValuePair<ScalarNode, Node>> Entries, SourcePosition Where) : Node(Where)
{
    public Node? Find(string key)
    {
        foreach (var (name, value) in Entries)
        {
            if (name.Value == key) return value;
        }

        return null;
    }
}
