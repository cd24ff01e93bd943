using Stoker.Estates;

namespace Stoker.Tests.Estates;

/// <summary>What is expected of one key of the Compose specification.</summary>
/// <param name="Path">As the schema has it: <c>*</c> stands for a name, <c>[]</c> for an item.</param>
/// <param name="Yaml">A file, or the keys of a service, that uses it.</param>
internal abstract record ComposeKey(string Path, string Yaml)
{
    public bool IsOfService => Path.StartsWith("services.*.", StringComparison.Ordinal);

    /// <summary>It has this effect, and nothing is said about it, in a container and for a process.</summary>
    internal sealed record Honoured(string Path, string Yaml, Func<EstateSpec, bool> Effect) : ComposeKey(Path, Yaml);

    /// <summary>It has this effect in a container; for a process there is a warning.</summary>
    internal sealed record ForContainers(string Path, string Yaml, Func<ServiceSpec, bool> Effect) : ComposeKey(Path, Yaml);

    /// <summary>A warning says what will not happen; the same goes for all keys below it.</summary>
    internal sealed record Warned(string Path, string Yaml) : ComposeKey(Path, Yaml);

    /// <summary>An error says why; the same goes for all keys below it.</summary>
    internal sealed record Refused(string Path, string Yaml) : ComposeKey(Path, Yaml);

    public static ComposeKey Service(string key, string yaml, Func<ServiceSpec, bool> effect) =>
        new Honoured($"services.*.{key}", yaml, estate => effect(estate.Services[new ServiceName("a")]));

    public static ComposeKey Top(string path, string yaml, Func<EstateSpec, bool> effect) => new Honoured(path, yaml, effect);

    public static ComposeKey Container(string key, string yaml, Func<ServiceSpec, bool> effect) => new ForContainers($"services.*.{key}", yaml, effect);

    /// <summary>A key that becomes exactly this option of <c>run</c>.</summary>
    public static ComposeKey Option(string key, string yaml, params string[] options) =>
        Container(key, yaml, s => options.All(o => s.ContainerOptions.Contains(o)));

    /// <summary>A key that becomes exactly these options of <c>build</c>.</summary>
    public static ComposeKey BuildOption(string key, string yaml, params string[] options) =>
        new Built($"services.*.build.{key}", $"build: {{context: ., {yaml}}}", b => options.All(o => b.Options.Contains(o)));

    public static ComposeKey Build(string key, string yaml, Func<BuildSpec, bool> effect) => new Built($"services.*.build{key}", yaml, effect);

    /// <summary>It is about the image that is built: the service has no other.</summary>
    internal sealed record Built(string Path, string Yaml, Func<BuildSpec, bool> Effect) : ComposeKey(Path, Yaml);

    public static ComposeKey Warns(string path, string yaml) => new Warned(path, yaml);

    public static ComposeKey Refuses(string path, string yaml) => new Refused(path, yaml);
}
