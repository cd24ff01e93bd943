namespace Stoker.Estates.Yaml;

/// <summary>The anchors of one file, and how much its aliases have expanded to (against "billion laughs").</summary>
internal sealed class Anchors
{
    private readonly Dictionary<string, Anchor> _closed = [];
    private readonly HashSet<string> _open = [];
    private long _expanded;

    public bool WereUsed => _expanded > 0;

    public IEnumerable<string> Names => _closed.Keys;

    public bool IsOpen(string name) => _open.Contains(name);

    public void Open(string name)
    {
        _open.Add(name);
        // YAML allows an anchor to be set again; until the new node is complete, its name stands for nothing.
        _closed.Remove(name);
    }

    public void Close(string name, Node node, int size, int height)
    {
        _open.Remove(name);
        _closed[name] = new Anchor(node, size, height);
    }

    public Anchor? Find(string name) => _closed.GetValueOrDefault(name);

    /// <summary>False when the file's aliases together stand for more than is allowed.</summary>
    public bool Use(Anchor anchor)
    {
        _expanded += anchor.Size;
        return _expanded <= NodeParser.LargestExpansion;
    }
}

/// <param name="Size">Nodes of the subtree, aliases in it counted as what they stand for.</param>
/// <param name="Height">Levels below the node.</param>
internal sealed record Anchor(Node Node, int Size, int Height);
