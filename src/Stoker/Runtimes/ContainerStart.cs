using Stoker.Platform;

namespace Stoker.Runtimes;

/// <summary>
/// The hidden verb that a container's main process begins as: it prepares (removes what a crash left of the same name, builds the
/// image, makes networks and volumes), then becomes the tool's client, in the same process. Preparing takes seconds or minutes;
/// here it is logged, signalled, killed and adopted like everything else that a replica does.
/// </summary>
internal static class ContainerStart
{
    public const string Verb = "container-start";

    /// <summary>What both tools end with when the failure is theirs and not the container's.</summary>
    private const int ToolFailed = 125;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Returns only when the client could not be started.</summary>
    public static int Run(string[] arguments)
    {
        if (ContainerStep.Parse(arguments.AsSpan(1)) is not { Count: > 0 } steps) return Fail($"stoker {Verb}: its arguments are not understood");
        var (client, container) = ContainerEnvironment.Unpack(HostEnvironment.Variables);
        try
        {
            foreach (var step in steps)
            {
                if (Do(step, client, container) is { } problem) return Fail(problem);
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return Fail(problem.Message);
        }

        return Fail($"stoker {Verb}: there is nothing to run");
    }

    /// <summary>Null when it is done, else what went wrong.</summary>
    private static string? Do(ContainerStep step, IReadOnlyDictionary<string, string> client, IReadOnlyDictionary<string, string> container)
    {
        switch (step.Kind)
        {
            case ContainerStepKind.Directory:
                if (!Files.Exists(step.First[0])) Files.CreateDirectory(step.First[0], Files.PrivateDirectory | ForAll);
                return null;
            case ContainerStepKind.Write:
                // Replicas of one service write the same at the same time.
                Files.AtomicWrite(step.First[0], step.Then[0]);
                return null;
            case ContainerStepKind.Clear:
                return Clear(step, client);
            case ContainerStepKind.Unless:
                if (Ask(step.First, client).IsSuccess) return null;
                var made = Ask(step.Then, client);
                return made.IsSuccess || Ask(step.First, client).IsSuccess ? null : Failed(step.Then, made.Words);
            case ContainerStepKind.Build:
                return step.First.Count > 0 && Ask(step.First, client).IsSuccess ? null : Build(step.Then, client);
            case ContainerStepKind.Need:
                return Ask(step.First, client).IsSuccess ? null : step.Then[0];
            case ContainerStepKind.Run:
                return Failed(step.First, ProcessReplacement.Execute(step.First[0], [.. step.First.Skip(1)], ContainerEnvironment.Merge(client, container)));
        }

        throw new InvalidOperationException($"no such step: {step.Kind}");
    }

    private const UnixFileMode ForAll = UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private static string? Clear(ContainerStep step, IReadOnlyDictionary<string, string> client)
    {
        var listed = Ask(step.First, client);
        if (listed is not ShortCommandOutcome.Ended { Status.IsSuccess: true, Output: var output }) return Failed(step.First, listed.Words);
        var found = output.Split((char[])['\n', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        // A failure is told by what comes next: the name is still taken.
        if (found.Length > 0) Ask([.. step.Then, .. found], client);
        return null;
    }

    private static ShortCommandOutcome Ask(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> client) =>
        ShortCommand.RunAsync(command[0], [.. command.Skip(1)], client, Patience).GetAwaiter().GetResult();

    private static string? Build(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> client)
    {
        // To where this program's own output goes: the replica's log.
        var request = new LaunchRequest(command[0], [.. command.Skip(1)], client, "/") { Output = "/proc/self/fd/1", ErrorOutput = "/proc/self/fd/2" };
        switch (ProcessLauncher.Launch(request))
        {
            case LaunchOutcome.Refused refused:
                return refused.Message;
            case LaunchOutcome.Launched { Process: var process }:
                using (process)
                {
                    var status = process.Exit.GetAwaiter().GetResult();
                    return status.IsSuccess ? null : Failed(command, status.ToString());
                }
        }

        throw new InvalidOperationException("a launch has two outcomes");
    }

    private static string Failed(IReadOnlyList<string> command, string words) => $"`{Path.GetFileName(command[0])} {string.Join(' ', command.Skip(1).Take(2))}` failed: {words}";

    private static int Fail(string problem)
    {
        StandardStreams.TryWriteLine(StandardStreams.ErrorOutput, problem);
        return ToolFailed;
    }
}
