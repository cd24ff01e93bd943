using System.Text;

namespace Stoker.Estates;

/// <summary>Where a value is in the file by its keys, as messages name it: <c>services.vision.ports[0]</c>.</summary>
internal sealed class NodePath
{
    private readonly NodePath? _parent;
    private readonly string _key;
    private readonly int _index;

    private NodePath(NodePath? parent, string key, int index)
    {
        _parent = parent;
        _key = key;
        _index = index;
    }

    public static NodePath Root { get; } = new(null, "", -1);

    public bool IsRoot => _parent is null;

    public NodePath Key(string key) => new(this, key, -1);

    public NodePath Item(int index) => new(this, "", index);

    public override string ToString()
    {
        var text = new StringBuilder();
        Write(text);
        return text.ToString();
    }

    private void Write(StringBuilder text)
    {
        if (_parent is null) return;
        _parent.Write(text);
        if (_index >= 0)
        {
            text.Append('[').Append(_index).Append(']');
            return;
        }

        if (text.Length > 0) text.Append('.');
        text.Append(IsPlain(_key) ? _key : $"\"{_key}\"");
    }

    private static bool IsPlain(string key) => key.Length > 0 && key.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
}
