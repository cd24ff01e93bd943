using Stoker.Diagnostics;

namespace Stoker.Estates.Reading;

/// <summary>One entry of <c>services:</c> while it is read.</summary>
internal sealed record ServiceSource(ServiceName Name, SourcePosition Where, MappingNode Map, ReadContext Context, DiagnosticBag Bag)
{
    public bool IsContainer { get; } = Map.Find("image") is not null || Map.Find("build") is not null;

    public KeyPath Path { get; } = KeyPath.Root.Key("services").Key(Name.Value);

    /// <summary>What its owner calls it, where a section other than <c>services</c> declares it.</summary>
    public string Noun { get; init; } = "service";

    /// <summary>Reports about a part of the service; the message begins with <c>service `vision`</c>.</summary>
    public void Report(DiagnosticCode code, SourcePosition where, string message, string? hint = null) =>
        Bag.Add(code, where, $"{Noun} `{Name}` {message}", hint);

    /// <summary>A string split into words, or a list of words; null where none is declared or it was reported.</summary>
    /// <param name="what">Between "has" and "that cannot be split": <c>a `command`</c>.</param>
    public IReadOnlyList<string>? Words(Node? node, string what)
    {
        switch (node)
        {
            case ScalarNode { Value: { } text }:
                switch (ShellWords.Split(text))
                {
                    case ShellWords.Outcome.Words words:
                        return words.List;
                    case ShellWords.Outcome.Unbalanced unbalanced:
                        Report(EstateDiagnostics.UnbalancedCommand, node.Where, $"has {what} that cannot be split into words: {unbalanced.Problem}",
                            "write it as a list, one item a word, and no quoting is needed");
                        break;
                }

                return null;
            case SequenceNode list:
                return [.. list.Items.OfType<ScalarNode>().Select(item => item.Value ?? "")];
            default:
                return null;
        }
    }
}
