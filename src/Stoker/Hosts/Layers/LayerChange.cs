using System.Text.Json.Serialization;

namespace Stoker.Hosts.Layers;

/// <summary>One change of the machine that a layer made, with what was before and after. Fields of other kinds are null.</summary>
/// <param name="Kind"><c>file packages user group command</c>.</param>
/// <param name="Subject">The path, the packages, the user, the words.</param>
internal sealed record LayerChange(long Number, string Layer, string Kind, string Subject, DateTimeOffset At)
{
    public FileImage? FileBefore { get; init; }

    public FileImage? FileAfter { get; init; }

    /// <summary>Hash of the list of all packages before.</summary>
    public string? AllPackages { get; init; }

    /// <summary>Those whose version changed; known when it is done.</summary>
    public IReadOnlyList<PackageChange>? Packages { get; init; }

    /// <summary>Null with <see cref="AccountAfter"/>: there was none.</summary>
    public AccountImage? AccountBefore { get; init; }

    public AccountImage? AccountAfter { get; init; }

    public IReadOnlyList<string>? Undo { get; init; }
}

/// <summary>Null is not installed.</summary>
internal sealed record PackageChange(string Name, string? Before, string? After);

/// <param name="Group">The own group of a user; null for a group.</param>
internal sealed record AccountImage(long Id, string? Group, IReadOnlyList<string> Groups, string? Home, string? Shell)
{
    public bool Equals(AccountImage? other) =>
        other is not null && Id == other.Id && Group == other.Group && Home == other.Home && Shell == other.Shell && Groups.Order().SequenceEqual(other.Groups.Order());

    public override int GetHashCode() => HashCode.Combine(Id, Group, Home, Shell, Groups.Count);

    public override string ToString() => Group is null ? $"gid {Id}" : $"uid {Id}, group {Group}, groups {string.Join(',', Groups.Order())}, home {Home}, shell {Shell}";
}

/// <summary>A line of the journal.</summary>
/// <param name="Event"><c>begin</c> (a change that is about to be made), <c>done</c>, <c>undone</c>, <c>layer</c>.</param>
internal sealed record LayerLine(string Event, DateTimeOffset At)
{
    public LayerChange? Change { get; init; }

    public long? Number { get; init; }

    public string? Layer { get; init; }

    /// <summary>Of a layer: <c>applied</c>, <c>failed</c>, <c>rolled_back</c>.</summary>
    public string? State { get; init; }

    public string? Why { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LayerLine))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class LayerJson : JsonSerializerContext;
