using System.Text;
using Stoker.Streams.Json;

namespace Stoker.Streams.Transform;

/// <summary>Mappings as a tree over the fields of a document. Immutable.</summary>
internal sealed class TransformPlan
{
    private TransformPlan(string version, FieldEdit root) => (Version, Root) = (version, root);

    public static TransformPlan Plain { get; } = Make(new TransformSpec()).Plan!;

    public string Version { get; }

    /// <summary>Null: nothing is declared.</summary>
    public FieldEdit? Edits => Root.Children.Count == 0 ? null : Root;

    private FieldEdit Root { get; }

    /// <summary>Reads what was declared; every problem is told, by the words that it is about.</summary>
    public static (TransformPlan? Plan, IReadOnlyList<Mistake> Problems) Make(TransformSpec spec)
    {
        var problems = new List<Mistake>();
        var root = new FieldEdit("");
        foreach (var map in spec.Map)
        {
            if (Place(root, map.Target, problems) is not { } target) continue;
            if (map.Path is { } path) Put(target, ReadPath(path, problems), null, map.Target, problems);
            else Put(target, null, ReadConstant(map, problems), map.Target, problems);
        }

        foreach (var rename in spec.Rename)
        {
            if (ReadPath(rename.From, problems) is not { } from) continue;
            if (Place(root, rename.From, problems) is { } left) left.IsDropped = true;
            if (Place(root, rename.To, problems) is { } target) Put(target, from, null, rename.To, problems);
        }

        foreach (var drop in spec.Drop)
        {
            if (Place(root, drop, problems) is { } dropped) dropped.IsDropped = true;
        }

        return problems.Count > 0 ? (null, problems) : (new TransformPlan(spec.Version, root), problems);
    }

    private static void Put(FieldEdit target, FieldPath? path, byte[]? constant, string written, List<Mistake> problems)
    {
        if (path is null && constant is null) return;
        if (target.Puts || target.Children.Count > 0) problems.Add(new Mistake(written, "target", "this field is written twice"));
        (target.Source, target.Constant) = (path, constant);
    }

    /// <summary>The edit at a place that may be changed: a path of names, none of them of what identifies the document.</summary>
    private static FieldEdit? Place(FieldEdit root, string written, List<Mistake> problems)
    {
        if (ReadPath(written, problems) is not { } path) return null;
        if (path.Steps.FirstOrDefault(step => step.Name is null) is { } item)
        {
            problems.Add(new Mistake(written, "target", $"an item of an array cannot be changed: `{item.Text}`"));
            return null;
        }

        if (TransformModule.Kept.Contains(path.Steps[0].Text))
        {
            problems.Add(new Mistake(written, "target", $"`{path.Steps[0].Text}` identifies the document and stays as it is"));
            return null;
        }

        var edit = root;
        foreach (var step in path.Steps)
        {
            if (edit.Puts)
            {
                problems.Add(new Mistake(written, "target", "a field above it is written too"));
                return null;
            }

            edit = edit.Child(step);
        }

        return edit;
    }

    private static FieldPath? ReadPath(string written, List<Mistake> problems)
    {
        var path = FieldPath.TryRead(written, out var reason);
        if (path is null) problems.Add(new Mistake(written, "path", $"this is not a path: {reason}"));
        return path;
    }

    private static byte[]? ReadConstant(MapSpec map, List<Mistake> problems)
    {
        var constant = Encoding.UTF8.GetBytes(map.Constant ?? "null");
        var scanner = new JsonScanner();
        if (scanner.Scan(constant) is { IsNone: true } && scanner.Remarks.Count == 0) return TapeWriter.OnOneLine(scanner.Tape);
        problems.Add(new Mistake(map.Target, "constant", "the constant is not JSON", Got: map.Constant));
        return null;
    }
}

/// <summary>What happens to one field, and to fields in it.</summary>
internal sealed class FieldEdit(string name)
{
    public string Name => name;

    public ReadOnlyMemory<byte> NameBytes { get; } = Encoding.UTF8.GetBytes(name);

    public bool IsDropped { get; set; }

    public FieldPath? Source { get; set; }

    public byte[]? Constant { get; set; }

    public bool Puts => Source is not null || Constant is not null;

    public List<FieldEdit> Children { get; } = [];

    public FieldEdit? Find(JsonTape tape, int nameToken)
    {
        foreach (var child in Children)
        {
            if (tape.Is(nameToken, child.NameBytes.Span)) return child;
        }

        return null;
    }

    public FieldEdit Child(FieldStep step)
    {
        var child = Children.Find(known => known.Name == step.Text);
        if (child is null) Children.Add(child = new FieldEdit(step.Text));
        return child;
    }
}
