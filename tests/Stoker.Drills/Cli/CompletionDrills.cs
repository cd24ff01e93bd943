using Stoker.Drills.Shared;
using Stoker.Platform;
using Xunit;

namespace Stoker.Drills.Cli;

/// <summary>The completion scripts in the shells they are for: keys are typed, and what the shell then runs is looked at.</summary>
public sealed class CompletionDrills : IDisposable
{
    private readonly Machine _machine = new("""
        name: completed
        services:
          peculiar-name:
            command: sleep 100000
        """);

    public static TheoryData<string, string> Shells => new()
    {
        { "bash", "bash --noprofile --rcfile rc -i" },
        { "zsh", "ZDOTDIR=$PWD exec zsh -i" },
        { "fish", "exec fish --no-config -C 'source rc.fish' -i" },
    };

    [Theory]
    [MemberData(nameof(Shells))]
    public void A_shell_completes_verbs_options_and_names_of_services(string shell, string command)
    {
        if (Executables.Find(shell, HostEnvironment.Variable("PATH"), "/") is null) Assert.Skip($"{shell} is not installed");
        Prepare();
        using var terminal = new Terminal(command, _machine.Directory, new Dictionary<string, string>
        {
            ["STOKER_STATE"] = _machine.State,
            ["PATH"] = $"{_machine.Directory}/bin:{HostEnvironment.Variable("PATH")}",
            ["HOME"] = _machine.Directory,
        });

        Assert.Equal(["daemon", "upgrade"], Typed(terminal, "stoker dae\tupg\t\r"));
        Assert.Equal(["up", "--rehearse"], Typed(terminal, "stoker up --reh\t\r"));
        Assert.Equal(["restart", "peculiar-name"], Typed(terminal, "stoker restart pec\t\r"));
    }

    public void Dispose() => _machine.Dispose();

    /// <summary>A program of the name that answers completion as the real one and otherwise notes what it was run with.</summary>
    private void Prepare()
    {
        _machine.Up();
        System.IO.Directory.CreateDirectory(Path.Combine(_machine.Directory, "bin"));
        var program = Path.Combine(_machine.Directory, "bin", "stoker");
        File.WriteAllText(program, $$"""
            #!/bin/sh
            case $1 in complete | completion) exec {{Machine.Program}} "$@" ;; esac
            printf '%s\n' "$@" >'{{_machine.Directory}}/ran.new'
            mv '{{_machine.Directory}}/ran.new' '{{_machine.Directory}}/ran'
            """);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _machine.Write("rc", "PS1='ready> '\nsource <(stoker completion bash)\n");
        _machine.Write(".zshrc", "PS1='ready> '\nautoload -U compinit; compinit -u -D\nsource <(stoker completion zsh)\n");
        _machine.Write("rc.fish", "function fish_prompt; printf 'ready> '; end\nstoker completion fish | source\n");
    }

    private string[] Typed(Terminal terminal, string keys)
    {
        var note = Path.Combine(_machine.Directory, "ran");
        var prompts = Prompts(terminal);
        terminal.Until("the shell is ready", () => Prompts(terminal) > 0);
        foreach (var part in keys.Split('\t'))
        {
            // A shell reads on after it has shown what it found.
            var before = terminal.Sent.Length;
            terminal.Type(part == keys.Split('\t')[^1] ? part : part + "\t");
            if (part.Length > 0 && part != "\r") terminal.Until("the completion is shown", () => terminal.Sent.Length > before + part.Length);
        }

        terminal.Until("the command ran", () => File.Exists(note));
        terminal.Until("the next prompt is there", () => Prompts(terminal) > prompts);
        var words = File.ReadAllLines(note);
        File.Delete(note);
        return words;
    }

    private static int Prompts(Terminal terminal) => terminal.Sent.Split("ready> ").Length - 1;
}
