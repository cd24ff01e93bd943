namespace Stoker.Estates.Yaml;

/// <summary>One file as written: parsed, aliases and <c>&lt;&lt;</c> resolved, nothing interpolated yet.</summary>
/// <param name="SharesNodes">Aliases were used, so one node may stand at several places of the tree.</param>
internal sealed record ParsedFile(MappingNode Root, bool SharesNodes);
