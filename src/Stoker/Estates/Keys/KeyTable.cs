namespace Stoker.Estates.Keys;

/// <summary>
/// The keys of one kind of mapping: what they are called, what they are for, which values they take, and what Stoker does
/// about them. One literal table each; everything that must agree about keys is made from it: unknown keys and wrong shapes,
/// warnings, the options of <c>run</c>, the JSON Schema, and <c>stoker config explain</c>.
/// </summary>
/// <param name="name">A short name, unique among tables, under which the JSON Schema defines it.</param>
internal sealed class KeyTable(string name, string documentation, params KeyRow[] rows)
{
    private readonly Dictionary<string, KeyRow> _byName = rows.ToDictionary(r => r.Name);

    public string Name => name;

    public string Documentation => documentation;

    public IReadOnlyList<KeyRow> Rows => rows;

    public IEnumerable<string> Names => rows.Select(r => r.Name);

    /// <summary>Keys beside the listed ones are kept for the capability that reads them.</summary>
    public bool Open { get; init; }

    public KeyRow? Find(string key) => _byName.GetValueOrDefault(key);
}

/// <summary>One key.</summary>
/// <param name="Documentation">One sentence with unit and default, as <c>stoker config explain</c> prints it.</param>
/// <param name="Option">How the container tool is told, where a single option of <c>run</c> or <c>build</c> says it.</param>
internal sealed record KeyRow(string Name, string Documentation, Shape Shape, Support Support, ContainerOption? Option = null)
{
    /// <summary>Its mapping is wrong without it.</summary>
    public bool Required { get; init; }

    /// <summary>The value at which the key asks for nothing, so that nothing is left undone; flags: <c>false</c>.</summary>
    public string? Harmless { get; init; } = Shape is Shape.Flag ? "false" : null;
}

/// <summary>What Stoker does about a key.</summary>
internal abstract record Support
{
    internal sealed record Honoured : Support;

    /// <summary>Stoker's own key, which Compose does not have.</summary>
    internal sealed record Extension : Support;

    /// <summary>Stoker's own key, which a container cannot have.</summary>
    /// <param name="Otherwise">What happens instead in a container, in words.</param>
    internal sealed record ExtensionForProcesses(string Otherwise) : Support;

    /// <param name="Otherwise">What happens instead for a plain process, in words.</param>
    internal sealed record HonouredForContainers(string Otherwise) : Support;

    /// <param name="Reason">What will not happen, in words.</param>
    internal sealed record Warned(string Reason) : Support;

    /// <summary>A section of a capability that is still to come: kept, and not acted on.</summary>
    internal sealed record NotYet : Support;

    /// <param name="Reason">Why the service cannot be run as written, in words.</param>
    /// <param name="Hint">What to do instead.</param>
    internal sealed record Refused(string Reason, string? Hint = null) : Support;
}

/// <summary>The kinds of support that the key tables are written with.</summary>
internal static class Supports
{
    public static readonly Support Honoured = new Support.Honoured();
    public static readonly Support Extension = new Support.Extension();
    public static readonly Support NotYet = new Support.NotYet();

    public static Support ProcessesOnly(string otherwise) => new Support.ExtensionForProcesses(otherwise);

    public static Support ContainersOnly(string otherwise) => new Support.HonouredForContainers(otherwise);

    public static Support Warned(string reason) => new Support.Warned(reason);

    public static Support Refused(string reason, string? hint = null) => new Support.Refused(reason, hint);
}
