using Stoker.Diagnostics;
using Stoker.Estates.Keys;
using Stoker.Estates.Reading;

namespace Stoker.Estates;

/// <summary>A top-level section of the estate file that a capability reads for itself, as Modules.cs lists it.</summary>
/// <param name="Documentation">One sentence, for <c>stoker config explain</c> and the JSON Schema.</param>
/// <param name="IsActedOn">False: the section is kept and warned about, because nothing acts on it yet.</param>
internal sealed record SectionSpec(string Name, string Documentation, bool IsActedOn)
{
    /// <summary>What it may look like; default: not looked into.</summary>
    public Shape Shape { get; init; } = Shapes.Anything;

    /// <summary>
    /// Makes of the section what it stands for: services that are planned and supervised like any other, and its own
    /// <see cref="EstateSpec.Parts"/>. Pure. Runs when all services are read, in the order of the list, and before names are looked up,
    /// so that a service may wait for one that a section makes. Null: the section makes none.
    /// </summary>
    public Func<EstateSpec, SectionSource, EstateSpec>? Expand { get; init; }
}

/// <summary>What the expansion of a section may look at.</summary>
/// <param name="Section">Null: the file has no such section.</param>
internal sealed record SectionSource(MappingNode? Section, ReadContext Context, DiagnosticBag Bag);
