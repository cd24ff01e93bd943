using Stoker.Diagnostics;
using Stoker.Estates.Reading;

namespace Stoker.Estates.Keys;

/// <summary>
/// Holds a file to the key tables: unknown keys, wrong shapes, unreadable values, and what Stoker will not do about the keys
/// it knows. After it, the readers may take for granted that whatever they can read is right.
/// </summary>
internal sealed class ShapeCheck(DiagnosticBag bag)
{
    /// <summary>What the keys are about, which decides whether some of them have an effect.</summary>
    private enum Workload
    {
        None,
        Process,
        Container,
        /// <summary>Below a key whose lack of effect has been reported already.</summary>
        Unheeded,
    }

    public void Check(Node node, Shape shape, KeyPath path) => Check(node, shape, path, Workload.None);

    private void Check(Node node, Shape shape, KeyPath path, Workload workload)
    {
        switch (shape)
        {
            case Shape.Anything:
                break;
            case Shape.OneOf choices:
                Choose(node, choices, path, workload);
                break;
            case Shape.Keyed keyed when node is MappingNode map:
                CheckTable(map, keyed.Table, path, keyed.DecidesWorkload ? WorkloadOf(map) : workload);
                break;
            case Shape.MapOf mapOf when node is MappingNode map:
                CheckEntries(map, mapOf, path, workload);
                break;
            case Shape.ListOf list when node is SequenceNode sequence:
                CheckItems(sequence, list, path, workload);
                break;
            case Shape.Keyed or Shape.MapOf or Shape.ListOf:
                ReportShape(node, shape, path);
                break;
            default:
                if (node is ScalarNode scalar) ScalarCheck.Check(scalar, shape, path, bag);
                else ReportShape(node, shape, path);
                break;
        }
    }

    private static Workload WorkloadOf(MappingNode service) =>
        service.Find("image") is not null || service.Find("build") is not null ? Workload.Container : Workload.Process;

    private void Choose(Node node, Shape.OneOf choices, KeyPath path, Workload workload)
    {
        var fitting = choices.Choices.Where(c => Fits(node, c)).ToList();
        switch (fitting)
        {
            case []:
                ReportShape(node, choices, path);
                break;
            case [var only]:
                Check(node, only, path, workload);
                break;
            default:
                if (node is ScalarNode scalar && !fitting.Exists(c => ScalarCheck.IsReadable(scalar, c)))
                    ScalarCheck.ReportNone(scalar, choices, fitting, path, bag);
                break;
        }
    }

    private static bool Fits(Node node, Shape shape) => (node, shape) switch
    {
        (MappingNode, Shape.Keyed or Shape.MapOf) => true,
        (SequenceNode, Shape.ListOf) => true,
        (ScalarNode { Value: null }, Shape.Nothing) => true,
        (ScalarNode { Value: null }, _) => false,
        (ScalarNode, Shape.Keyed or Shape.MapOf or Shape.ListOf or Shape.Nothing) => false,
        (ScalarNode, _) => true,
        _ => false,
    };

    private void CheckTable(MappingNode map, KeyTable table, KeyPath path, Workload workload)
    {
        foreach (var (key, value) in map.Entries)
        {
            if (key.Value is not { } name)
            {
                bag.Add(EstateDiagnostics.InvalidName, key.Where, $"a key without a name{In(path)}");
                continue;
            }

            if (name.StartsWith("x-", StringComparison.Ordinal)) continue;
            if (table.Find(name) is not { } row)
            {
                if (!table.Open)
                    bag.Add(EstateDiagnostics.UnknownKey, key.Where, $"unknown key `{name}`{In(path)}", Suggestion.For(name, table.Names) ?? "keys of your own begin with `x-`");
                continue;
            }

            var below = path.Key(name);
            var heeded = ReportSupport(row, key, value, below, workload);
            Check(value, row.Shape, below, heeded ? workload : Workload.Unheeded);
        }

        foreach (var row in table.Rows)
        {
            if (row.Required && map.Find(row.Name) is null)
                bag.Add(EstateDiagnostics.MissingKey, map.Where, $"`{path}` needs `{row.Name}`", AsHint(row.Documentation));
        }
    }

