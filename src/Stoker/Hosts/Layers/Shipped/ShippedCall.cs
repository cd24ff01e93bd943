using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Hosts.Checks;

namespace Stoker.Hosts.Layers.Shipped;

/// <summary>A use of a shipped layer in an estate: what it was told, checked, and what steps and checks are written with.</summary>
internal sealed class ShippedCall
{
    private static readonly TimeSpan CommandLimit = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, List<string>> _values = [];
    private readonly SourcePosition _where;

    public ShippedCall(ShippedLayer layer, string name, MappingNode? with, EstateSpec estate, SourcePosition where, DiagnosticBag bag)
    {
        (Estate, _where) = (estate, where);
        foreach (var (key, value) in with?.Entries.Select(e => (e.Key, e.Value)) ?? [])
        {
            if (layer.Parameters.FirstOrDefault(p => p.Name == key.Value) is not { } parameter)
            {
                var known = layer.Parameters.Select(p => p.Name).ToList();
                bag.Add(LayerDiagnostics.UnknownParameter, key.Where, $"layer `{name}` tells `{layer.Name}` an unknown `{key.Value}`",
                    Suggestion.For(key.Value ?? "", known) ?? (known.Count == 0 ? "it asks nothing" : $"it asks for {string.Join(", ", known)}"));
                continue;
            }

            Read(name, parameter, value, bag);
        }
    }

    public EstateSpec Estate { get; }

    public IReadOnlyList<string> List(string name, params string[] otherwise) => _values.TryGetValue(name, out var values) ? values : otherwise;

    public string? Text(string name) => _values.TryGetValue(name, out var values) ? values[0] : null;

    public CheckSpec Check(string name, CheckSubject subject, string? hint = null, int retries = 0) => new(name, subject, _where) { Hint = hint, Retries = retries };

    public CheckSpec Service(string name, string unit, bool? isEnabled = null) => Check(name, new CheckSubject.Service(unit, Running: true, isEnabled), retries: 5);

    /// <summary>A command that must succeed and write what is expected.</summary>
    public CheckSpec Says(string name, IReadOnlyList<string> words, params string[] expected) =>
        Check(name, new CheckSubject.Command(words, 0, [.. expected.Select(e => Expectation.Parse(e, out _)!)], null));

    public static LayerStep.File File(string path, string content, int mode = 0x1A4) => new(path, content, null, "root", "root", mode, IsSecret: false);

    public static LayerStep.Packages Packages(params IReadOnlyList<string> names) => new(names, []);

    /// <summary>Run when something before it in the layer changed; taken back by the layer's rollback.</summary>
    public static LayerStep.Command Run(params IReadOnlyList<string> words) => new(words, null, null, CommandLimit);

    public static LayerStep.Command Run(IReadOnlyList<string> words, IReadOnlyList<string>? unless, IReadOnlyList<string>? undo, TimeSpan? limit = null) =>
        new(words, unless, undo, limit ?? CommandLimit);

    /// <summary>At the end of a rollback, where the unit may be gone with its package.</summary>
    public static LayerStep.Command ReloadIfThere(string unit) =>
        Run("sh", "-c", $"systemctl cat {unit} >/dev/null 2>&1 || exit 0; systemctl try-reload-or-restart {unit}");

    private void Read(string name, ShippedParameter parameter, Node value, DiagnosticBag bag)
    {
        var values = value.Strings().ToList();
        if (!parameter.Kind.IsList && values.Count != 1)
        {
            bag.Add(LayerDiagnostics.InvalidParameter, value.Where, $"layer `{name}` has {values.Count} values for `{parameter.Name}`", parameter.Kind.Words);
            return;
        }

        foreach (var wrong in values.Where(v => !parameter.Kind.IsValid(v.Value)))
            bag.Add(LayerDiagnostics.InvalidParameter, wrong.Where, $"layer `{name}` has `{wrong.Value}` for `{parameter.Name}`", parameter.Kind.Words);
        _values[parameter.Name] = [.. values.Where(v => parameter.Kind.IsValid(v.Value)).Select(v => v.Value)];
        if (_values[parameter.Name].Count == 0 && !parameter.Kind.IsList) _values.Remove(parameter.Name);
    }
}
