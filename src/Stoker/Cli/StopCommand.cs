namespace Stoker.Cli;

internal static class StopCommand
{
    public static Verb Create() => ServiceRequest.Verb(
        "stop", "stop services; they stay stopped until started, also over a new daemon", "stoker stop vision", GoalKind.Over, "stopped");
}
