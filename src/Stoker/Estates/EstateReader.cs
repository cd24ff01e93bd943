using Stoker.Diagnostics;
using Stoker.Estates.Keys;
using Stoker.Estates.Reading;

namespace Stoker.Estates;

/// <summary>
/// Makes specs of a merged and interpolated estate file. First the file is held to the key tables, which finds what is
/// misspelt, misplaced, unreadable or without effect; then the parts are read; then names are looked up. Every mistake is
/// reported, each once, and what is right is read even where something else is wrong.
/// </summary>
internal static class EstateReader
{
    /// <returns>The estate as far as it can be read; with errors in the bag it must not be run. Null: not even a mapping of services.</returns>
    public static EstateSpec? Read(MappingNode root, ReadContext context, DiagnosticBag bag)
    {
        new ShapeCheck(bag).Check(root, new Shape.Keyed(TopKeys.With(context.Sections)), KeyPath.Root);
        if (root.Find("services") is not null and not MappingNode) return null;

        var hosts = HostReader.ReadHosts(root);
        var secrets = MaterialReader.Read(root, "secrets", context, bag);
        var estate = new EstateSpec(ReadName(root, context, bag), context.File, context.Directory)
        {
            Environment = context.Environment,
            Hosts = hosts,
            Groups = HostReader.ReadGroups(root, hosts, bag),
            Secrets = secrets,
            Configs = MaterialReader.Read(root, "configs", context, bag),
            Volumes = MaterialReader.ReadVolumes(root),
            Networks = MaterialReader.ReadNetworks(root),
            Sections = context.Sections.Where(s => root.Find(s.Name) is not null).ToDictionary(s => s.Name, s => root.Find(s.Name)!),
            Services = ReadServices(root, context, secrets, bag),
        };
        foreach (var section in context.Sections)
        {
            if (section.Expand is { } expand)
                estate = expand(estate, new SectionSource(root.Find(section.Name) as MappingNode, context, bag));
        }

        new ReferenceCheck(estate, bag).Check();
        return estate;
    }

    private static Dictionary<ServiceName, ServiceSpec> ReadServices(
        MappingNode root, ReadContext context, IReadOnlyDictionary<string, MaterialSpec> secrets, DiagnosticBag bag)
    {
        var services = new Dictionary<ServiceName, ServiceSpec>();
        foreach (var (text, key, value) in root.Named("services"))
        {
            if (value is not MappingNode map) continue;
            var name = new ServiceName(text);
            services[name] = ServiceReader.Read(new ServiceSource(name, key.Where, map, context, bag), secrets);
        }

        return services;
    }

    /// <summary>A directory's name is made to fit, as Compose does; a declared name has to fit as it is.</summary>
    private static string ReadName(MappingNode root, ReadContext context, DiagnosticBag bag)
    {
        if (root.PositionedText("name") is { Value.Length: > 0 } name)
        {
            if (Fitted(name.Value) != name.Value)
            {
                bag.Add(EstateDiagnostics.InvalidName, name.Where, $"`{name.Value}` cannot be the name of an estate",
                    $"lower-case letters, digits, `-` and `_`, as in `{Fitted(name.Value)}`");
            }

            return name.Value;
        }

        return Fitted(context.DefaultName);
    }

    private static string Fitted(string name)
    {
        var kept = string.Concat(name.ToLowerInvariant().Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')).TrimStart('-', '_');
        return kept.Length == 0 ? "estate" : kept;
    }
}
