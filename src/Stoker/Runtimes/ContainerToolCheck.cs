using Stoker.Planning;
using Stoker.Platform;

namespace Stoker.Runtimes;

/// <summary>Which container tool this machine has.</summary>
internal abstract record ContainerToolAnswer
{
    private ContainerToolAnswer()
    {
    }

    internal sealed record Usable(ContainerTool Tool) : ContainerToolAnswer;

    /// <param name="Why">In words: <c>docker is installed, but its engine does not answer: …</c>.</param>
    internal sealed record Unusable(string Why) : ContainerToolAnswer;

    internal sealed record NotInstalled : ContainerToolAnswer;
}

/// <summary>
/// Is there a container tool that works? Podman needs no engine and comes first; Docker's client is worth nothing without its
/// engine. An answer holds for some seconds, so that asking costs nothing where plans follow each other.
/// </summary>
internal sealed class ContainerToolCheck(TimeProvider clock)
{
    private static readonly string[] Names = ["podman", "docker"];

    private static readonly TimeSpan Holds = TimeSpan.FromSeconds(10), Limit = TimeSpan.FromSeconds(10);

    private readonly Lock _asking = new();
    private (string Path, long At, ContainerToolAnswer Answer)? _last;

    public static ContainerToolCheck Shared { get; } = new(TimeProvider.System);

    /// <param name="variables">The environment that the tool would be run with.</param>
    public ContainerToolAnswer Find(IReadOnlyDictionary<string, string> variables)
    {
        var path = variables.GetValueOrDefault("PATH") ?? Executables.DefaultPath;
        lock (_asking)
        {
            if (_last is { } last && last.Path == path && clock.GetElapsedTime(last.At) < Holds) return last.Answer;
            var answer = Ask(path, ContainerEnvironment.OfClient(variables));
            _last = (path, clock.GetTimestamp(), answer);
            return answer;
        }
    }

    /// <summary>Null when it can be used; else why not, in words that follow its name.</summary>
    public static string? WhyNot(string name, string executable, IReadOnlyDictionary<string, string> environment)
    {
        var docker = name == "docker";
        string[] question = docker ? ["version", "--format={{.Server.Version}}"] : ["info", "--format={{.Store.GraphDriverName}}"];
        var outcome = ShortCommand.RunAsync(executable, question, environment, Limit).GetAwaiter().GetResult();
        if (outcome.IsSuccess) return null;
        return docker && outcome is not ShortCommandOutcome.NotStarted
            ? $"is installed, but its engine does not answer: {outcome.Words}"
            : $"is installed, but does not work: {outcome.Words}";
    }

    private static ContainerToolAnswer Ask(string path, IReadOnlyDictionary<string, string> environment)
    {
        var problems = new List<string>();
        foreach (var name in Names)
        {
            if (Executables.Find(name, path, "/") is not { } executable) continue;
            if (WhyNot(name, executable, environment) is not { } problem) return new ContainerToolAnswer.Usable(new ContainerTool(name, executable));
            problems.Add($"{name} {problem}");
        }

        return problems.Count == 0 ? new ContainerToolAnswer.NotInstalled() : new ContainerToolAnswer.Unusable(string.Join("; ", problems));
    }
}
