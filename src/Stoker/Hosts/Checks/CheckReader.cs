using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;

namespace Stoker.Hosts.Checks;

/// <summary>Reads checks by name, whose shape has been checked.</summary>
/// <param name="pathAt">Makes a path absolute that was written at a place.</param>
internal sealed class CheckReader(Func<string, SourcePosition, string> pathAt, DiagnosticBag bag)
{
    private static readonly string[] Kinds =
        ["file", "mount", "package", "service", "port", "user", "group", "kernel_parameter", "command", "http", "dns", "gpu", "fact"];

    /// <param name="path">Where they stand, for messages: <c>hosts.mainpc.checks</c>.</param>
    public IReadOnlyList<CheckSpec> Read(MappingNode? checks, string path) =>
        [.. checks.Named().Select(entry => entry.Value is MappingNode map ? Read(entry.Name, entry.Key, map, $"{path}.{entry.Name}") : null).OfType<CheckSpec>()];

    /// <summary>Whether every check that another needs is in the list, and none waits for itself.</summary>
    public void CheckNeeds(IReadOnlyList<CheckSpec> checks)
    {
        var byName = checks.ToDictionary(c => c.Name);
        foreach (var check in checks)
        {
            foreach (var need in check.Needs)
            {
                if (byName.ContainsKey(need.Value)) continue;
                bag.Add(CheckDiagnostics.UnknownNeed, need.Where, $"check `{check.Name}` needs unknown check `{need.Value}`",
                    Suggestion.For(need.Value, byName.Keys) ?? "it has to be in the same list");
            }
        }

        if (Circle(byName) is { } circle)
        {
            var names = string.Join(" → ", circle.Append(circle[0]).Select(c => $"`{c.Name}`"));
            bag.Add(CheckDiagnostics.Circle, circle[0].Where, $"checks need each other in a circle: {names}", "one of them has to come first");
        }
    }

    private CheckSpec? Read(string name, ScalarNode key, MappingNode map, string path)
    {
        var kinds = Kinds.Where(kind => map.Find(kind) is not null).ToList();
        if (kinds is not [var kind])
        {
            bag.Add(CheckDiagnostics.NotOneKind, key.Where, kinds.Count == 0 ? $"check `{name}` does not say what to look at" : $"check `{name}` is of {kinds.Count} kinds: {string.Join(", ", kinds)}",
                kinds.Count == 0 ? $"one of {string.Join(", ", Kinds)}" : "make a check of each");
            return null;
        }

        if (Subject(kind, map.Find(kind)!, $"{path}.{kind}") is not { } subject) return null;
        var usual = new CheckSpec(name, subject, key.Where);
        return usual with
        {
            Description = map.Text("description"),
            Needs = map.Strings("needs"),
            Retries = map.Int("retries") ?? 0,
            Interval = map.Duration("interval") ?? usual.Interval,
            Timeout = map.Duration("timeout") ?? usual.Timeout,
            Hint = map.Text("hint"),
        };
    }

    private CheckSubject? Subject(string kind, Node node, string path)
    {
        var map = node as MappingNode;
        var word = (node as ScalarNode)?.Value;
        return kind switch
        {
            "file" => File(map, word, node, path),
            "mount" when (word ?? map.Text("path")) is { } at => new CheckSubject.Mount(
                pathAt(at, node.Where), map.Flag("mounted") ?? true, Expect(map, "source", path), Expect(map, "type", path), ExpectAll(map, "options", path),
                Expect(map, "size", path), Expect(map, "free", path)),
            "package" when (word ?? map.Text("name")) is { } name => new CheckSubject.Package(name, map.Flag("installed") ?? true, Expect(map, "version", path)),
            "service" when (word ?? map.Text("name")) is { } name => new CheckSubject.Service(name.Contains('.') ? name : $"{name}.service", map.Flag("running") ?? true, map.Flag("enabled")),
            "port" when (word is not null ? (int?)Scalars.Whole(word) : map.Int("port")) is { } port => new CheckSubject.Port(
                port, map.Text("protocol") ?? "tcp", map.Text("host"), map.Flag("open") ?? true, map.Text("address")),
            "user" when (word ?? map.Text("name")) is { } name => new CheckSubject.User(
                name, map.Flag("exists") ?? true, map.Whole("uid"), map.Text("group"), [.. map.Strings("groups").Select(g => g.Value)], map.Text("home"), map.Text("shell")),
            "group" when (word ?? map.Text("name")) is { } name => new CheckSubject.GroupOfUsers(name, map.Flag("exists") ?? true, map.Whole("gid"), [.. map.Strings("members").Select(m => m.Value)]),
            "kernel_parameter" when map.Text("name") is { } name && Expect(map, "is", path) is { } value => new CheckSubject.KernelParameter(name, value),
            "command" => Command(map, node, path),
            "http" => Http(map, word, node, path),
            "dns" when (word ?? map.Text("name")) is { } name => new CheckSubject.Dns(name, map.Flag("resolves") ?? true, [.. map.Strings("addresses").Select(a => a.Value)]),
            "gpu" when map is not null => new CheckSubject.Gpu(
                Expect(map, "count", path) ?? Expectation.Parse(">=1", out _)!, Expect(map, "model", path), Expect(map, "memory", path), Expect(map, "driver", path), Expect(map, "cuda", path)),
            "fact" when map.Text("path") is { } fact && Expect(map, "is", path) is { } value => new CheckSubject.Fact(fact, value),
            _ => null,
        };
    }

