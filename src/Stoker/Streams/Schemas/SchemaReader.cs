using System.Text;
using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

/// <summary>Reads a schema's tape into nodes. One use each. What is wrong is collected with its path; a keyword that is not known is wrong.</summary>
internal sealed class SchemaReader(SchemaOptions options)
{
    public const string UnknownKeyword = "unknown_keyword", BadKeyword = "bad_keyword", BadReference = "bad_reference";

    private readonly Dictionary<int, SchemaNode> _nodes = [];
    private readonly MistakeList _problems = new();
    private readonly List<int> _offsets = [];
    private readonly JsonScanner _scanner = new();
    private readonly List<(SchemaNode From, int Token)> _references = [];

    public IReadOnlyList<Mistake> Problems => _problems.Kept;

    /// <summary>Where the problems are, one for each, in bytes from the text's beginning.</summary>
    public IReadOnlyList<int> Offsets => _offsets;

    public SchemaOptions Options => options;

    public JsonTape Tape => _scanner.Tape;

    /// <summary>Names of <c>$anchor</c>, and the schemas they are of.</summary>
    public Dictionary<string, int> Anchors { get; } = [];

    /// <summary>The schema's own <c>$id</c>.</summary>
    public string? Id { get; set; }

    public JsonSchema? Read(ReadOnlyMemory<byte> text)
    {
        if (_scanner.Scan(text) is { IsNone: false } fault)
        {
            _problems.Add("$", MistakeCodes.NotJson, fault.Message);
            _offsets.Add(fault.Offset);
            return null;
        }

        foreach (var remark in _scanner.Remarks)
        {
            Problem(remark.Token, BadKeyword, $"{remark.Kind} cannot be taken in a schema");
            return null;
        }

        var root = Compile(0);
        for (var i = 0; i < _references.Count; i++) Resolve(_references[i].From, _references[i].Token);
        if (_problems.Count == 0) FindEndless();
        return _problems.Count > 0 ? null : new JsonSchema(root, Tape);
    }

    public SchemaNode Compile(int token)
    {
        if (_nodes.TryGetValue(token, out var known)) return known;
        var node = _nodes[token] = new SchemaNode();
        switch (Tape.Kind(token))
        {
            case JsonKind.True or JsonKind.False:
                node.Always = Tape.Kind(token) == JsonKind.True;
                break;
            case JsonKind.Object:
                for (var name = token + 1; name < Tape.Next(token); name = Tape.Next(name + 1)) ReadKeyword(node, token, name);
                break;
            default:
                Problem(token, BadKeyword, "a schema is an object, `true` or `false`", got: JsonPath.Show(Tape, token));
                break;
        }

        return node;
    }

    /// <summary>A reference is resolved when everything is read.</summary>
    public void Refer(SchemaNode from, int token) => _references.Add((from, token));

    public void Problem(int token, string code, string message, string? expected = null, string? got = null)
    {
        _problems.Add(Tape, 0, token, code, message, expected, got);
        _offsets.Add(Tape.Kind(token) is JsonKind.String or JsonKind.Name ? Tape.Start(token) - 1 : Tape.Start(token));
    }

    private void ReadKeyword(SchemaNode node, int schema, int name)
    {
        var keyword = Tape.TextOf(name);
        var isKnown = ValueKeywords.Read(this, node, keyword, name + 1)
            || ObjectKeywords.Read(this, node, keyword, name + 1)
            || ArrayKeywords.Read(this, node, keyword, name + 1)
            || PlaceKeywords.Read(this, node, keyword, schema, name + 1);
        if (!isKnown) Problem(name, UnknownKeyword, $"`{keyword}` is not a keyword that is checked here{PlaceKeywords.Instead(keyword)}");
    }

    private void Resolve(SchemaNode from, int token)
    {
        var reference = Tape.TextOf(token);
        var hash = reference.IndexOf('#', StringComparison.Ordinal);
        var (document, fragment) = hash < 0 ? (reference, "") : (reference[..hash], reference[(hash + 1)..]);
        if (document.Length > 0 && document != Id?.TrimEnd('#'))
        {
            Problem(token, BadReference, "only what is in the same schema can be referred to", "`#/$defs/…` or `#anchor`", reference);
            return;
        }

        var target = fragment.Length == 0 ? 0 : fragment[0] == '/' ? FindPointer(fragment) : Anchors.GetValueOrDefault(fragment, -1);
        if (target < 0) Problem(token, BadReference, $"`{reference}` refers to nothing");
        else from.All.Add(Compile(target));
    }

    /// <summary>By RFC 6901, percent-encoded as a fragment is.</summary>
    private int FindPointer(string pointer)
    {
        var token = 0;
        foreach (var encoded in pointer[1..].Split('/'))
        {
            var part = Uri.UnescapeDataString(encoded).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (Tape.Kind(token) == JsonKind.Array)
            {
                if (!int.TryParse(part, out var index) || index < 0 || index >= Tape.Count(token)) return -1;
                for (token++; index > 0; index--) token = Tape.Next(token);
            }
            else if ((token = Tape.Find(token, Encoding.UTF8.GetBytes(part))) < 0)
            {
                return -1;
            }
        }

        return token;
    }

    /// <summary>A schema that comes back to itself without having gone into the value would be checked for ever.</summary>
    private void FindEndless()
    {
        var done = new HashSet<SchemaNode>();
        var open = new HashSet<SchemaNode>();
        foreach (var (token, node) in _nodes.ToList())
        {
            if (!ComesBack(node)) continue;
            Problem(token, BadReference, "the schema refers to itself without end");
            return;
        }

        bool ComesBack(SchemaNode node)
        {
            if (done.Contains(node)) return false;
            if (!open.Add(node)) return true;
            if (node.InPlace().Any(ComesBack)) return true;
            open.Remove(node);
            done.Add(node);
            return false;
        }
    }
}
