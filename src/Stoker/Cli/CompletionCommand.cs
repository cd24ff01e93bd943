namespace Stoker.Cli;

internal static class CompletionCommand
{
    private static readonly string[] Shells = ["bash", "zsh", "fish"];

    public static Verb Create()
    {
        var shell = new System.CommandLine.Argument<string>("SHELL") { Description = "bash, zsh or fish" };
        shell.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var name }] && !Shells.Contains(name)) result.AddError($"`{name}` is not one of {string.Join(", ", Shells)}");
        });
        shell.CompletionSources.Add(_ => Shells.Select(s => new System.CommandLine.Completions.CompletionItem(s)));
        return new Verb("completion", "print the script that teaches a shell to complete verbs, options and the names of running services")
        {
            Example = "source <(stoker completion bash)",
            Remarks =
            [
                "bash: source <(stoker completion bash), in ~/.bashrc.",
                "zsh: source <(stoker completion zsh), in ~/.zshrc after compinit.",
                "fish: stoker completion fish > ~/.config/fish/completions/stoker.fish",
            ],
        }.With(shell).Does(run =>
        {
            run.Output.Write(Script(run.Get(shell)!));
            return ExitCode.Done;
        });
    }

    /// <summary>Each asks `stoker complete` with the words so far, the unfinished one last.</summary>
    private static string Script(string shell) => shell switch
    {
        "bash" => """
            _stoker() {
                local IFS=$'\n' word
                COMPREPLY=()
                while read -r word; do COMPREPLY+=("${word%%$'\t'*}"); done \
                    < <(stoker complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
                [[ ${#COMPREPLY[@]} -gt 0 ]] || compopt -o default
            }
            complete -F _stoker stoker ./stoker

            """,
        "zsh" => """
            #compdef stoker
            _stoker() {
                local line
                local -a words_found
                for line in "${(@f)$(stoker complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
                    [[ -n $line ]] && words_found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
                done
                if (( ${#words_found} )); then _describe 'stoker' words_found; else _files; fi
            }
            compdef _stoker stoker

            """,
        _ => """
            function __stoker_complete
                set -l words (commandline -opc)
                stoker complete -- $words[2..-1] (commandline -ct) 2>/dev/null
            end
            complete -c stoker -f -a '(__stoker_complete)'
            complete -c stoker -s f -l file -r -F

            """,
    };
}
