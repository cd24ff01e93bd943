using Stoker.Platform;

namespace Stoker.Runtimes;

/// <summary>One look at all processes, asked about several runs: each environment is read once at most.</summary>
internal sealed class RunMarks(ProcessSnapshot snapshot)
{
    private Dictionary<string, List<ProcessEntry>>? _marked;

    public IReadOnlyList<ProcessId> MembersOf(RunHandle run) =>
        [.. ProcessTree.Members(run.Main.Id, run.SessionId, runMarker: null, snapshot).Union(Marked(run.RunId))];

    public IReadOnlyList<ProcessId> Marked(string runId) =>
        (_marked ??= ReadMarks()).TryGetValue(runId, out var marked) ? [.. marked.Select(e => new ProcessId(e.Pid, e.StartTicks))] : [];

    /// <summary>The process that a run began with: the marked one that leads its session.</summary>
    public ProcessEntry? LeaderOf(string runId)
    {
        if (!(_marked ??= ReadMarks()).TryGetValue(runId, out var marked)) return null;
        foreach (var entry in marked)
        {
            if (entry.Pid == entry.SessionId) return entry;
        }

        return null;
    }

    private Dictionary<string, List<ProcessEntry>> ReadMarks()
    {
        var marks = new Dictionary<string, List<ProcessEntry>>();
        foreach (var entry in snapshot.Entries)
        {
            if (entry.IsZombie || entry.Pid == HostEnvironment.ProcessId) continue;
            if (ProcessTable.EnvironmentVariable(entry.Pid, ProcessTree.MarkerVariable) is not { } mark) continue;
            if (!marks.TryGetValue(mark, out var list)) marks[mark] = list = [];
            list.Add(entry);
        }

        return marks;
    }
}
