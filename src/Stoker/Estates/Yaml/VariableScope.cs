namespace Stoker.Estates.Yaml;

/// <summary>The variables that one set of files is interpolated with.</summary>
internal sealed class VariableScope(IReadOnlyDictionary<string, string> values)
{
    public IReadOnlyDictionary<string, string> Values { get; } = values;

    public string? Find(string name) => Values.GetValueOrDefault(name);

    /// <summary>This scope, with <paramref name="defaults"/> for what it does not set.</summary>
    public VariableScope Over(IReadOnlyDictionary<string, string> defaults)
    {
        if (defaults.Count == 0) return this;
        var merged = new Dictionary<string, string>(defaults);
        foreach (var (name, value) in Values) merged[name] = value;
        return new VariableScope(merged);
    }
}
