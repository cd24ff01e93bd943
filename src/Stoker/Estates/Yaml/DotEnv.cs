using System.Text;
using Stoker.Diagnostics;

namespace Stoker.Estates.Yaml;

/// <summary>
/// Compose's env files: <c>NAME=value</c> or <c>NAME: value</c>, an optional <c>export</c>, comments, bare words, <c>'literal'</c>,
/// <c>"with \n escapes and ${VARIABLES}"</c>, quotes over several lines, and a lone <c>NAME</c> that is taken from the environment.
/// <code>
/// export LEVEL=info          # a comment needs a space before it
/// URL="http://${HOST:-localhost}:8080"
/// KEY='-----BEGIN
/// $not expanded'
/// </code>
/// </summary>
internal sealed class DotEnv
{
    private readonly string _text;
    private readonly string _file;
    private readonly DiagnosticBag _bag;
    private readonly Func<string, string?> _environment;
    private readonly Dictionary<string, string> _values = [];
    private int _at;

    private DotEnv(string text, string file, Func<string, string?> environment, DiagnosticBag bag)
    {
        _text = text.Replace("\r\n", "\n", StringComparison.Ordinal);
        _file = file;
        _environment = environment;
        _bag = bag;
    }

    /// <summary>
    /// What the file sets. <paramref name="environment"/> wins over earlier lines inside interpolations, and gives the value of
    /// names without one. A malformed line is reported and the next one read.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Parse(string text, string file, Func<string, string?> environment, DiagnosticBag bag)
    {
        var reader = new DotEnv(text, file, environment, bag);
        while (reader.SkipToStatement()) reader.ReadStatement();
        return reader._values;
    }

    private bool SkipToStatement()
    {
        while (_at < _text.Length)
        {
            if (_text[_at] == '#') _at = LineEnd(_at);
            else if (char.IsWhiteSpace(_text[_at])) _at++;
            else return true;
        }

        return false;
    }

    private void ReadStatement()
    {
        SkipExport();
        var start = _at;
        while (_at < _text.Length && _text[_at] is not ('=' or ':' or '\n'))
        {
            if (!IsNameCharacter(_text[_at]) && !IsSpace(_text[_at]))
            {
                Fail(_at, $"`{_text[_at]}` cannot stand in a variable's name", null);
                return;
            }

            _at++;
        }

        var name = _text[start.._at].TrimEnd();
        if (name.Length == 0 || name.Any(IsSpace))
        {
            Fail(start, name.Length == 0 ? "a variable's name is missing" : $"the name `{name}` contains a space", "a line is `NAME=value`");
            return;
        }

        if (_at == _text.Length || _text[_at] == '\n')
        {
            if (_environment(name) is { } inherited) Set(name, inherited, start);
            return;
        }

        _at++;
        if (ReadValue() is { } value) Set(name, value, start);
    }

    private void SkipExport()
    {
        const string Word = "export";
        if (!_text.AsSpan(_at).StartsWith(Word, StringComparison.Ordinal)) return;
        var after = _at + Word.Length;
        if (after >= _text.Length || !IsSpace(_text[after])) return;
        while (after < _text.Length && IsSpace(_text[after])) after++;
        // `export = 1` sets a variable called export.
        if (after < _text.Length && _text[after] is not ('=' or ':')) _at = after;
    }

    private string? ReadValue()
    {
        while (_at < _text.Length && IsSpace(_text[_at])) _at++;
        if (_at < _text.Length && _text[_at] is '"' or '\'') return ReadQuoted(_text[_at]);
        var start = _at;
        _at = LineEnd(_at);
        var value = _text[start.._at];
        var comment = value.IndexOf(" #", StringComparison.Ordinal);
        return Expand((comment < 0 ? value : value[..comment]).TrimEnd(), start);
    }

