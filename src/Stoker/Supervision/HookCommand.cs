using Stoker.Estates;
using Stoker.Platform;
using Stoker.Runtimes;

namespace Stoker.Supervision;

/// <summary>Runs a <c>post_start</c>, <c>pre_stop</c> or reload command beside a replica; its output goes where the replica's goes.</summary>
internal static class HookCommand
{
    /// <summary>Null when it succeeded, else what went wrong in words.</summary>
    public static Task<string?> RunAsync(ReplicaRun run, ServiceSpec spec, HookSpec hook, (string Output, string Error) pipes)
    {
        if (run.Handle.Container is { } container)
        {
            var inside = ContainerCommand.Exec(container, hook.Command, hook.User, hook.WorkingDirectory, hook.Environment);
            return RunAsync(inside, ContainerEnvironment.Merge(run.Environment, hook.Environment), "/", null, pipes, run.Ending);
        }

        var environment = new Dictionary<string, string>(run.Environment);
        foreach (var (name, value) in hook.Environment) environment[name] = value;
        UserIdentity? user = null;
        if (hook.User is { } declared && !Users.TryResolve(declared, out user, out var problem)) return Task.FromResult<string?>(problem);
        return RunAsync(Expand(hook.Command, environment), environment, hook.WorkingDirectory ?? spec.WorkingDirectory ?? "/", user ?? LaunchComposer.UserOf(spec), pipes, run.Ending);
    }

    public static Task<string?> RunAsync(ReplicaRun run, ServiceSpec spec, IReadOnlyList<string> command, (string Output, string Error) pipes) =>
        run.Handle.Container is { } container
            ? RunAsync(ContainerCommand.Exec(container, command), run.Environment, "/", null, pipes, run.Ending)
            : RunAsync(Expand(command, run.Environment), run.Environment, spec.WorkingDirectory ?? "/", LaunchComposer.UserOf(spec), pipes, run.Ending);

    private static List<string> Expand(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment) =>
        [.. command.Select(word => Expansion.Expand(word, environment))];

    private static async Task<string?> RunAsync(
        IReadOnlyList<string> words, IReadOnlyDictionary<string, string> environment, string directory, UserIdentity? user, (string Output, string Error) pipes, CancellationToken cancel)
    {
        if (Executables.Find(words[0], environment.GetValueOrDefault("PATH"), directory) is not { } executable) return $"`{words[0]}` is not installed";
        var request = new LaunchRequest(executable, [.. words.Skip(1)], environment, directory) { Output = pipes.Output, ErrorOutput = pipes.Error, User = user };
        switch (ProcessLauncher.Launch(request))
        {
            case LaunchOutcome.Refused refused:
                return refused.Message;
            case LaunchOutcome.Launched launched:
                using (launched.Process) return await EndAsync(launched.Process, string.Join(' ', words), cancel);
        }

        throw new InvalidOperationException("a launch has two outcomes");
    }

    private static async Task<string?> EndAsync(ChildProcess process, string command, CancellationToken cancel)
    {
        try
        {
            var status = await process.Exit.WaitAsync(cancel);
            return status.IsSuccess ? null : $"`{command}` {status}";
        }
        catch (OperationCanceledException)
        {
            process.Signal(Signals.Kill);
            return $"`{command}` was cut short, because its service ended";
        }
    }
}
