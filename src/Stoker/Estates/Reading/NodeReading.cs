using Stoker.Diagnostics;

namespace Stoker.Estates.Reading;

/// <summary>
/// Takes typed values out of nodes whose shape has been checked. What is absent or was reported as wrong reads as null or
/// nothing, so that one mistake makes one diagnostic.
/// </summary>
internal static class NodeReading
{
    public static ScalarNode? Scalar(this MappingNode? map, string key) => map?.Find(key) as ScalarNode;

    public static string? Text(this MappingNode? map, string key) => map.Scalar(key)?.Value;

    public static Positioned<string>? PositionedText(this MappingNode? map, string key) =>
        map.Scalar(key) is { Value: { } value } scalar ? new Positioned<string>(value, scalar.Where) : null;

    public static bool? Flag(this MappingNode? map, string key) => map.Text(key) is { } text ? Scalars.Flag(text) : null;

    public static long? Whole(this MappingNode? map, string key) => map.Text(key) is { } text ? Scalars.Whole(text) : null;

    /// <summary>A whole number that fits 32 bits; larger ones count as the largest.</summary>
    public static int? Int(this MappingNode? map, string key) =>
        map.Whole(key) is { } value ? (int)Math.Clamp(value, int.MinValue, int.MaxValue) : null;

    public static double? Number(this MappingNode? map, string key) => map.Text(key) is { } text ? Scalars.Number(text) : null;

    public static TimeSpan? Duration(this MappingNode? map, string key) => map.Text(key) is { } text ? Scalars.Duration(text) : null;

    public static ByteSize? Size(this MappingNode? map, string key) => map.Text(key) is { } text ? Scalars.Size(text) : null;

    public static int? Octal(this MappingNode? map, string key) => map.Text(key) is { } text ? Scalars.Octal(text) : null;

    public static MappingNode? Map(this MappingNode? map, string key) => map?.Find(key) as MappingNode;

    public static IReadOnlyList<Node> Items(this MappingNode? map, string key) => (map?.Find(key) as SequenceNode)?.Items ?? [];

    /// <summary>The named entries of a mapping, in the order of the file.</summary>
    public static IEnumerable<(string Name, ScalarNode Key, Node Value)> Named(this MappingNode? map, string key) => map.Map(key).Named();

    public static IEnumerable<(string Name, ScalarNode Key, Node Value)> Named(this MappingNode? map)
    {
        foreach (var (name, value) in map?.Entries ?? [])
        {
            if (name.Value is { } text) yield return (text, name, value);
        }
    }

    /// <summary>The strings of a list, or a single string as a list of one.</summary>
    public static IEnumerable<Positioned<string>> Strings(this Node? node) => node switch
    {
        ScalarNode { Value: { } value } scalar => [new Positioned<string>(value, scalar.Where)],
        SequenceNode sequence => sequence.Items.OfType<ScalarNode>().Where(s => s.Value is not null).Select(s => new Positioned<string>(s.Value!, s.Where)),
        _ => [],
    };

    public static IReadOnlyList<Positioned<string>> Strings(this MappingNode? map, string key) => [.. map?.Find(key).Strings() ?? []];

    /// <summary>
    /// A mapping, or a list of <c>KEY=VALUE</c>. <c>KEY=</c> is the empty string; <c>KEY</c> alone and a null are null. A later
    /// entry of a list replaces an earlier one.
    /// </summary>
    public static IEnumerable<KeyValuePair<string, Positioned<string?>>> Pairs(this Node? node) => node switch
    {
        MappingNode map => map.Entries
            .Where(e => e.Key.Value is not null && e.Value is ScalarNode)
            .Select(e => KeyValuePair.Create(e.Key.Value!, new Positioned<string?>(((ScalarNode)e.Value).Value, e.Value.Where))),
        SequenceNode => node.Strings().Select(Pair),
        _ => [],
    };

    public static IEnumerable<KeyValuePair<string, Positioned<string?>>> Pairs(this MappingNode? map, string key) => map?.Find(key).Pairs() ?? [];

    public static IReadOnlyDictionary<string, string> TextMap(this MappingNode? map, string key)
    {
        var texts = new Dictionary<string, string>();
        foreach (var (name, value) in map.Pairs(key)) texts[name] = value.Value ?? "";
        return texts;
    }

    private static KeyValuePair<string, Positioned<string?>> Pair(Positioned<string> entry)
    {
        var equals = entry.Value.IndexOf('=');
        return equals < 0
            ? KeyValuePair.Create(entry.Value, new Positioned<string?>(null, entry.Where))
            : KeyValuePair.Create(entry.Value[..equals], new Positioned<string?>(entry.Value[(equals + 1)..], entry.Where));
    }

    /// <summary>Where a key was written, for messages about the key rather than its value.</summary>
    public static SourcePosition WhereOf(this MappingNode map, string key)
    {
        foreach (var (name, _) in map.Entries)
        {
            if (name.Value == key) return name.Where;
        }

        return map.Where;
    }
}
