using Stoker.Daemon.Protocol;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Supervision;

namespace Stoker.Cli;

/// <summary>What <c>start</c>, <c>stop</c>, <c>restart</c>, <c>reload</c> and <c>scale</c> share: check the names, ask, follow, say how it ended.</summary>
internal static class ServiceRequest
{
    /// <summary>A verb that asks one thing of the services it names.</summary>
    /// <param name="word">The verb, and what the daemon is asked.</param>
    /// <param name="goal">Where the services should get to; null: the daemon's word is enough.</param>
    /// <param name="done">In the past tense, for the last line: <c>restarted</c>.</param>
    public static Verb Verb(string word, string help, string example, GoalKind? goal, string done)
    {
        var names = Parameters.SomeNames("the services");
        return new Verb(word, help)
        {
            Example = example,
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Refused, ExitCode.NoDaemon, ExitCode.Interrupted],
        }.With(names).Asks((run, control) =>
        {
            var named = run.Get(names)!;
            return RunAsync(run, control, named, name => control.Request(name, word), goal is { } kind ? new Goal(kind, named) : null, done);
        });
    }

    /// <param name="goal">Where the services should get to; null: the daemon's word is enough.</param>
    /// <param name="done">In the past tense, for the last line: <c>restarted</c>.</param>
    public static async Task<ExitCode> RunAsync(
        Invocation run,
        ControlClient control,
        IReadOnlyList<string> names,
        Func<string, ControlReply<AcceptedDocument>> ask,
        Goal? goal,
        string done)
    {
        if (CheckNames(run, control, names) is { } wrong) return wrong;
        foreach (var name in names)
        {
            var reply = ask(name);
            if (reply is not ControlReply<AcceptedDocument>.Answered) return run.Failed(reply);
        }

        return goal is null ? Finish(run, names, done) : await FollowToAsync(run, control, goal, names, done);
    }

    /// <summary>Null when every name is a service of this daemon; else all that are not have been said.</summary>
    public static ExitCode? CheckNames(Invocation run, ControlClient control, IReadOnlyList<string> names)
    {
        if (names.Count == 0) return null;
        var reply = control.Status();
        return reply is ControlReply<StatusDocument>.Answered { Document: var status } ? CheckNames(run, status, names) : run.Failed(reply);
    }

    public static ExitCode? CheckNames(Invocation run, StatusDocument status, IReadOnlyList<string> names)
    {
        var known = status.Services.Select(s => s.Name).ToList();
        var unknown = names.Where(n => !known.Contains(n)).ToList();
        foreach (var name in unknown)
        {
            run.Report.Error(
                $"`{status.Estate}` runs no service `{name}`",
                Suggestion.For(name, known) ?? (known.Count <= 12 ? $"it runs {string.Join(", ", known)}" : "`stoker status` lists them"));
        }

        return unknown.Count > 0 ? ExitCode.Usage : null;
    }

    private static async Task<ExitCode> FollowToAsync(Invocation run, ControlClient control, Goal goal, IReadOnlyList<string> names, string done)
    {
        using var interrupts = run.World.Interrupts();
        var lines = run.Progress(names, fromNow: true);
        var outcome = await Follow.UntilAsync(control, goal, lines.See, null, run.World.Clock, interrupts.First);
        lines.Clear();
        switch (outcome)
        {
            case FollowOutcome.Reached:
                return Finish(run, names, $"{done} in {DurationWords.Of(lines.Elapsed)}");
            case FollowOutcome.Missed missed:
                run.Report.Error(
                    string.Join("; ", missed.Services.Select(s => $"`{s.Name}` is {StateWords.Of(s.State)}: {States.Reason(s)}".TrimEnd(' ', ':'))),
                    $"`stoker why {missed.Services[0].Name}` tells more");
                return ExitCode.NotAsItShouldBe;
            case FollowOutcome.Interrupted:
                run.Report.Say("the daemon goes on without being watched");
                return ExitCode.Interrupted;
            case FollowOutcome.NoAnswer none:
                return run.Failed(none.Reply);
            default:
                run.Report.Error("the daemon ended meanwhile", "`stoker status` tells how things are");
                return ExitCode.NoDaemon;
        }
    }

    private static ExitCode Finish(Invocation run, IReadOnlyList<string> names, string done)
    {
        run.Report.Say($"{string.Join(", ", names)} {done}");
        return ExitCode.Done;
    }
}
