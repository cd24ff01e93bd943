using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Hosts.Checks;

namespace Stoker.Hosts.Layers;

/// <summary>An ordered requirement on hosts, as the owner wrote it.</summary>
/// <param name="Hosts">Empty: all.</param>
internal sealed record LayerSpec(string Name, SourcePosition Where)
{
    public string? Description { get; init; }

    public IReadOnlyList<Positioned<HostName>> Hosts { get; init; } = [];

    public IReadOnlyList<Positioned<string>> Needs { get; init; } = [];

    public IReadOnlyList<CheckSpec> Verify { get; init; } = [];

    /// <summary>The shipped layer that it uses; null: all of it is the owner's.</summary>
    public string? Uses { get; init; }

    public IReadOnlyList<LayerStep> Apply { get; init; } = [];

    public IReadOnlyList<LayerStep.Command> Rollback { get; init; } = [];

    public bool IsFor(HostName host) => Hosts.Count == 0 || Hosts.Any(h => h.Value == host);
}

/// <summary>One thing that a layer sees to.</summary>
internal abstract record LayerStep
{
    private LayerStep()
    {
    }

    internal sealed record Packages(IReadOnlyList<string> Present, IReadOnlyList<string> Absent) : LayerStep;

    internal sealed record UserGroup(string Name, long? Gid) : LayerStep;

    /// <param name="OwnGroup">Null: one of its name.</param>
    internal sealed record User(string Name, long? Uid, string? OwnGroup, IReadOnlyList<string> Groups, string? Home, string? Shell, bool IsSystem) : LayerStep;

    internal sealed record Directory(string Path, string Owner, string Group, int Mode) : LayerStep;

    /// <param name="Source">Read when the layer is looked at, so that it may be made by then; null: <paramref name="Content"/>.</param>
    internal sealed record File(string Path, string? Content, string? Source, string Owner, string Group, int Mode, bool IsSecret) : LayerStep;

    internal sealed record NoFile(string Path) : LayerStep;

    /// <param name="Unless">Null: run when a step before it changed something.</param>
    internal sealed record Command(IReadOnlyList<string> Words, IReadOnlyList<string>? Unless, IReadOnlyList<string>? Undo, TimeSpan Limit) : LayerStep
    {
        public string Text => string.Join(' ', Words);
    }

    internal sealed record Ansible(AnsibleRun Run, AnsibleRun? Undo, TimeSpan Limit) : LayerStep;

    /// <summary>What is only known when the machine is looked at: the steps are made then, or refused with the reason.</summary>
    internal sealed record OnMachine(Func<LayerDoors, Task<IReadOnlyList<LayerStep>>> Steps) : LayerStep;
}

/// <summary>All layers of an estate, each behind those that it needs.</summary>
internal sealed record LayersSpec(IReadOnlyList<LayerSpec> Layers);
