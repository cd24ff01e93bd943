using System.CommandLine;
using System.CommandLine.Parsing;
using Stoker.Diagnostics;

namespace Stoker.Cli;

/// <param name="Message">What is wrong with the words.</param>
/// <param name="Hint">What was meant perhaps, or where to read on.</param>
internal sealed record UsageError(string Message, string Hint);

/// <summary>The parser's findings in the words of this program, the first one only: what follows is often its echo.</summary>
internal static class UsageErrors
{
    public static UsageError? Find(ParseResult parse)
    {
        var command = parse.CommandResult;
        var path = Path(command);
        var help = $"`{path} --help` shows how it is used";
        if (Stray(parse) is { } stray)
        {
            return stray.StartsWith('-')
                ? new UsageError($"`{path}` has no option `{stray}`", Suggestion.For(stray, OptionNames(command)) ?? help)
                : command.Command.Subcommands.Count > 0
                    ? new UsageError($"`{path}` has no verb `{stray}`", Suggestion.For(stray, VerbNames(command.Command)) ?? help)
                    : new UsageError($"`{path}` takes no more words, but there is `{stray}`", help);
        }

        if (parse.Errors is [var first, ..]) return new UsageError(InWords(first, path), help);
        return command.Command is Verb { Run: not null }
            ? null
            : new UsageError($"`{path}` needs a verb: {string.Join(", ", VerbNames(command.Command))}", help);
    }

    /// <summary><c>stoker config explain</c></summary>
    public static string Path(CommandResult command) => command.Parent is CommandResult parent
        ? $"{Path(parent)} {command.Command.Name}"
        : command.Command.Name;

    /// <summary>
    /// A word that belongs nowhere. The parser takes an unknown option for a name where names are welcome; no name begins with a dash.
    /// </summary>
    private static string? Stray(ParseResult parse)
    {
        if (parse.UnmatchedTokens is [var unmatched, ..]) return unmatched;
        return parse.CommandResult.Children.OfType<ArgumentResult>()
            .SelectMany(a => a.Tokens)
            .Select(t => t.Value)
            .FirstOrDefault(value => value.Length > 1 && value[0] == '-' && parse.CommandResult.Command.Name != "complete");
    }

    private static string InWords(ParseError error, string path)
    {
        if (error.SymbolResult is OptionResult { Tokens.Count: 0, IdentifierToken: { } token } option)
            return $"`{token.Value}` needs a value: {token.Value} {option.Option.HelpName}";
        if (error.SymbolResult is OptionResult { Tokens.Count: > 1 } many && many.Option.Arity.MaximumNumberOfValues == 1)
            return $"`{many.IdentifierToken?.Value}` is given more than once";
        if (error.SymbolResult is ArgumentResult { Tokens.Count: 0 } argument) return $"`{path}` needs {argument.Argument.Name}";
        if (error.SymbolResult is CommandResult { Command: { Arguments: [var missing, ..], Subcommands.Count: 0 } }) return $"`{path}` needs {missing.Name}";
        if (error.SymbolResult is CommandResult { Command: { Subcommands.Count: > 0 } command })
            return $"`{path}` needs a verb: {string.Join(", ", VerbNames(command))}";
        return error.Message;
    }

    private static IEnumerable<string> VerbNames(Command command) => command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name);

    private static IEnumerable<string> OptionNames(CommandResult command)
    {
        for (var at = command; at is not null; at = at.Parent as CommandResult)
        {
            foreach (var option in at.Command.Options.Where(o => !o.Hidden && (at == command || o.Recursive))) yield return option.Name;
        }
    }
}