    private string? ReadQuoted(char quote)
    {
        var open = _at++;
        var value = new StringBuilder();
        for (; _at < _text.Length; _at++)
        {
            var c = _text[_at];
            if (c == quote)
            {
                _at++;
                if (!EndsCleanly()) return null;
                return quote == '"' ? Expand(Unescape(value.ToString()), open) : value.ToString();
            }

            if (c == '\\' && _at + 1 < _text.Length)
            {
                // A quote loses its backslash here; other escapes are for Unescape, which knows double quotes only.
                var next = _text[++_at];
                if (next != quote) value.Append('\\');
                value.Append(next);
            }
            else
            {
                value.Append(c);
            }
        }

        _at = open;
        Fail(open, $"the quote `{quote}` is not closed", null);
        return null;
    }

    private bool EndsCleanly()
    {
        var rest = _text.AsSpan(_at, LineEnd(_at) - _at).Trim();
        if (rest.IsEmpty || rest[0] == '#') return true;
        Fail(_at, $"`{rest}` follows the closing quote", "put the whole value in the quotes");
        return false;
    }

    private string Expand(string value, int start)
    {
        var faults = new List<TemplateFault>();
        var result = Template.Substitute(value, name => _environment(name) ?? _values.GetValueOrDefault(name), faults);
        foreach (var fault in faults)
        {
            var where = Utf8Text.PlaceOf(_text, start, _file);
            switch (fault)
            {
                case TemplateFault.Unset unset:
                    _bag.Add(YamlDiagnostics.UnsetVariable, where, $"variable `{unset.Name}` is not set and becomes empty",
                        $"single quotes keep `${unset.Name}` as it is");
                    break;
                case TemplateFault.Required required:
                    _bag.Add(YamlDiagnostics.RequiredVariable, where, $"required variable `{required.Name}` is missing: {required.Message}");
                    break;
                case TemplateFault.Malformed malformed:
                    _bag.Add(YamlDiagnostics.BadInterpolation, where, malformed.Problem, "single quotes keep a dollar as it is");
                    break;
            }
        }

        return result;
    }

    private static string Unescape(string text)
    {
        if (!text.Contains('\\')) return text;
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                result.Append(text[i]);
                continue;
            }

            i++;
            if (text[i] == '0') i = AppendOctal(text, i, result);
            else result.Append(Escaped(text[i]));
        }

        return result.ToString();
    }

    private static string Escaped(char c) => c switch
    {
        'a' => "\a",
        'b' => "\b",
        'f' => "\f",
        'n' => "\n",
        'r' => "\r",
        't' => "\t",
        'v' => "\v",
        '\\' => "\\",
        '"' => "\"",
        '$' => "$$",
        _ => "\\" + c,
    };

    // \0123 is three octal digits after the nought; fewer than three stay as written.
    private static int AppendOctal(string text, int at, StringBuilder result)
    {
        if (at + 3 < text.Length && text.AsSpan(at + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
        {
            result.Append((char)Convert.ToInt32(text.Substring(at + 1, 3), 8));
            return at + 3;
        }

        result.Append("\\0");
        return at;
    }

    private void Set(string name, string value, int start)
    {
        if (char.IsAsciiDigit(name[0]))
        {
            _bag.Add(YamlDiagnostics.DotEnvIgnored, Utf8Text.PlaceOf(_text, start, _file), $"`{name}` begins with a digit and is ignored");
            return;
        }

        _values[name] = value;
    }

    private void Fail(int at, string message, string? hint)
    {
        _bag.Add(YamlDiagnostics.DotEnvSyntax, Utf8Text.PlaceOf(_text, at, _file), message, hint);
        _at = LineEnd(_at);
    }

    private int LineEnd(int from)
    {
        var end = _text.IndexOf('\n', from);
        return end < 0 ? _text.Length : end;
    }

    private static bool IsNameCharacter(char c) => char.IsLetterOrDigit(c) || c is '_' or '.' or '-' or '[' or ']';

    // Within a line; 0x85 and 0xA0 are spaces to Compose too.
    private static bool IsSpace(char c) => c is '\t' or '\v' or '\f' or '\r' or ' ' or '\u0085' or '\u00a0';
}
