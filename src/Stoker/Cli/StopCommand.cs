using Stoker.Daemon.Protocol;

namespace Stoker.Cli;

internal static class StopCommand
{
    public static Verb Create()
    {
        var names = Parameters.SomeNames("the services");
        return new Verb("stop", "stop services; they stay stopped until started, also over a new daemon")
        {
            Example = "stoker stop vision",
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Refused, ExitCode.NoDaemon, ExitCode.Interrupted],
        }.With(names).Asks((run, control) => Run(run, control, run.Get(names)!));
    }

    private static ExitCode Run(Invocation run, ControlClient control, string[] names) =>
        ServiceRequest.Run(run, control, names, name => control.Request(name, "stop"), new Goal(GoalKind.Over, names), "stopped");
}
