using System.CommandLine;
using Stoker.Platform;

namespace Stoker.Cli;

/// <summary>
/// The command line of Stoker.
/// <code>
/// words → parsed → usage errors, or help, or → the verb's own file → exit code
///                                               ├ reads the estate file      check, plan, config
///                                               ├ asks the daemon            status, why, events, restart, …
///                                               ├ begins the daemon          up, daemon run
///                                               └ reads the state directory  logs
/// </code>
/// Data goes to stdout and everything else to stderr. A client verb touches neither YAML nor the supervisor, so that
/// <c>stoker status</c> answers before a person notices.
/// </summary>
internal static class CommandLine
{
    public static int Run(IReadOnlyList<string> words, Surroundings world)
    {
        var globals = new GlobalOptions();
        var verbs = new Verbs();
        var root = verbs.Tree(globals, words);
        var parse = root.Parse(words, Grammar);
        var invocation = new Invocation(world, parse, globals);
        try
        {
            var code = Run(verbs, root, parse, globals, invocation);
            // Here, so that a disk that is full is noticed.
            world.Output.Flush();
            return (int)code;
        }
        catch (ReaderLeftException)
        {
            // As with other programs, the end of `stoker logs | head` is no error to talk about.
            return (int)ExitCode.Interrupted;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A broken machine: a full disk, a directory that may not be entered.
            invocation.Report.Error(e.Message);
            return (int)ExitCode.NotAsItShouldBe;
        }
        catch (Exception e)
        {
            invocation.Report.Error($"this is a bug of Stoker, not of your estate: {e}", "please report it with the lines above");
            return (int)ExitCode.NotAsItShouldBe;
        }
    }

    /// <summary>Words that begin with <c>@</c> are words: a service's own arguments may need them.</summary>
    public static ParserConfiguration Grammar { get; } = new() { ResponseFileTokenReplacer = null };

    private static ExitCode Run(Verbs verbs, Command root, ParseResult parse, GlobalOptions globals, Invocation invocation)
    {
        var command = parse.CommandResult.Command;
        if (parse.GetResult(globals.Help) is { Implicit: false } || (command == root && parse.Tokens.Count == 0))
        {
            HelpPage.Write(invocation.Output, verbs, root, parse.CommandResult, globals, Math.Min(invocation.Width, 120), invocation.Style);
            return ExitCode.Done;
        }

        if (UsageErrors.Find(parse) is { } error)
        {
            invocation.Report.Error(error.Message, error.Hint);
            return ExitCode.Usage;
        }

        // The only wait for a verb: there is no synchronisation context that it could block.
        return ((Verb)command).Run!(invocation).GetAwaiter().GetResult();
    }
}
