namespace Stoker.Estates.Yaml;

/// <summary>What a node is, in the words of messages.</summary>
internal static class NodeKind
{
    public static string Of(Node node) => node switch
    {
        MappingNode => "a mapping",
        SequenceNode => "a list",
        ScalarNode { Value: null } => "null",
        _ => "a single value",
    };
}
