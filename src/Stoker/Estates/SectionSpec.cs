namespace Stoker.Estates;

/// <summary>A top-level section of the estate file that a capability reads for itself, as Modules.cs lists it.</summary>
/// <param name="Documentation">One sentence, for <c>stoker config explain</c> and the JSON Schema.</param>
/// <param name="IsActedOn">False: the section is kept and warned about, because nothing acts on it yet.</param>
internal sealed record SectionSpec(string Name, string Documentation, bool IsActedOn);
