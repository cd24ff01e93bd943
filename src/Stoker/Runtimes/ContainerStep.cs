using System.Globalization;

namespace Stoker.Runtimes;

internal enum ContainerStepKind
{
    /// <summary>Makes the directory <c>First[0]</c> where there is none.</summary>
    Directory,

    /// <summary>Writes the text <c>Then[0]</c> to the file <c>First[0]</c>.</summary>
    Write,

    /// <summary>Runs the command <c>Then</c> with every word that <c>First</c> prints.</summary>
    Clear,

    /// <summary>Runs <c>Then</c> unless <c>First</c> succeeds. Another may do the same at once: done is done.</summary>
    Unless,

    /// <summary>The same with its output in the replica's log, and without a question where <c>First</c> is empty.</summary>
    Build,

    /// <summary>Ends with the message <c>Then[0]</c> unless <c>First</c> succeeds.</summary>
    Need,

    /// <summary>Becomes <c>First</c>: the last step.</summary>
    Run,
}

/// <summary>One thing to do before, or for, the start of a container; carried out by <see cref="ContainerStart"/> in their order.</summary>
internal sealed record ContainerStep(ContainerStepKind Kind, IReadOnlyList<string> First, IReadOnlyList<string> Then)
{
    public static ContainerStep Directory(string path) => new(ContainerStepKind.Directory, [path], []);

    public static ContainerStep Write(string path, string content) => new(ContainerStepKind.Write, [path], [content]);

    public static ContainerStep Clear(IReadOnlyList<string> list, IReadOnlyList<string> remove) => new(ContainerStepKind.Clear, list, remove);

    public static ContainerStep Unless(IReadOnlyList<string> check, IReadOnlyList<string> create) => new(ContainerStepKind.Unless, check, create);

    public static ContainerStep Build(IReadOnlyList<string> check, IReadOnlyList<string> build) => new(ContainerStepKind.Build, check, build);

    public static ContainerStep Need(IReadOnlyList<string> check, string message) => new(ContainerStepKind.Need, check, [message]);

    public static ContainerStep Run(IReadOnlyList<string> command) => new(ContainerStepKind.Run, command, []);

    /// <summary>As arguments of <see cref="ContainerStart"/>: kind, number of words, words, number of words, words; and so on.</summary>
    public static IReadOnlyList<string> ToArguments(IEnumerable<ContainerStep> steps) =>
        [.. steps.SelectMany(s => (string[])[s.Kind.ToString(), Count(s.First), .. s.First, Count(s.Then), .. s.Then])];

    /// <summary>Null when they are not understood.</summary>
    public static IReadOnlyList<ContainerStep>? Parse(ReadOnlySpan<string> arguments)
    {
        var steps = new List<ContainerStep>();
        while (arguments.Length > 0)
        {
            if (!Enum.TryParse<ContainerStepKind>(arguments[0], out var kind)) return null;
            arguments = arguments[1..];
            if (Take(ref arguments) is not { } first || Take(ref arguments) is not { } then) return null;
            steps.Add(new ContainerStep(kind, first, then));
        }

        return steps;
    }

    private static string[]? Take(ref ReadOnlySpan<string> arguments)
    {
        if (arguments.Length == 0 || !int.TryParse(arguments[0], NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count >= arguments.Length) return null;
        var words = arguments[1..(count + 1)].ToArray();
        arguments = arguments[(count + 1)..];
        return words;
    }

    private static string Count(IReadOnlyList<string> words) => words.Count.ToString(CultureInfo.InvariantCulture);
}
