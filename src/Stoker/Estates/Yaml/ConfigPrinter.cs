using System.Text;

namespace Stoker.Estates.Yaml;

/// <summary>
/// Prints a tree as YAML that reads back equal, for <c>stoker config show</c>: two spaces, keys in their order, quotes only where
/// needed, dollars doubled so that nothing is interpolated again.
/// </summary>
internal sealed class ConfigPrinter
{
    /// <summary>Stands for a value that must not be shown.</summary>
    public const string Hidden = "(hidden)";

    private readonly StringBuilder _output = new();
    private readonly Func<string, bool> _hide;

    private ConfigPrinter(Func<string, bool>? hide) => _hide = hide ?? (_ => false);

    /// <param name="hide">Given a path such as <c>services.vision.environment.API_KEY</c>: whether its value is hidden.</param>
    public static string Print(MappingNode root, Func<string, bool>? hide = null)
    {
        if (root.Entries.Count == 0) return "{}\n";
        var printer = new ConfigPrinter(hide);
        printer.Mapping(root, 0, "", inLine: false);
        return printer._output.ToString();
    }

    private void Mapping(MappingNode mapping, int indent, string path, bool inLine)
    {
        foreach (var (key, value) in mapping.Entries)
        {
            // The first key of a mapping in a list stands behind the dash.
            if (!inLine) _output.Append(' ', indent);
            inLine = false;
            _output.Append(ScalarText.Key(key.Value!)).Append(':');
            Value(value, indent, ConfigPath.Append(path, key.Value!), inLine: false);
        }
    }

    /// <summary>What follows <c>key:</c>, from the next line on where it has lines of its own, or <c>-</c>, behind it.</summary>
    private void Value(Node value, int indent, string path, bool inLine)
    {
        if (_hide(path))
        {
            _output.Append(' ').Append(Hidden).Append('\n');
            return;
        }

        switch (value)
        {
            case MappingNode { Entries.Count: > 0 } mapping:
                _output.Append(inLine ? ' ' : '\n');
                Mapping(mapping, indent + 2, path, inLine);
                break;
            case SequenceNode { Items.Count: > 0 } list:
                _output.Append(inLine ? ' ' : '\n');
                Sequence(list, indent + 2, path, inLine);
                break;
            default:
                Single(value, indent + 2);
                break;
        }
    }

    private void Sequence(SequenceNode list, int indent, string path, bool inLine)
    {
        for (var i = 0; i < list.Items.Count; i++)
        {
            if (!inLine) _output.Append(' ', indent);
            inLine = false;
            _output.Append('-');
            Value(Shown(list.Items[i], path), indent, $"{path}[{i}]", inLine: true);
        }
    }

    // An item `KEY=value` is hidden by the path that the mapping form would have, and keeps its key.
    private Node Shown(Node item, string path)
    {
        if (item is not ScalarNode { Value: { } text } scalar) return item;
        var equals = text.IndexOf('=');
        return equals > 0 && _hide(ConfigPath.Append(path, text[..equals])) ? scalar with { Value = $"{text[..equals]}={Hidden}" } : item;
    }

    private void Single(Node value, int indent)
    {
        var text = value switch
        {
            MappingNode => "{}",
            SequenceNode => "[]",
            ScalarNode scalar => ScalarText.Value(scalar, indent),
            _ => throw new InvalidOperationException($"no YAML for {value.GetType()}"),
        };
        // An empty value is null, and `key:` alone is how people write it.
        if (text.Length > 0) _output.Append(' ').Append(text);
        _output.Append('\n');
    }
}
