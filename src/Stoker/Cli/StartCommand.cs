using Stoker.Daemon.Protocol;

namespace Stoker.Cli;

internal static class StartCommand
{
    public static Verb Create()
    {
        var names = Parameters.SomeNames("the services");
        return new Verb("start", "start services that are stopped, completed or failed")
        {
            Example = "stoker start vision speech",
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Refused, ExitCode.NoDaemon, ExitCode.Interrupted],
        }.With(names).Asks((run, control) => Run(run, control, run.Get(names)!));
    }

    private static ExitCode Run(Invocation run, ControlClient control, string[] names) =>
        ServiceRequest.Run(run, control, names, name => control.Request(name, "start"), new Goal(GoalKind.Up, names), "up");
}
