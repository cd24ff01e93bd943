using Stoker.Diagnostics;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using Entry = System.Collections.Generic.KeyValuePair<Stoker.Estates.ScalarNode, Stoker.Estates.Node>;

namespace Stoker.Estates.Yaml;

/// <summary>
/// One YAML document to positioned nodes, from the events of the YAML parser: nothing is guessed from the shape of objects, and
/// depth and alias expansion are bounded while reading, before anything is built. One instance reads one file.
/// </summary>
internal sealed class NodeParser
{
    /// <summary>Compose files are rarely deeper than ten; later stages recurse and rely on this bound.</summary>
    public const int DeepestNesting = 100;

    /// <summary>How many nodes aliases may stand for in one file.</summary>
    public const int LargestExpansion = 200_000;

    private readonly string _file;
    private readonly DiagnosticBag _bag;
    private readonly Scanner _scanner;
    private readonly Parser _parser;
    private readonly ScalarReader _scalars;
    private readonly Anchors _anchors = new();
    private readonly List<Entry> _entries = [];
    private readonly List<Node> _items = [];
    private int _count;

    private NodeParser(string text, string file, DiagnosticBag bag)
    {
        _file = file;
        _bag = bag;
        _scanner = new Scanner(new StringReader(text), skipComments: true);
        _parser = new Parser(_scanner);
        _scalars = new ScalarReader(file, bag);
    }

    /// <summary>The file's mapping, or null when a diagnostic says why there is none.</summary>
    public static ParsedFile? Parse(string text, string file, DiagnosticBag bag)
    {
        var parser = new NodeParser(text, file, bag);
        try
        {
            return parser.ReadStream();
        }
        catch (YamlException e)
        {
            YamlSyntax.Report(e, text, file, bag);
            return null;
        }
    }

    private void Next()
    {
        try
        {
            _parser.MoveNext();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or FormatException or OverflowException)
        {
            // YamlDotNet 16.3 fails so on some input that is no YAML, `[a, #b]` among it; the input is what is wrong.
            throw new SyntaxErrorException(_scanner.CurrentPosition, _scanner.CurrentPosition, $"this is not valid YAML: {e.Message}");
        }
    }

    private ParsedFile? ReadStream()
    {
        Next();
        Next();
        if (_parser.Current is StreamEnd) return Nothing(new SourcePosition(_file, 1, 1));
        Next();
        var root = Read(1, out _);
        if (root is null) return null;
        Next();
        if (_parser.Current is DocumentStart second)
        {
            _bag.Add(YamlDiagnostics.SecondDocument, At(second.Start), "a second document begins here", "one file holds one estate; `include` the other part");
            return null;
        }

        switch (root)
        {
            case MappingNode mapping:
                return new ParsedFile(mapping, _anchors.WereUsed);
            case ScalarNode { Value: null }:
                return Nothing(root.Where);
            default:
                _bag.Add(YamlDiagnostics.NotAMapping, root.Where, $"the file is {NodeKind.Of(root)}, not a mapping", "it begins with keys such as `services:`");
                return null;
        }
    }

    private ParsedFile Nothing(SourcePosition where)
    {
        _bag.Add(YamlDiagnostics.Empty, where, "the file declares nothing");
        return new ParsedFile(new MappingNode([], where), false);
    }

    /// <summary>
    /// The node of the current event, which it consumes; null when reading has to stop, which is then reported. A node's height is
    /// the number of levels below it: an alias may stand only where its whole subtree stays within the bound.
    /// </summary>
    private Node? Read(int depth, out int height)
    {
        height = 0;
        _count++;
        if (depth > DeepestNesting)
        {
            _bag.Add(YamlDiagnostics.TooDeep, At(_parser.Current!.Start), $"YAML is nested deeper than {DeepestNesting} levels here");
            return null;
        }

        if (_parser.Current is AnchorAlias alias) return ReadAlias(alias, depth, out height);
        if (_parser.Current is not NodeEvent start) throw Missing(_parser.Current!);
        var before = _count;
        if (!start.Anchor.IsEmpty) _anchors.Open(start.Anchor.Value);
        Node? node = start switch
        {
            Scalar scalar => ReadScalar(scalar),
            SequenceStart sequence => ReadSequence(sequence, depth, out height),
            MappingStart mapping => ReadMapping(mapping, depth, out height),
            _ => throw Missing(start),
        };
        if (node is not null && !start.Anchor.IsEmpty) _anchors.Close(start.Anchor.Value, node, _count - before + 1, height);
        return node;
    }

