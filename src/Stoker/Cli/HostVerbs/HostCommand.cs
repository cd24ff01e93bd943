namespace Stoker.Cli.HostVerbs;

internal static class HostCommand
{
    public static Verb Create() => new Verb("host", "this machine: what it is, what it must be, and bringing it there")
    {
        Example = "stoker host facts",
        ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Refused, ExitCode.Interrupted],
    }.With(FactsVerb.Create(), CheckVerb.Create(), LayersVerb.Create());
}
