namespace Stoker.Cli;

internal static class VersionCommand
{
    public static Verb Create() => new Verb("version", "print the version; so does `stoker --version`")
    {
        Example = "stoker --version",
        Hidden = true,
    }.Does(run =>
    {
        run.Output.WriteLine(Text);
        return ExitCode.Done;
    });

    /// <summary><c>stoker 0.1.0+340b97b</c></summary>
    public static string Text => $"stoker {Number}";

    public static string Number { get; } = Read();

    private static string Read()
    {
        var attribute = (System.Reflection.AssemblyInformationalVersionAttribute?)Attribute.GetCustomAttribute(
            typeof(VersionCommand).Assembly, typeof(System.Reflection.AssemblyInformationalVersionAttribute));
        var text = attribute?.InformationalVersion ?? "unknown";
        // The build appends the whole commit id; its beginning tells commits apart.
        return text.IndexOf('+', StringComparison.Ordinal) is var plus and > 0 && text.Length > plus + 8 ? text[..(plus + 8)] : text;
    }
}
