namespace Stoker.Cli;

internal static class RestartCommand
{
    public static Verb Create() => ServiceRequest.Verb(
        "restart", "stop and start services; what depends on them with `restart: true` follows", "stoker restart vision", GoalKind.Up, "restarted");
}
