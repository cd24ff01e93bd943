using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Hosts.Checks;
using Stoker.Hosts.Layers.Shipped;

namespace Stoker.Hosts.Layers;

/// <summary>Reads <c>layers:</c>, whose shape has been checked.</summary>
internal sealed class LayerReader(EstateSpec estate, ReadContext context, DiagnosticBag bag)
{
    private static readonly TimeSpan CommandLimit = TimeSpan.FromMinutes(10), AnsibleLimit = TimeSpan.FromMinutes(30);
    private static readonly string[] Kinds = ["packages", "group", "user", "directory", "file", "absent", "command", "ansible"];

    private readonly CheckReader _checks = new(context.PathAt, bag);

    public LayersSpec Read(MappingNode section)
    {
        var layers = section.Named().Where(e => e.Value is MappingNode).ToDictionary(e => e.Name, e => Read(e.Name, e.Key, (MappingNode)e.Value));
        foreach (var layer in layers.Values) CheckNeeds(layer, layers);
        return new LayersSpec(InOrder(layers));
    }

    private LayerSpec Read(string name, ScalarNode key, MappingNode map)
    {
        var path = $"layers.{name}";
        var verify = _checks.Read(map.Map("verify"), $"{path}.verify");
        _checks.CheckNeeds(verify);
        var hosts = map.Strings("hosts").Select(h => new Positioned<HostName>(new HostName(h.Value), h.Where)).ToList();
        foreach (var (host, where) in hosts)
        {
            if (!estate.Hosts.ContainsKey(host)) bag.Add(LayerDiagnostics.UnknownHost, where, $"layer `{name}` is for unknown host `{host}`", HostReader.UnknownHostHint(host.Value, estate.Hosts));
        }

        var shipped = Shipped(name, map);
        return new LayerSpec(name, key.Where)
        {
            Uses = map.Text("use"),
            Description = map.Text("description") ?? shipped?.Layer.Summary,
            Hosts = hosts,
            Needs = map.Strings("needs"),
            Verify = [.. shipped?.Content.Verify.Where(c => verify.All(v => v.Name != c.Name)) ?? [], .. verify],
            Apply = [.. shipped?.Content.Apply ?? [], .. map.Items("apply").OfType<MappingNode>().Select((step, i) => Step(step, $"{path}.apply[{i}]")).OfType<LayerStep>()],
            Rollback = [.. shipped?.Content.Rollback ?? [], .. map.Items("rollback").Select((command, i) => Command(command, $"{path}.rollback[{i}]")).OfType<LayerStep.Command>()],
        };
    }

    private (ShippedLayer Layer, LayerContent Content)? Shipped(string name, MappingNode map)
    {
        if (map.PositionedText("use") is not { } use)
        {
            if (map.Find("with") is { } alone) bag.Add(LayerDiagnostics.UnknownParameter, alone.Where, $"layer `{name}` has `with` and uses no layer of Stoker's", "add `use`");
            return null;
        }

        if (ShippedLayers.Find(use.Value) is not { } layer)
        {
            bag.Add(LayerDiagnostics.UnknownShipped, use.Where, $"layer `{name}` uses unknown layer `{use.Value}`",
                Suggestion.For(use.Value, ShippedLayers.Names) ?? $"one of {string.Join(", ", ShippedLayers.Names)}");
            return null;
        }

        return (layer, layer.Make(new ShippedCall(layer, name, map.Map("with"), estate, map.Where, bag)));
    }

    private LayerStep? Step(MappingNode map, string path)
    {
        var kinds = Kinds.Where(kind => map.Find(kind) is not null).ToList();
        if (kinds is not [var kind])
        {
            bag.Add(LayerDiagnostics.NotOneKind, map.Where,
                kinds.Count == 0 ? $"`{path}` does not say what to see to" : $"`{path}` is of {kinds.Count} kinds: {string.Join(", ", kinds)}",
                kinds.Count == 0 ? $"one of {string.Join(", ", Kinds)}" : "make a step of each");
            return null;
        }

        var node = map.Find(kind)!;
        var of = node as MappingNode;
        var word = (node as ScalarNode)?.Value;
        return kind switch
        {
            "packages" => of is null ? new LayerStep.Packages(Texts(node), []) : new LayerStep.Packages(Texts(of.Find("present")), Texts(of.Find("absent"))),
            "group" when (word ?? of.Text("name")) is { } name => new LayerStep.UserGroup(name, of.Whole("gid")),
            "user" when (word ?? of.Text("name")) is { } name => new LayerStep.User(
                name, of.Whole("uid"), of.Text("group"), Texts(of?.Find("groups")), of.Text("home"), of.Text("shell"), of.Flag("system") ?? false),
            "directory" when Absolute(of, node, path) is { } at => new LayerStep.Directory(at, of.Text("owner") ?? "root", of.Text("group") ?? "root", of.Octal("mode") ?? 0x1ED),
            "file" => File(of, node, path),
            "absent" when Absolute(null, node, path) is { } at => new LayerStep.NoFile(at),
            "command" => Command(node, path),
            "ansible" => Ansible(of, path),
            _ => null,
        };
    }

