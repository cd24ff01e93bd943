using System.CommandLine;
using System.CommandLine.Parsing;

namespace Stoker.Cli;

/// <summary>
/// <c>--help</c>: what the verb is for, its words, the exit codes that it can end with, and last an example to copy.
/// </summary>
internal static class HelpPage
{
    private static readonly ExitCode[] Always = [ExitCode.Done, ExitCode.Usage];

    public static void Write(TextWriter writer, Verbs verbs, Command root, CommandResult asked, GlobalOptions globals, int width, Style style)
    {
        var command = asked.Command;
        Paragraph(writer, command == root ? command.Description! : $"{UsageErrors.Path(asked)}: {command.Description}", width, "");
        foreach (var remark in (command as Verb)?.Remarks ?? [])
        {
            writer.WriteLine();
            Paragraph(writer, remark, width, "");
        }

        Title(writer, "Usage", style);
        writer.WriteLine($"  {UsageErrors.Path(asked)}{Usage(command)}");
        if (command == root) RootVerbs(writer, verbs, width, style);
        else Section(writer, "Verbs", [.. command.Subcommands.Where(c => !c.Hidden).Select(c => (c.Name, c.Description ?? ""))], width, style);
        Section(writer, "Words", [.. command.Arguments.Where(a => !a.Hidden).Select(a => (ArgumentWord(a), a.Description ?? ""))], width, style);
        Section(writer, "Options", [.. command.Options.Where(o => !globals.All.Contains(o)).Where(o => !o.Hidden).Select(Row)], width, style);
        // An alias that the verb itself uses, as `logs -f`, is not offered twice.
        var own = command.Options.Where(o => !globals.All.Contains(o)).SelectMany(o => o.Aliases).ToHashSet();
        Section(writer, "Options of every verb", [.. globals.All.Select(o => Row(o, own))], width, style);
        WriteCodes(writer, command as Verb, style);
        Title(writer, "Example", style);
        writer.WriteLine($"  {(command as Verb)?.Example ?? "stoker up -d && stoker status"}");
    }

    private static string Usage(Command command)
    {
        var words = command.Subcommands.Count > 0 ? " VERB" : "";
        foreach (var argument in command.Arguments.Where(a => !a.Hidden)) words += " " + ArgumentWord(argument);
        return words + " [options]";
    }

    private static string ArgumentWord(Argument argument) => argument.HelpName ?? argument.Arity switch
    {
        { MinimumNumberOfValues: 0, MaximumNumberOfValues: > 1 } => $"[{argument.Name}…]",
        { MaximumNumberOfValues: > 1 } => $"{argument.Name}…",
        { MinimumNumberOfValues: 0 } => $"[{argument.Name}]",
        _ => argument.Name,
    };

    private static (string Left, string Right) Row(Option option) => Row(option, []);

    private static (string Left, string Right) Row(Option option, HashSet<string> taken)
    {
        var names = option.Aliases.Where(a => !taken.Contains(a)).OrderBy(a => a.Length).Append(option.Name).Distinct();
        var left = string.Join(", ", names);
        return (option.HelpName is { } value ? $"{left} {value}" : left, option.Description ?? "");
    }

    private static void RootVerbs(TextWriter writer, Verbs all, int width, Style style)
    {
        foreach (var (title, verbs) in all.Groups)
            Section(writer, title, [.. verbs.Where(v => !v.Hidden).Select(v => (v.Name, v.Description ?? ""))], width, style);
    }

    private static void WriteCodes(TextWriter writer, Verb? verb, Style style)
    {
        Title(writer, "Exit codes", style);
        var codes = verb is null ? Enum.GetValues<ExitCode>() : [.. Always.Union(verb.ExitCodes).Order()];
        foreach (var code in codes) writer.WriteLine($"  {(int)code,3}  {ExitCodes.Meaning(code)}");
    }

    private static void Title(TextWriter writer, string title, Style style)
    {
        writer.WriteLine();
        writer.WriteLine(style.Paint($"{title}:", Tone.Strong));
    }

    private static void Section(TextWriter writer, string title, IReadOnlyList<(string Left, string Right)> rows, int width, Style style)
    {
        if (rows.Count == 0) return;
        Title(writer, title, style);
        var left = Math.Min(rows.Max(r => TextWidth.Of(r.Left)), 28);
        foreach (var row in rows)
        {
            var lines = Wrap(row.Right, Math.Max(20, width - left - 4));
            // What is longer than its column has a line of its own.
            if (TextWidth.Of(row.Left) > left) writer.WriteLine($"  {row.Left}");
            else writer.WriteLine($"  {TextWidth.Fit(row.Left, left)}  {lines[0]}");
            foreach (var more in lines.Skip(TextWidth.Of(row.Left) > left ? 0 : 1)) writer.WriteLine(new string(' ', left + 4) + more);
        }
    }

    private static void Paragraph(TextWriter writer, string text, int width, string indent)
    {
        foreach (var line in Wrap(text, width - indent.Length)) writer.WriteLine(indent + line);
    }

    internal static IReadOnlyList<string> Wrap(string text, int width)
    {
        var lines = new List<string>();
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && TextWidth.Of(line) + 1 + TextWidth.Of(word) > width)
            {
                lines.Add(line);
                line = "";
            }

            line += line.Length > 0 ? " " + word : word;
        }

        lines.Add(line);
        return lines;
    }
}
