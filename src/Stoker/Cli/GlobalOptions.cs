using System.CommandLine;

namespace Stoker.Cli;

/// <summary>The options that every verb takes, before or after its name.</summary>
internal sealed class GlobalOptions
{
    public Option<string[]> File { get; } = Recursive(Parameters.Texts(
        "--file",
        "FILE",
        "the estate file, several are merged in order (default: stoker.yaml or compose.yaml here or in a directory above; -f before the verb)",
        "-f"));

    public Option<string?> State { get; } = Recursive(Parameters.Text("--state", "DIR", "the state directory (default: STOKER_STATE, else by the estate's name)"));

    public Option<string?> Env { get; } = Recursive(Parameters.Text("--env", "NAME", "merge the overlays of this entry of `environments:`"));

    public Option<string?> Host { get; } = Recursive(Parameters.Text("--host", "NAME", "the host of the estate that this machine is"));

    public Option<bool> Json { get; } = Recursive(Parameters.Flag("--json", "JSON on stdout, stable and documented"));

    public Option<bool> NoColor { get; } = Recursive(Parameters.Flag("--no-color", "no colours; so does NO_COLOR in the environment"));

    public Option<bool> Help { get; } = Recursive(Parameters.Flag("--help", "this text", "-h"));

    public IReadOnlyList<Option> All => [File, State, Env, Host, Json, NoColor, Help];

    private static T Recursive<T>(T option)
        where T : Option
    {
        option.Recursive = true;
        return option;
    }
}
