using Stoker.Estates.Yaml;

namespace Stoker.Estates;

/// <summary>Where a value is in the file by its keys, as messages name it: <c>services.vision.ports[0]</c>.</summary>
internal sealed class KeyPath
{
    private readonly KeyPath? _parent;
    private readonly string _key;
    private readonly int _index;

    private KeyPath(KeyPath? parent, string key, int index)
    {
        _parent = parent;
        _key = key;
        _index = index;
    }

    public static KeyPath Root { get; } = new(null, "", -1);

    public bool IsRoot => _parent is null;

    public KeyPath Key(string key) => new(this, key, -1);

    public KeyPath Item(int index) => new(this, "", index);

    public override string ToString() => _parent switch
    {
        null => "",
        _ when _index >= 0 => $"{_parent}[{_index}]",
        _ => ConfigPath.Append(_parent.ToString(), _key),
    };
}
