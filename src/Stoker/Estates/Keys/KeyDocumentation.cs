using Stoker.Estates.Yaml;

namespace Stoker.Estates.Keys;

/// <summary>What <c>stoker config explain</c> says about the key at a path.</summary>
/// <param name="Path">The documented key, which for a value the owner names (a variable, a port) is the nearest key above it.</param>
/// <param name="Sentence">What it is for, with unit and default.</param>
/// <param name="Expectation">What its value looks like.</param>
/// <param name="Support">What Stoker does about it, in words; null: it does what the sentence says.</param>
internal sealed record KeyDocumentation(string Path, string Sentence, string Expectation, string? Support)
{
    /// <summary>Documentation for <c>services.vision.healthcheck.interval</c>; null where nothing is documented.</summary>
    /// <param name="path">Dotted, with <c>[n]</c> for items and quotes around keys that contain dots.</param>
    public static KeyDocumentation? For(string path, IReadOnlyList<SectionSpec> sections)
    {
        var top = TopKeys.With(sections);
        Shape shape = new Shape.Keyed(top);
        KeyDocumentation? nearest = null;
        var walked = KeyPath.Root;
        foreach (var step in ConfigPath.Parse(path, out _)?.Segments ?? [])
        {
            walked = step.Key is { } key ? walked.Key(key) : walked.Item(step.Index ?? 0);
            var (row, below) = Descend(shape, step);
            if (row is not null) nearest = new KeyDocumentation(walked.ToString(), row.Documentation, row.Shape.Expectation, InWords(row.Support));
            else if (below is Shape.Keyed keyed) nearest = new KeyDocumentation(walked.ToString(), keyed.Table.Documentation, keyed.Expectation, null);
            if (below is null) break;
            shape = below;
        }

        return nearest;
    }

    private static (KeyRow? Row, Shape? Below) Descend(Shape shape, PathSegment step) => shape switch
    {
        Shape.Keyed keyed when step.Key is { } key && keyed.Table.Find(key) is { } row => (row, row.Shape),
        Shape.MapOf map when step.Key is not null => (null, Inner(map.Value)),
        Shape.ListOf list when step.Index is not null => (null, Inner(list.Item)),
        Shape.OneOf choices => choices.Choices.Select(c => Descend(c, step)).FirstOrDefault(d => d.Row is not null || d.Below is not null),
        _ => (null, null),
    };

    /// <summary>The mapping among the shapes of an item, whose table documents it, where there is one.</summary>
    private static Shape Inner(Shape shape) => shape is Shape.OneOf choices && choices.Choices.OfType<Shape.Keyed>().FirstOrDefault() is { } keyed ? keyed : shape;

    public static string? InWords(Keys.Support support) => support switch
    {
        Keys.Support.HonouredForContainers only => $"only for containers; for a plain process, {only.Otherwise}",
        Keys.Support.ExtensionForProcesses only => $"an extension of Stoker, only for plain processes; {only.Otherwise}",
        Keys.Support.Warned warned => $"has no effect: {warned.Reason}",
        Keys.Support.Refused refused => $"refused: {refused.Reason}",
        Keys.Support.NotYet => "not acted on by this version",
        Keys.Support.Extension => "an extension of Stoker to Compose",
        _ => null,
    };
}