    private CheckSubject.File? File(MappingNode? map, string? word, Node node, string path)
    {
        if ((word ?? map.Text("path")) is not { } at) return null;
        var exists = map.Flag("exists") ?? true;
        if (!exists && map!.Entries.FirstOrDefault(e => e.Key.Value is not ("path" or "exists")).Key is { } other)
        {
            bag.Add(CheckDiagnostics.Contradiction, other.Where, $"`{path}` says that the file must not be there, and what its `{other.Value}` must be", "keep one of them");
            return null;
        }

        return new CheckSubject.File(
            pathAt(at, node.Where), exists, map.Text("type"), map.Octal("mode"), map.Text("owner"), map.Text("group"), Expect(map, "size", path), ExpectAll(map, "contains", path),
            map.Text("sha256")?.ToLowerInvariant(), map.Text("link_to"));
    }

    private CheckSubject.Command? Command(MappingNode? map, Node node, string path)
    {
        var run = map is null ? node : map.Find("run");
        IReadOnlyList<string> words = [];
        if (run is ScalarNode { Value: { } text })
        {
            if (ShellWords.Split(text) is ShellWords.Outcome.Unbalanced unbalanced)
            {
                bag.Add(CheckDiagnostics.InvalidSubject, run.Where, $"`{path}` cannot be split into words: {unbalanced.Problem}", "write it as a list, one item a word, and no quoting is needed");
                return null;
            }

            words = ((ShellWords.Outcome.Words)ShellWords.Split(text)).List;
        }
        else if (run is SequenceNode list)
        {
            words = [.. list.Items.OfType<ScalarNode>().Select(i => i.Value ?? "")];
        }

        if (words is [{ Length: > 0 }, ..]) return new CheckSubject.Command(words, map.Int("exit") ?? 0, ExpectAll(map, "output", path), Expect(map, "version", path));
        if (run is not null) bag.Add(CheckDiagnostics.InvalidSubject, run.Where, $"`{path}` has no word to run");
        return null;
    }

    private CheckSubject.Http? Http(MappingNode? map, string? word, Node node, string path)
    {
        if ((word ?? map.Text("url")) is not { } text) return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https") return new CheckSubject.Http(url, map.Int("status"), ExpectAll(map, "body", path));
        bag.Add(CheckDiagnostics.InvalidSubject, (map.PositionedText("url")?.Where) ?? node.Where, $"`{path}` asks for `{text}`, which is no URL", "as in `http://127.0.0.1:8000/health`");
        return null;
    }

    private Expectation? Expect(MappingNode? map, string key, string path) => map.PositionedText(key) is { Value.Length: > 0 } text ? Expect(text, $"{path}.{key}") : null;

    private List<Expectation> ExpectAll(MappingNode? map, string key, string path) =>
        [.. map.Strings(key).Select(text => Expect(text, $"{path}.{key}")).OfType<Expectation>()];

    private Expectation? Expect(Positioned<string> text, string path)
    {
        var expectation = Expectation.Parse(text.Value, out var problem);
        if (expectation is null) bag.Add(CheckDiagnostics.InvalidExpectation, text.Where, $"`{path}` cannot be `{text.Value}`: {problem}", "a value, `!value`, `/regex/`, or a range as in `>=1.2 <2`");
        return expectation;
    }

    private static List<CheckSpec>? Circle(Dictionary<string, CheckSpec> checks)
    {
        var done = new HashSet<string>();
        foreach (var check in checks.Values)
        {
            if (Walk(check, [], checks, done) is { } circle) return circle;
        }

        return null;
    }

    private static List<CheckSpec>? Walk(CheckSpec check, List<CheckSpec> way, Dictionary<string, CheckSpec> checks, HashSet<string> done)
    {
        var at = way.IndexOf(check);
        if (at >= 0) return way[at..];
        if (!done.Add(check.Name)) return null;
        way.Add(check);
        foreach (var need in check.Needs)
        {
            if (checks.TryGetValue(need.Value, out var next) && Walk(next, way, checks, done) is { } circle) return circle;
        }

        way.RemoveAt(way.Count - 1);
        return null;
    }
}
