using Stoker.Daemon.Protocol;

namespace Stoker.Cli;

internal static class RestartCommand
{
    public static Verb Create()
    {
        var names = Parameters.SomeNames("the services");
        return new Verb("restart", "stop and start services; what depends on them with `restart: true` follows")
        {
            Example = "stoker restart vision",
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Refused, ExitCode.NoDaemon, ExitCode.Interrupted],
        }.With(names).Asks((run, control) => Run(run, control, run.Get(names)!));
    }

    private static ExitCode Run(Invocation run, ControlClient control, string[] names) =>
        ServiceRequest.Run(run, control, names, name => control.Request(name, "restart"), new Goal(GoalKind.Up, names), "restarted");
}
