using System.CommandLine;
using Stoker.Cli.StreamVerbs;
using Stoker.Daemon.Protocol;
using Stoker.Supervision;

namespace Stoker.Cli;

/// <summary>
/// What the completion scripts ask: words that fit, one a line, each with a tab and what it is for. A daemon that is asked for the
/// names of its services has little time: completion that hangs is worse than none.
/// </summary>
internal static class CompleteCommand
{
    public static Verb Create()
    {
        var words = new Argument<string[]>("WORD") { Arity = ArgumentArity.ZeroOrMore };
        return new Verb("complete", "words that complete a command line; for the scripts of `stoker completion`")
        {
            Example = "stoker complete -- status --wa",
            Hidden = true,
        }.With(words).Does(run => Run(run, run.Get(words) ?? []));
    }

    private static ExitCode Run(Invocation run, string[] words)
    {
        var globals = new GlobalOptions();
        var unfinished = words is [.., var last] ? last : "";
        string[] finished = [.. words.SkipLast(1)];
        var parse = new Verbs().Tree(globals, finished).Parse(finished, CommandLine.Grammar);
        foreach (var (word, about) in Find(run, parse, globals, unfinished).Where(c => c.Word.StartsWith(unfinished, StringComparison.Ordinal)))
            run.Output.WriteLine($"{word}\t{about}");
        return ExitCode.Done;
    }

    private static IEnumerable<(string Word, string About)> Find(Invocation run, ParseResult parse, GlobalOptions globals, string unfinished)
    {
        var command = parse.CommandResult.Command;
        // The value of an option that stands last and still wants one.
        if (parse.Errors.Select(e => e.SymbolResult).OfType<System.CommandLine.Parsing.OptionResult>().LastOrDefault(r => r.Tokens.Count == 0) is { Option: var open })
            return open.CompletionSources.SelectMany(s => s(System.CommandLine.Completions.CompletionContext.Empty)).Select(i => (i.Label, ""));
        if (unfinished.StartsWith('-'))
            return command.Options.Concat(globals.All).Where(o => !o.Hidden).DistinctBy(o => o.Name).Select(o => (o.Name, o.Description ?? ""));
        if (command.Subcommands.Count > 0) return command.Subcommands.Where(c => !c.Hidden).Select(c => (c.Name, c.Description ?? ""));
        return command.Arguments.SelectMany(argument => argument.Name switch
        {
            "NAME" => Services(run, parse, globals, ""),
            "NAME=N" => Services(run, parse, globals, "="),
            StreamChoice.ArgumentName => Streams(run, parse, globals),
            _ => argument.CompletionSources.SelectMany(s => s(System.CommandLine.Completions.CompletionContext.Empty)).Select(i => (i.Label, "")),
        });
    }

    /// <summary>Of the daemon that answers, else of the file.</summary>
    private static IEnumerable<(string, string)> Services(Invocation run, ParseResult parse, GlobalOptions globals, string suffix)
    {
        var quiet = run.World with { Error = TextWriter.Null, Patience = run.World.CompletionPatience };
        var asked = new Invocation(quiet, parse, globals);
        if (asked.State is { } state && quiet.Control(state).Status() is ControlReply<StatusDocument>.Answered { Document: var status })
            return status.Services.Select(s => (s.Name + suffix, StateWords.Of(s.State)));
        return asked.Choice?.Read(asked.Env).Spec is { } spec
            ? spec.Services.Keys.Select(n => (n.Value + suffix, spec.Services[n].Group?.Value.Value ?? ""))
            : [];
    }

    /// <summary>This host's.</summary>
    private static IEnumerable<(string, string)> Streams(Invocation run, ParseResult parse, GlobalOptions globals)
    {
        var asked = new Invocation(run.World with { Error = TextWriter.Null }, parse, globals);
        return asked.State is { } state ? StreamChoice.All(state).Select(stream => (stream.Name, stream.Plan.Listen)) : [];
    }
}
