using Stoker.Diagnostics;

namespace Stoker.Estates.Yaml;

/// <summary>Replaces variables in every scalar value of a file; keys are left alone. Untouched parts of the tree are shared.</summary>
internal sealed class Interpolation
{
    private readonly VariableScope _scope;
    private readonly DiagnosticBag _bag;
    private readonly List<TemplateFault> _faults = [];
    private readonly Dictionary<Node, Node>? _done;

    private Interpolation(VariableScope scope, DiagnosticBag bag, bool sharesNodes)
    {
        _scope = scope;
        _bag = bag;
        _done = sharesNodes ? new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance) : null;
    }

    public static MappingNode Apply(ParsedFile file, VariableScope scope, DiagnosticBag bag) =>
        (MappingNode)new Interpolation(scope, bag, file.SharesNodes).Visit(file.Root);

    public static ScalarNode Apply(ScalarNode scalar, VariableScope scope, DiagnosticBag bag) =>
        (ScalarNode)new Interpolation(scope, bag, false).Visit(scalar);

    private Node Visit(Node node)
    {
        if (node is ScalarNode scalar) return VisitScalar(scalar);
        if (_done is not null && _done.TryGetValue(node, out var known)) return known;
        Node result = node switch
        {
            SequenceNode sequence => VisitSequence(sequence),
            MappingNode mapping => VisitMapping(mapping),
            _ => node,
        };
        _done?.Add(node, result);
        return result;
    }

    private ScalarNode VisitScalar(ScalarNode scalar)
    {
        // What a merge key overrode is shown by `config explain` as it was written.
        if (scalar.Value is not { } text || !text.Contains('$')) return scalar;
        _faults.Clear();
        var value = Template.Substitute(text, _scope.Find, _faults);
        foreach (var fault in _faults) Report(fault, PlaceOf(fault, scalar));
        return scalar with { Value = value };
    }

    private SequenceNode VisitSequence(SequenceNode sequence)
    {
        Node[]? changed = null;
        for (var i = 0; i < sequence.Items.Count; i++)
        {
            var item = Visit(sequence.Items[i]);
            if (ReferenceEquals(item, sequence.Items[i])) continue;
            changed ??= [.. sequence.Items];
            changed[i] = item;
        }

        return changed is null ? sequence : sequence with { Items = changed };
    }

    private MappingNode VisitMapping(MappingNode mapping)
    {
        KeyValuePair<ScalarNode, Node>[]? changed = null;
        for (var i = 0; i < mapping.Entries.Count; i++)
        {
            var (key, value) = mapping.Entries[i];
            var visited = Visit(value);
            if (ReferenceEquals(visited, value)) continue;
            changed ??= [.. mapping.Entries];
            changed[i] = new(key, visited);
        }

        return changed is null ? mapping : mapping with { Entries = changed };
    }

    // Only in a plain scalar of one line does an offset in the value name a column.
    private static SourcePosition PlaceOf(TemplateFault fault, ScalarNode scalar) =>
        scalar.Plain && !scalar.Value!.Contains('\n') ? scalar.Where with { Column = scalar.Where.Column + fault.Offset } : scalar.Where;

    private void Report(TemplateFault fault, SourcePosition where)
    {
        switch (fault)
        {
            case TemplateFault.Unset unset:
                _bag.Add(YamlDiagnostics.UnsetVariable, where, $"variable `{unset.Name}` is not set and becomes empty",
                    $"set it, give a default with `${{{unset.Name}:-default}}`, or write `$${unset.Name}` for a literal dollar");
                break;
            case TemplateFault.Required required:
                var reason = required.Message.Length == 0 ? "" : $": {required.Message}";
                _bag.Add(YamlDiagnostics.RequiredVariable, where, $"required variable `{required.Name}` is missing{reason}",
                    "set it in the environment or in `.env`");
                break;
            case TemplateFault.Malformed malformed:
                _bag.Add(YamlDiagnostics.BadInterpolation, where, malformed.Problem, "write `$$` for a literal dollar");
                break;
        }
    }
}
