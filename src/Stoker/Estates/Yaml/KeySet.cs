using Stoker.Diagnostics;

namespace Stoker.Estates.Yaml;

/// <summary>Finds a key that is written twice in one mapping, without an allocation for the many small mappings.</summary>
internal ref struct KeySet(List<KeyValuePair<ScalarNode, Node>> entries, int first)
{
    private const int Small = 12;

    private Dictionary<string, ScalarNode>? _large;

    /// <summary>The first one stays; a second one is an error that names both places.</summary>
    public bool IsNew(ScalarNode key, DiagnosticBag bag)
    {
        var earlier = Find(key.Value!);
        if (earlier is null)
        {
            _large?.Add(key.Value!, key);
            return true;
        }

        var hint = key.Value == "<<" ? "merge several with `<<: [*a, *b]`" : "keep one of them";
        bag.Add(YamlDiagnostics.DuplicateKey, key.Where, $"key `{key.Value}` is written twice, first at {earlier.Where}", hint);
        return false;
    }

    private ScalarNode? Find(string key)
    {
        if (_large is null && entries.Count - first > Small)
        {
            _large = [];
            for (var i = first; i < entries.Count; i++) _large.Add(entries[i].Key.Value!, entries[i].Key);
        }

        if (_large is not null) return _large.GetValueOrDefault(key);
        for (var i = first; i < entries.Count; i++)
        {
            if (entries[i].Key.Value == key) return entries[i].Key;
        }

        return null;
    }
}
