namespace Stoker.Cli;

internal static class StartCommand
{
    public static Verb Create() => ServiceRequest.Verb(
        "start", "start services that are stopped, completed or failed", "stoker start vision speech", GoalKind.Up, "up");
}
