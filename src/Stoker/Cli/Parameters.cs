using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Stoker.Cli;

/// <summary>
/// The kinds of options and arguments that verbs have. All carry text and check it themselves: the messages are in the words
/// of this program, and no generic code has to be compiled when it starts.
/// </summary>
internal static class Parameters
{
    public static Argument<string[]> Names(string description) => new("NAME")
    {
        Arity = ArgumentArity.ZeroOrMore,
        Description = description,
    };

    public static Argument<string[]> SomeNames(string description) => new("NAME")
    {
        Arity = ArgumentArity.OneOrMore,
        Description = description,
    };

    public static Argument<string[]> Pairs(string word, string description, Func<string, string?> problem)
    {
        var argument = new Argument<string[]>(word) { Arity = ArgumentArity.OneOrMore, Description = description };
        argument.Validators.Add(result =>
        {
            if (result.Tokens.Select(t => problem(t.Value)).FirstOrDefault(p => p is not null) is { } wrong) result.AddError(wrong);
        });
        return argument;
    }

    public static Argument<string> Name(string description) => new("NAME")
    {
        Arity = ArgumentArity.ExactlyOne,
        Description = description,
    };

    public static Option<bool> Flag(string name, string description, params string[] aliases) => new(name, aliases) { Description = description };

    public static Option<string?> Text(string name, string placeholder, string description, params string[] aliases) => new(name, aliases)
    {
        HelpName = placeholder,
        Description = description,
    };

    public static Option<string[]> Texts(string name, string placeholder, string description, params string[] aliases) => new(name, aliases)
    {
        HelpName = placeholder,
        Description = description,
        Arity = ArgumentArity.OneOrMore,
    };

    public static Option<string?> Duration(string name, string description) =>
        Checked(Text(name, "DURATION", description), text => Durations.Parse(text) is null ? "not a duration like 30s, 5m or 1h30m" : null);

    public static Option<string?> Moment(string name, string description) =>
        Checked(Text(name, "TIME", description), text => Moments.Parse(text, TimeProvider.System) is null ? "not " + Moments.Grammar : null);

    public static Option<string?> Count(string name, string description, params string[] aliases) => Checked(
        Text(name, "N", description, aliases),
        text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? null : "not a whole number from 0 on");

    public static Option<string?> Amount(string name, string description) => Checked(
        Text(name, "N", description),
        text => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _) ? null : "not a number from 0 on");

    public static Option<string?> Tokens(string name, string description) => Checked(
        Text(name, "N", description),
        text => Limits.TokenCount.Parse(text) is null ? $"not {Limits.TokenCount.Grammar}" : null);

    /// <summary>May stand several times; each value is checked for itself.</summary>
    public static Option<string[]> Several(string name, string placeholder, string description, Func<string, string?> problem)
    {
        var option = Texts(name, placeholder, description);
        option.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                if (problem(token.Value) is { } wrong) result.AddError($"`{name} {token.Value}`: {wrong}");
            }
        });
        return option;
    }

    public static Option<string?> Pattern(string name, string description) => Checked(
        Text(name, "REGEX", description),
        text =>
        {
            try
            {
                _ = new Regex(text, RegexOptions.CultureInvariant);
                return null;
            }
            catch (RegexParseException e)
            {
                return $"not a regular expression: {e.Message}";
            }
        });

    public static Option<string?> OneOf(string name, string description, params string[] words)
    {
        var option = Checked(
            Text(name, string.Join('|', words), description),
            text => words.Contains(text) ? null : $"not one of {string.Join(", ", words)}");
        option.CompletionSources.Add(words);
        return option;
    }

    private static Option<string?> Checked(Option<string?> option, Func<string, string?> problem)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens is [.., { Value: var text }] && problem(text) is { } wrong)
                result.AddError($"`{result.IdentifierToken?.Value ?? option.Name} {text}`: {wrong}");
        });
        return option;
    }
}
