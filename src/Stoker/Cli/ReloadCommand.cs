using Stoker.Daemon.Protocol;

namespace Stoker.Cli;

internal static class ReloadCommand
{
    public static Verb Create()
    {
        var names = Parameters.SomeNames("the services");
        return new Verb("reload", "tell services to read their configuration again, by the signal or command of `reload:`")
        {
            Example = "stoker reload nginx",
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Refused, ExitCode.NoDaemon, ExitCode.Interrupted],
        }.With(names).Asks((run, control) => Run(run, control, run.Get(names)!));
    }

    private static ExitCode Run(Invocation run, ControlClient control, string[] names) =>
        ServiceRequest.Run(run, control, names, name => control.Request(name, "reload"), null, "told to reload");
}
