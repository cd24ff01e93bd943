namespace Stoker.Platform;

/// <summary>The processes at one moment, and how they hang together.</summary>
internal sealed class ProcessSnapshot(IReadOnlyList<ProcessEntry> entries)
{
    private Dictionary<int, ProcessEntry>? _byPid;
    private ILookup<int, ProcessEntry>? _byParent;

    public IReadOnlyList<ProcessEntry> Entries { get; } = entries;

    public ProcessEntry? Find(int pid) => (_byPid ??= Index()).TryGetValue(pid, out var entry) ? entry : null;

    public IEnumerable<ProcessEntry> Children(int pid) => (_byParent ??= Entries.ToLookup(entry => entry.ParentPid))[pid];

    /// <summary>Children, their children and so on, parents before children; the process itself is not among them.</summary>
    public IReadOnlyList<ProcessEntry> Descendants(int pid)
    {
        var found = new List<ProcessEntry>(Children(pid));
        for (var next = 0; next < found.Count; next++)
        {
            found.AddRange(Children(found[next].Pid));
        }

        return found;
    }

    public IEnumerable<ProcessEntry> InSession(int sessionId) => Entries.Where(entry => entry.SessionId == sessionId);

    private Dictionary<int, ProcessEntry> Index()
    {
        var index = new Dictionary<int, ProcessEntry>(Entries.Count);
        foreach (var entry in Entries)
        {
            index[entry.Pid] = entry;
        }

        return index;
    }
}
