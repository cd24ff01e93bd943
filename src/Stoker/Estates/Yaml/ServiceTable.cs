namespace Stoker.Estates.Yaml;

/// <summary>The services of one file, as <c>extends</c> looks them up.</summary>
/// <param name="Path">Absolute path of the file.</param>
/// <param name="Below">What earlier files declared: found when the file itself has no such service.</param>
/// <param name="Directory">Where relative paths of the file start.</param>
internal sealed record ServiceTable(string Path, MappingNode Root, MappingNode? Below, string Directory, VariableScope Scope)
{
    private readonly Dictionary<string, Node> _own = Index(Root);
    private readonly Dictionary<string, Node> _below = Below is null ? [] : Index(Below);

    /// <summary>Services whose <c>extends</c> is resolved already.</summary>
    public Dictionary<string, Node> Resolved { get; } = [];

    public IEnumerable<string> Names => _own.Keys.Concat(_below.Keys);

    public Node? Own(string name) => _own.GetValueOrDefault(name);

    public Node? FromBelow(string name) => _below.GetValueOrDefault(name);

    private static Dictionary<string, Node> Index(MappingNode root)
    {
        var index = new Dictionary<string, Node>();
        if (root.Find("services") is MappingNode services)
        {
            foreach (var (key, value) in services.Entries) index.TryAdd(key.Value!, value);
        }

        return index;
    }
}
