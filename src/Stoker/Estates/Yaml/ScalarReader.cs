using Stoker.Diagnostics;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Stoker.Estates.Yaml;

/// <summary>
/// Scalars and tags. A scalar stays text; only null is decided here (YAML 1.2 core: empty, <c>~</c>, <c>null</c>), because
/// whether <c>80</c> is a number is for the key that it is given to.
/// </summary>
internal sealed class ScalarReader(string file, DiagnosticBag bag)
{
    private const string Standard = "tag:yaml.org,2002:";

    public ScalarNode Read(Scalar scalar)
    {
        var where = new SourcePosition(file, (int)scalar.Start.Line, (int)scalar.Start.Column);
        var plain = scalar.Style == ScalarStyle.Plain;
        if (scalar.Tag.IsEmpty) return new ScalarNode(plain && IsNull(scalar.Value) ? null : scalar.Value, plain, where);
        var mark = MarkOf(scalar, "str", "int", "float", "bool", "null");
        if (scalar.Tag.IsNonSpecific || scalar.Tag.Value == Standard + "str") return new ScalarNode(scalar.Value, false, where);
        var typed = scalar.Tag.Value.StartsWith(Standard, StringComparison.Ordinal);
        return new ScalarNode((plain || typed) && IsNull(scalar.Value) ? null : scalar.Value, plain || typed, where) { Mark = mark };
    }

    /// <summary>What the tag asks of a merge; any tag but Compose's two and YAML's own for this kind of node is an error.</summary>
    public MergeMark MarkOf(NodeEvent node, params ReadOnlySpan<string> allowed)
    {
        if (node.Tag.IsEmpty || node.Tag.IsNonSpecific) return MergeMark.None;
        var tag = node.Tag.Value;
        var mark = tag switch { "!reset" => MergeMark.Reset, "!override" => MergeMark.Override, _ => MergeMark.None };
        if (mark != MergeMark.None) return mark;
        if (tag.StartsWith(Standard, StringComparison.Ordinal) && allowed.Contains(tag[Standard.Length..])) return MergeMark.None;

        var shown = tag.StartsWith(Standard, StringComparison.Ordinal) ? "!!" + tag[Standard.Length..] : tag;
        bag.Add(YamlDiagnostics.UnknownTag, new SourcePosition(file, (int)node.Start.Line, (int)node.Start.Column),
            $"tag `{shown}` has no meaning here", Suggestion.For(shown, ["!reset", "!override"]) ?? "only `!reset` and `!override` are known");
        return MergeMark.None;
    }

    public static bool IsNull(string text) => text is "" or "~" or "null" or "Null" or "NULL";
}
