namespace Stoker.Cli;

internal static class ReloadCommand
{
    public static Verb Create() => ServiceRequest.Verb(
        "reload", "tell services to read their configuration again, by the signal or command of `reload:`", "stoker reload nginx", null, "told to reload");
}
