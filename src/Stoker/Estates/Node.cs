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

    /// <summary>How an overlay asked for this value to be merged; always <see cref="MergeMark.None"/> once loading is done.</summary>
    public MergeMark Mark { get; init; }

    /// <summary>This value, remembering that it took the place of <paramref name="earlier"/>.</summary>
    public Node Over(Node earlier) => this with { Overrode = Overrode is null ? earlier : Overrode.Over(earlier) };
}

/// <summary>Compose's two merge tags: <c>!reset</c> takes the value away, <c>!override</c> replaces it whole.</summary>
internal enum MergeMark : byte
{
    None,
    Reset,
    Override,
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
