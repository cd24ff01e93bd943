namespace Stoker.Cli;

internal static class ModelCommand
{
    public static Verb Create() => new Verb("model", "the models that the estate serves")
    {
        Example = "stoker model usage --by key --since 7d",
        ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong],
    }.With(UsageCommand.Create());
}