    // The parser ends a mapping without its last value, `{a: 1, : }` among others, instead of refusing it.
    private static SyntaxErrorException Missing(ParsingEvent found) => new(found.Start, found.End, "a key or a value is missing here");

    private ScalarNode ReadScalar(Scalar scalar)
    {
        Next();
        return _scalars.Read(scalar);
    }

    private Node? ReadAlias(AnchorAlias alias, int depth, out int height)
    {
        height = 0;
        Next();
        var name = alias.Value.Value;
        if (_anchors.Find(name) is not { } anchor)
        {
            var inside = _anchors.IsOpen(name);
            _bag.Add(YamlDiagnostics.BadAlias, At(alias.Start),
                inside ? $"alias `*{name}` stands inside its own anchor" : $"alias `*{name}` has no anchor before it",
                inside || Suggestion.Nearest(name, _anchors.Names) is not { } near ? null : $"did you mean `*{near}`?");
            return inside ? null : new ScalarNode(null, true, At(alias.Start));
        }

        if (depth + anchor.Height > DeepestNesting)
        {
            _bag.Add(YamlDiagnostics.TooDeep, At(alias.Start), $"with `*{name}`, YAML is nested deeper than {DeepestNesting} levels here");
            return null;
        }

        _count += anchor.Size;
        if (!_anchors.Use(anchor))
        {
            _bag.Add(YamlDiagnostics.AliasBomb, At(alias.Start), $"aliases expand to more than {LargestExpansion:N0} values here", "write the values out, or drop the alias");
            return null;
        }

        height = anchor.Height;
        return anchor.Node;
    }

    private SequenceNode? ReadSequence(SequenceStart start, int depth, out int height)
    {
        height = 0;
        var mark = _scalars.MarkOf(start, "seq");
        Next();
        var first = _items.Count;
        while (_parser.Current is not SequenceEnd)
        {
            var item = Read(depth + 1, out var itemHeight);
            if (item is null) return null;
            height = Math.Max(height, itemHeight + 1);
            _items.Add(item);
        }

        Next();
        Node[] items = [.. _items[first..]];
        _items.RemoveRange(first, _items.Count - first);
        return new SequenceNode(items, At(start.Start)) { Mark = mark };
    }

    private MappingNode? ReadMapping(MappingStart start, int depth, out int height)
    {
        height = 0;
        var mark = _scalars.MarkOf(start, "map");
        Next();
        var first = _entries.Count;
        var keys = new KeySet(_entries, first);
        var mergeAt = -1;
        while (_parser.Current is not MappingEnd)
        {
            var isMerge = _parser.Current is Scalar { Value: "<<", Style: ScalarStyle.Plain };
            if (!ReadKey(depth, out var key)) return null;
            var value = Read(depth + 1, out var valueHeight);
            if (value is null) return null;
            height = Math.Max(height, valueHeight + 1);
            if (key is null || !keys.IsNew(key, _bag)) continue;
            if (isMerge) mergeAt = _entries.Count - first;
            _entries.Add(new Entry(key, value));
        }

        Next();
        Entry[] entries = [.. _entries[first..]];
        _entries.RemoveRange(first, _entries.Count - first);
        if (mergeAt >= 0) entries = MergeKey.Expand(entries, mergeAt, _bag);
        return new MappingNode(entries, At(start.Start)) { Mark = mark };
    }

    /// <summary>False: stop. A key that is no text is reported, its value is read and dropped.</summary>
    private bool ReadKey(int depth, out ScalarNode? key)
    {
        key = null;
        var start = _parser.Current!.Start;
        var written = _parser.Current as Scalar;
        var node = Read(depth + 1, out _);
        if (node is null) return false;
        key = (node, written) switch
        {
            (ScalarNode { Value: { } } text, _) => text,
            (ScalarNode, { Value.Length: > 0 }) => new ScalarNode(written.Value, true, node.Where),
            _ => null,
        };
        if (key is null)
        {
            var found = node is ScalarNode ? "empty" : NodeKind.Of(node);
            _bag.Add(YamlDiagnostics.BadKey, At(start), $"this key is {found}, not text", "a value that begins with `{` or `[` needs quotes");
        }

        return true;
    }

    private SourcePosition At(Mark mark) => new(_file, (int)mark.Line, (int)mark.Column);
}
