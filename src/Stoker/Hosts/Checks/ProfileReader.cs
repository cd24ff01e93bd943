using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Keys;
using Stoker.Estates.Reading;
using Stoker.Estates.Yaml;

namespace Stoker.Hosts.Checks;

/// <summary>
/// Reads profiles and puts the checks of those that they include before their own. A profile of the name of one that Stoker has takes its place, and may include it.
/// </summary>
internal static class ProfileReader
{
    /// <summary>Those that Stoker has, read from the same text that <c>stoker doctor --show</c> prints.</summary>
    public static IReadOnlyDictionary<string, ProfileSpec> BuiltIn()
    {
        var bag = new DiagnosticBag();
        var root = NodeParser.Parse(BuiltInProfiles.Text, "built-in profiles", bag)?.Root;
        var section = root?.Find("doctor") as MappingNode;
        if (section is not null) new ShapeCheck(bag).Check(section, CheckKeys.Profiles, KeyPath.Root.Key("doctor"));
        var profiles = section is null ? [] : ReadAll(section, new CheckReader((path, _) => path, bag), bag, new Dictionary<string, ProfileSpec>());
        return bag.HasErrors ? throw new InvalidOperationException($"the built-in profiles are wrong: {string.Join("; ", bag.Sorted())}") : profiles;
    }

    public static IReadOnlyDictionary<string, ProfileSpec> Read(MappingNode section, CheckReader reader, DiagnosticBag bag)
    {
        var builtIn = BuiltIn();
        var own = ReadAll(section, reader, bag, builtIn);
        foreach (var (name, profile) in builtIn) own.TryAdd(name, profile);
        return own;
    }

    private static Dictionary<string, ProfileSpec> ReadAll(MappingNode section, CheckReader reader, DiagnosticBag bag, IReadOnlyDictionary<string, ProfileSpec> builtIn)
    {
        var written = section.Named().ToDictionary(e => e.Name, e => (e.Key, Map: e.Value as MappingNode));
        var own = written.ToDictionary(e => e.Key, e => reader.Read(e.Value.Map.Map("checks"), $"doctor.{e.Key}.checks"));
        var read = new Dictionary<string, ProfileSpec>();
        foreach (var (name, (key, map)) in written)
        {
            var checks = Collect(name, []);
            reader.CheckNeeds(checks);
            read[name] = new ProfileSpec(name, map.Text("description"), checks, map.Duration("budget"), key.Where);
        }

        return read;

        List<CheckSpec> Collect(string name, HashSet<string> way)
        {
            var all = new Dictionary<string, CheckSpec>();
            foreach (var include in written[name].Map.Strings("includes"))
            {
                foreach (var check in Included(name, include, way)) all[check.Name] = check;
            }

            foreach (var check in own[name]) all[check.Name] = check;
            return [.. all.Values];
        }

        IReadOnlyList<CheckSpec> Included(string name, Positioned<string> include, HashSet<string> way)
        {
            // Its own name means the one that it takes the place of.
            if (include.Value != name && written.ContainsKey(include.Value) && !way.Contains(include.Value)) return Collect(include.Value, [.. way, name]);
            if (!way.Contains(include.Value) && builtIn.TryGetValue(include.Value, out var known)) return known.Checks;
            var isCircle = include.Value == name || way.Contains(include.Value);
            bag.Add(CheckDiagnostics.UnknownProfile, include.Where, isCircle ? $"profile `{name}` includes itself" : $"profile `{name}` includes unknown profile `{include.Value}`",
                isCircle ? null : Suggestion.For(include.Value, written.Keys.Concat(builtIn.Keys)) ?? "declare it in `doctor`");
            return [];
        }
    }
}