    private LayerStep.File? File(MappingNode? map, Node node, string path)
    {
        if (Absolute(map, node, path) is not { } at) return null;
        var (content, source) = (map.Text("content"), map.PositionedText("source"));
        if (content is null == source is null)
        {
            bag.Add(LayerDiagnostics.NotOneContent, node.Where,
                content is null ? $"`{path}` does not say what is in the file" : $"`{path}` has `content` and `source`",
                "one of `content` and `source`");
            return null;
        }

        return new LayerStep.File(
            at, content, source is { } from ? context.PathAt(from.Value, from.Where) : null,
            map.Text("owner") ?? "root", map.Text("group") ?? "root", map.Octal("mode") ?? 0x1A4, map.Flag("secret") ?? false);
    }

    private LayerStep.Command? Command(Node node, string path)
    {
        var map = node as MappingNode;
        if (Words(map is null ? node : map.Find("run"), path) is not { } words) return null;
        return new LayerStep.Command(words, Words(map?.Find("unless"), path), Words(map?.Find("undo"), path), map.Duration("timeout") ?? CommandLimit);
    }

    private LayerStep.Ansible? Ansible(MappingNode? map, string path) =>
        Play(map, path) is { } run ? new LayerStep.Ansible(run, map?.Find("undo") is MappingNode undo ? Play(undo, $"{path}.undo") : null, map.Duration("timeout") ?? AnsibleLimit) : null;

    private AnsibleRun? Play(MappingNode? map, string path)
    {
        if (map is null) return null;
        var (role, playbook) = (map.PositionedText("role"), map.PositionedText("playbook"));
        if (role is null == playbook is null)
        {
            bag.Add(LayerDiagnostics.NotOnePlay, map.Where, role is null ? $"`{path}` has neither `role` nor `playbook`" : $"`{path}` has `role` and `playbook`", "one of the two");
            return null;
        }

        return new AnsibleRun(role is { } of ? context.PathAt(of.Value, of.Where) : null, playbook is { } at ? context.PathAt(at.Value, at.Where) : null, map.TextMap("variables"));
    }

    private List<string>? Words(Node? node, string path)
    {
        switch (node)
        {
            case null:
                return null;
            case ScalarNode { Value: { } text } when ShellWords.Split(text) is ShellWords.Outcome.Unbalanced unbalanced:
                bag.Add(LayerDiagnostics.InvalidCommand, node.Where, $"`{path}` has a command that cannot be split into words: {unbalanced.Problem}",
                    "write it as a list, one item a word, and no quoting is needed");
                return null;
            default:
                List<string> words = node is ScalarNode { Value: { } line } ? [.. ((ShellWords.Outcome.Words)ShellWords.Split(line)).List] : Texts(node);
                if (words is [{ Length: > 0 }, ..]) return words;
                bag.Add(LayerDiagnostics.InvalidCommand, node.Where, $"`{path}` has a command without a word");
                return null;
        }
    }

    private string? Absolute(MappingNode? map, Node node, string path)
    {
        if ((map?.PositionedText("path") ?? (node is ScalarNode { Value: { } word } ? new Positioned<string>(word, node.Where) : (Positioned<string>?)null)) is not { } written) return null;
        if (Path.IsPathRooted(written.Value)) return Path.GetFullPath(written.Value);
        bag.Add(LayerDiagnostics.RelativePath, written.Where, $"`{path}` is about `{written.Value}`, which does not begin at the root", $"as in `/etc/{Path.GetFileName(written.Value)}`");
        return null;
    }

    private void CheckNeeds(LayerSpec layer, Dictionary<string, LayerSpec> layers)
    {
        foreach (var need in layer.Needs)
        {
            if (!layers.TryGetValue(need.Value, out var other))
            {
                bag.Add(LayerDiagnostics.UnknownNeed, need.Where, $"layer `{layer.Name}` needs unknown layer `{need.Value}`", Suggestion.For(need.Value, layers.Keys) ?? "declare it in `layers`");
            }
            else if (estate.Hosts.Keys.FirstOrDefault(h => layer.IsFor(h) && !other.IsFor(h)) is { } host)
            {
                bag.Add(LayerDiagnostics.NeedElsewhere, need.Where, $"layer `{layer.Name}` needs `{need.Value}`, which is not for host `{host}`", $"add `{host}` to `layers.{need.Value}.hosts`");
            }
        }
    }

    /// <summary>As in the file, but each behind what it needs.</summary>
    private List<LayerSpec> InOrder(Dictionary<string, LayerSpec> layers)
    {
        var order = new List<LayerSpec>();
        var way = new List<LayerSpec>();
        foreach (var layer in layers.Values) Visit(layer);
        return order;

        void Visit(LayerSpec layer)
        {
            if (order.Contains(layer)) return;
            var at = way.IndexOf(layer);
            if (at >= 0)
            {
                var names = string.Join(" → ", way[at..].Append(layer).Select(l => $"`{l.Name}`"));
                bag.Add(LayerDiagnostics.Circle, layer.Where, $"layers need each other in a circle: {names}", "one of them has to come first");
                return;
            }

            way.Add(layer);
            foreach (var need in layer.Needs)
            {
                if (layers.TryGetValue(need.Value, out var other)) Visit(other);
            }

            way.Remove(layer);
            if (!order.Contains(layer)) order.Add(layer);
        }
    }

    private static List<string> Texts(Node? node) => [.. node.Strings().Select(s => s.Value)];
}
