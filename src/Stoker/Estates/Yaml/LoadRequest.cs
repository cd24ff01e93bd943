namespace Stoker.Estates.Yaml;

/// <summary>What to load.</summary>
/// <param name="Files">Absolute paths; several are merged in order, each on top of those before it.</param>
/// <param name="ProjectDirectory">Where relative paths of these files start; null: the first file's directory.</param>
/// <param name="EnvironmentName">The entry of <c>environments:</c> whose overlays are merged last (<c>--env</c>), or null.</param>
/// <param name="Variables">The caller's environment; it wins over <c>.env</c>.</param>
internal sealed record LoadRequest(
    IReadOnlyList<string> Files,
    string? ProjectDirectory,
    string? EnvironmentName,
    IReadOnlyDictionary<string, string> Variables);