    /// <summary>False when the key has no effect here.</summary>
    private bool ReportSupport(KeyRow row, ScalarNode key, Node value, KeyPath path, Workload workload)
    {
        if (workload == Workload.Unheeded) return false;
        if (IsHarmless(row, value)) return true;
        switch (row.Support)
        {
            case Support.HonouredForContainers only when workload == Workload.Process:
                bag.Add(EstateDiagnostics.NotForProcesses, key.Where, $"`{path}` has no effect on a plain process: {only.Otherwise}");
                return false;
            case Support.ExtensionForProcesses only when workload == Workload.Container:
                bag.Add(EstateDiagnostics.NotForContainers, key.Where, $"`{path}` has no effect on a container: {only.Otherwise}");
                return false;
            case Support.Warned warned:
                bag.Add(EstateDiagnostics.NoEffect, key.Where, $"`{path}` has no effect: {warned.Reason}");
                return false;
            case Support.NotYet:
                bag.Add(EstateDiagnostics.SectionNotActedOn, key.Where, $"section `{row.Name}` is not acted on by this version");
                return true;
            case Support.Refused when value is ScalarNode { Value: null or "" }:
                return true; // the shape says what is wrong with it
            case Support.Refused refused:
                bag.Add(EstateDiagnostics.Refused, key.Where, $"`{path}` is refused: {refused.Reason}", refused.Hint);
                return false;
            default:
                return true;
        }
    }

    private static bool IsHarmless(KeyRow row, Node value)
    {
        if (row.Harmless is not { } harmless || value is not ScalarNode { Value: { } text }) return false;
        return string.Equals(text, harmless, StringComparison.OrdinalIgnoreCase)
            || (Scalars.Flag(harmless) is { } flag && Scalars.Flag(text) == flag);
    }

    private void CheckEntries(MappingNode map, Shape.MapOf shape, KeyPath path, Workload workload)
    {
        foreach (var (key, value) in map.Entries)
        {
            if (key.Value is not { Length: > 0 } name)
            {
                bag.Add(EstateDiagnostics.InvalidName, key.Where, $"a key without a name{In(path)}");
                continue;
            }

            if (shape.Names && !IsName(name))
            {
                bag.Add(EstateDiagnostics.InvalidName, key.Where, $"`{name}` in `{path}` is not a name",
                    "names are made of letters, digits, `.`, `_` and `-`");
            }

            Check(value, shape.Value, path.Key(name), workload);
        }
    }

    private void CheckItems(SequenceNode sequence, Shape.ListOf shape, KeyPath path, Workload workload)
    {
        var seen = shape.Distinct ? new Dictionary<string, SourcePosition>() : null;
        for (var i = 0; i < sequence.Items.Count; i++)
        {
            var item = sequence.Items[i];
            Check(item, shape.Item, path.Item(i), workload);
            if (seen is not null && item is ScalarNode { Value: { } value } && !seen.TryAdd(value, item.Where))
                bag.Add(EstateDiagnostics.Repeated, item.Where, $"`{value}` stands twice in `{path}`", $"first at {seen[value]}");
        }
    }

    private void ReportShape(Node node, Shape expected, KeyPath path)
    {
        if (node is ScalarNode { Value: null })
        {
            bag.Add(EstateDiagnostics.NoValue, node.Where, $"`{path}` has no value: expected {expected.Expectation}", "give it a value, or remove the key");
            return;
        }

        // What could not be merged was reported there already.
        if (bag.Any(d => d.Where == node.Where && d.Severity == Severity.Error)) return;
        var where = path.IsRoot ? "the file" : $"`{path}`";
        bag.Add(EstateDiagnostics.WrongShape, node.Where, $"{where} must be {expected.Expectation}, found {ScalarCheck.Describe(node)}");
    }

    private static string AsHint(string sentence) =>
        char.IsUpper(sentence[0]) ? char.ToLowerInvariant(sentence[0]) + sentence[1..].TrimEnd('.') : sentence.TrimEnd('.');

    private static string In(KeyPath path) => path.IsRoot ? " at the top of the file" : $" in `{path}`";

    private static bool IsName(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
