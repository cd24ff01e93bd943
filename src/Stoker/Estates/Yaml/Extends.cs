using System.Collections.Immutable;
using Stoker.Diagnostics;

namespace Stoker.Estates.Yaml;

/// <summary>
/// Resolves <c>extends: base</c> and <c>extends: {service: base, file: other.yaml}</c>: the service is merged on top of the one it
/// extends, by the rules for files, <c>depends_on</c> included. Values from the other file keep their place in it, so that its
/// relative paths start from its own directory.
/// </summary>
internal sealed class Extends(SourceFiles files, NodeMerge merge, DiagnosticBag bag)
{
    private const int LongestChain = 100;

    private static readonly string[] Keys = ["service", "file"];

    private readonly Dictionary<(string Path, VariableScope Scope), ServiceTable?> _tables = [];

    /// <summary>The file with every <c>extends</c> of its services resolved and gone.</summary>
    public MappingNode Resolve(ServiceTable table)
    {
        if (table.Root.Find("services") is not MappingNode services || !services.Entries.Any(e => Asked(e.Value) is not null)) return table.Root;
        _tables[(table.Path, table.Scope)] = table;
        var resolved = services with
        {
            Entries = [.. services.Entries.Select(e => new KeyValuePair<ScalarNode, Node>(e.Key, Resolve(table, e.Key.Value!, [])!))],
        };
        return table.Root with
        {
            Entries = [.. table.Root.Entries.Select(e => e.Key.Value == "services" ? new KeyValuePair<ScalarNode, Node>(e.Key, resolved) : e)],
        };
    }

    private static Node? Asked(Node service) => (service as MappingNode)?.Find("extends");

    private Node? Resolve(ServiceTable table, string name, ImmutableList<(ServiceTable Table, string Name)> chain)
    {
        if (table.Resolved.TryGetValue(name, out var known)) return known;
        if (table.Own(name) is not { } service) return table.FromBelow(name);
        var result = service;
        if (Asked(service) is { } extends)
        {
            var own = (MappingNode)service;
            own = own with { Entries = [.. own.Entries.Where(e => e.Key.Value != "extends")] };
            result = Base(table, name, extends, chain) is MappingNode found ? merge.Service(name, MergeMarks.Settle(found), own) : own;
        }

        // Inside a cycle the innermost result is not everybody's; the cycle is an error, so any result will do.
        table.Resolved[name] = result;
        return result;
    }

    private Node? Base(ServiceTable table, string name, Node extends, ImmutableList<(ServiceTable Table, string Name)> chain)
    {
        if (extends is ScalarNode { Value: null } || extends.Mark == MergeMark.Reset) return null;
        if (Read(extends) is not var (service, file)) return null;
        var path = file is null ? table.Path : PathList.Absolute(file.Value!, files.Directories.GetValueOrDefault(file.Where.File, table.Directory));
        var target = Table(table, path, file);
        if (target is null) return null;
        chain = chain.Add((table, name));
        if (IsRefused(chain, target, service)) return null;

        var found = Resolve(target, service.Value!, chain);
        if (found is null)
        {
            var where = target == table ? "" : $" in `{files.NameOf(target.Path)}`";
            bag.Add(YamlDiagnostics.UnknownExtended, service.Where, $"service `{name}` extends unknown service `{service.Value}`{where}", Suggestion.For(service.Value!, target.Names));
        }

        return found;
    }

    private (ScalarNode Service, ScalarNode? File)? Read(Node extends)
    {
        if (extends is ScalarNode { Value: { Length: > 0 } } name) return (name, null);
        if (extends is not MappingNode mapping)
        {
            bag.Add(YamlDiagnostics.BadExtends, extends.Where, $"`extends` is {NodeKind.Of(extends)}, not a service's name", "write `extends: {service: name, file: other.yaml}`");
            return null;
        }

        foreach (var (key, _) in mapping.Entries)
        {
            if (!Keys.Contains(key.Value) && !key.Value!.StartsWith("x-", StringComparison.Ordinal))
                bag.Add(YamlDiagnostics.BadExtends, key.Where, $"`extends` has no key `{key.Value}`", Suggestion.For(key.Value, Keys) ?? "it has `service` and `file`");
        }

        if (mapping.Find("service") is not ScalarNode { Value: { Length: > 0 } } service)
        {
            bag.Add(YamlDiagnostics.BadExtends, extends.Where, "this `extends` names no `service`");
            return null;
        }

        var file = mapping.Find("file");
        if (file is null or ScalarNode { Value: null }) return (service, null);
        if (file is ScalarNode { Value: { Length: > 0 } } path) return (service, path);
        bag.Add(YamlDiagnostics.BadExtends, file.Where, $"`file` is {NodeKind.Of(file)}, not a path");
        return null;
    }

    /// <summary>The table of the file extended from; its includes are not followed, as in Compose.</summary>
    private ServiceTable? Table(ServiceTable asking, string path, ScalarNode? file)
    {
        if (path == asking.Path) return asking;
        if (_tables.TryGetValue((path, asking.Scope), out var known)) return known;
        var directory = Path.GetDirectoryName(path)!;
        var root = files.Load(path, directory, asking.Scope, file?.Where);
        var table = root is null ? null : new ServiceTable(path, root, null, directory, asking.Scope);
        _tables.Add((path, asking.Scope), table);
        return table;
    }

    private bool IsRefused(ImmutableList<(ServiceTable Table, string Name)> chain, ServiceTable target, ScalarNode service)
    {
        var first = chain.FindIndex(link => link.Table == target && link.Name == service.Value);
        if (first >= 0)
        {
            var names = chain.Skip(first).Append((Table: target, Name: service.Value!)).Select(link => $"`{Shown(link.Table, link.Name, chain[0].Table)}`");
            bag.Add(YamlDiagnostics.ExtendsCycle, service.Where, $"services extend each other: {string.Join(" → ", names)}", "remove one of these `extends`");
            return true;
        }

        if (chain.Count <= LongestChain) return false;
        bag.Add(YamlDiagnostics.ExtendsTooLong, service.Where, $"this chain of `extends` is longer than {LongestChain}");
        return true;
    }

    private string Shown(ServiceTable table, string name, ServiceTable home) => table == home ? name : $"{files.NameOf(table.Path)}: {name}";
}
