using System.Text;

namespace Stoker.Estates.Yaml;

/// <summary>What is wrong with, or worth saying about, one interpolation. <c>Offset</c>: its <c>$</c> in the text.</summary>
internal abstract record TemplateFault(int Offset)
{
    /// <summary>A variable without default is not set; it became empty.</summary>
    internal sealed record Unset(string Name, int Offset) : TemplateFault(Offset);

    /// <summary><c>${NAME:?message}</c>, and it is missing.</summary>
    internal sealed record Required(string Name, string Message, int Offset) : TemplateFault(Offset);

    /// <summary>No interpolation can be read here.</summary>
    internal sealed record Malformed(string Problem, int Offset) : TemplateFault(Offset);
}

/// <summary>
/// Compose's interpolation of one text: <c>$NAME ${NAME} ${NAME:-d} ${NAME-d} ${NAME:?e} ${NAME?e} ${NAME:+a} ${NAME+a}</c>,
/// words nested, and <c>$$</c> for a dollar. A dollar before anything else stays, so that <c>^regex$</c> and <c>$(NAME)</c>
/// pass untouched; the latter is expanded when the service starts. Only the word that is chosen is expanded.
/// </summary>
internal sealed class Template
{
    private const int DeepestNesting = 50;

    private readonly string _text;
    private readonly Func<string, string?> _lookup;
    private readonly List<TemplateFault> _faults;

    private Template(string text, Func<string, string?> lookup, List<TemplateFault> faults)
    {
        _text = text;
        _lookup = lookup;
        _faults = faults;
    }

    /// <summary>The text with its variables replaced; <paramref name="faults"/> gets what was found on the way.</summary>
    public static string Substitute(string text, Func<string, string?> lookup, List<TemplateFault> faults)
    {
        if (!text.Contains('$')) return text;
        var output = new StringBuilder(text.Length + 16);
        new Template(text, lookup, faults).Expand(0, text.Length, output, 0);
        return output.ToString();
    }

    private void Expand(int start, int end, StringBuilder output, int depth)
    {
        var at = start;
        while (at < end)
        {
            var dollar = _text.IndexOf('$', at, end - at);
            if (dollar < 0 || dollar == end - 1)
            {
                output.Append(_text, at, end - at);
                return;
            }

            output.Append(_text, at, dollar - at);
            at = ExpandOne(dollar, end, output, depth);
        }
    }

    /// <summary>Expands what begins at <paramref name="dollar"/>; returns where it ends.</summary>
    private int ExpandOne(int dollar, int end, StringBuilder output, int depth)
    {
        var next = _text[dollar + 1];
        if (next == '{') return ExpandBraced(dollar, end, output, depth);
        if (IsNameStart(next))
        {
            var nameEnd = NameEnd(dollar + 1, end);
            Plain(_text[(dollar + 1)..nameEnd], dollar, output);
            return nameEnd;
        }

        output.Append('$');
        return next == '$' ? dollar + 2 : dollar + 1;
    }

    private int ExpandBraced(int dollar, int end, StringBuilder output, int depth)
    {
        var close = ClosingBrace(dollar + 1, end);
        if (close < 0) return Malformed("`${` is not closed", dollar, end, output);
        if (depth == DeepestNesting) return Malformed($"interpolations are nested deeper than {DeepestNesting} levels", dollar, close + 1, output);
        var nameStart = dollar + 2;
        if (nameStart == close) return Malformed("`${}` names no variable", dollar, close + 1, output);
        if (!IsNameStart(_text[nameStart])) return Malformed($"`{_text[nameStart]}` cannot begin a variable's name", dollar, close + 1, output);

        var nameEnd = NameEnd(nameStart, close);
        var name = _text[nameStart..nameEnd];
        if (nameEnd == close)
        {
            Plain(name, dollar, output);
            return close + 1;
        }

        var orEmpty = _text[nameEnd] == ':';
        var operation = nameEnd + (orEmpty ? 1 : 0);
        if (operation >= close || _text[operation] is not ('-' or '?' or '+'))
            return Malformed($"`{_text[nameEnd..close]}` cannot follow the name `{name}`", dollar, close + 1, output);

        var word = (Start: operation + 1, End: close);
        var value = _lookup(name);
        var present = orEmpty ? !string.IsNullOrEmpty(value) : value is not null;
        switch (_text[operation])
        {
            case '-' when present:
                output.Append(value);
                break;
            case '-':
                Expand(word.Start, word.End, output, depth + 1);
                break;
            case '+' when present:
                Expand(word.Start, word.End, output, depth + 1);
                break;
            case '?' when present:
                output.Append(value);
                break;
            case '?':
                var message = new StringBuilder();
                Expand(word.Start, word.End, message, depth + 1);
                _faults.Add(new TemplateFault.Required(name, message.ToString(), dollar));
                break;
        }

        return close + 1;
    }

    private void Plain(string name, int dollar, StringBuilder output)
    {
        var value = _lookup(name);
        if (value is null) _faults.Add(new TemplateFault.Unset(name, dollar));
        output.Append(value);
    }

    private int Malformed(string problem, int dollar, int resume, StringBuilder output)
    {
        _faults.Add(new TemplateFault.Malformed(problem, dollar));
        output.Append(_text, dollar, resume - dollar);
        return resume;
    }

    // Braces are counted whether or not a dollar stands before them, as Compose does, so that a default may be JSON.
    private int ClosingBrace(int open, int end)
    {
        var depth = 0;
        for (var i = open; i < end; i++)
        {
            if (_text[i] == '{') depth++;
            else if (_text[i] == '}' && --depth == 0) return i;
        }

        return -1;
    }

    private int NameEnd(int start, int end)
    {
        var i = start;
        while (i < end && (IsNameStart(_text[i]) || char.IsAsciiDigit(_text[i]))) i++;
        return i;
    }

    private static bool IsNameStart(char c) => c == '_' || char.IsAsciiLetter(c);
}
