using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;

namespace Stoker.StandIns;

/// <summary>
/// Makes a line that a pattern matches, for patterns as people write them to find a log line: literals, escapes, classes, groups,
/// alternatives and repeats. Look-around, back-references and the like are beyond it, and it says so: every line is checked by the real
/// engine before it is given out.
/// </summary>
internal ref struct PatternExample
{
    private const int MostRepeats = 100, LongestLine = 1000;

    private readonly ReadOnlySpan<char> _pattern;
    private int _at;
    private bool _isBeyond;

    private PatternExample(ReadOnlySpan<char> pattern) => _pattern = pattern;

    public static bool TryMake(string pattern, [NotNullWhen(true)] out string? line)
    {
        line = null;
        var maker = new PatternExample(pattern);
        var made = maker.Alternatives();
        if (maker._isBeyond || maker._at < pattern.Length || made.Length > LongestLine || made.AsSpan().IndexOfAnyInRange('\0', '\u001f') >= 0) return false;

        try
        {
            line = Regex.IsMatch(made, pattern, RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(100)) ? made : null;
        }
        catch (Exception e) when (e is ArgumentException or RegexMatchTimeoutException)
        {
            // A pattern that is wrong is the specs' to report; here it only has no example.
            line = null;
        }

        return line is not null;
    }

    /// <summary>The first alternative; the others are read over.</summary>
    private string Alternatives()
    {
        var first = Sequence();
        while (!_isBeyond && _at < _pattern.Length && _pattern[_at] == '|')
        {
            _at++;
            Sequence();
        }

        return first;
    }

    private string Sequence()
    {
        var text = new StringBuilder();
        while (!_isBeyond && _at < _pattern.Length && _pattern[_at] is not ('|' or ')'))
        {
            var piece = Piece();
            var times = Repeats();
            for (var i = 0; i < times && text.Length <= LongestLine; i++)
            {
                text.Append(piece);
            }
        }

        return text.ToString();
    }

    private string Piece()
    {
        var c = _pattern[_at++];
        return c switch
        {
            '^' or '$' => "",
            '.' => "x",
            '\\' => Escape(),
            '[' => Class(),
            '(' => Group(),
            '*' or '+' or '?' => Beyond(),
            _ => c.ToString(),
        };
    }

    private string Escape()
    {
        if (_at >= _pattern.Length) return Beyond();
        var c = _pattern[_at++];
        return c switch
        {
            'd' => "0",
            'w' or 'S' or 'D' => "a",
            's' or 'W' => " ",
            'b' or 'A' or 'z' or 'Z' => "",
            't' => "\t",
            _ when char.IsAsciiLetterOrDigit(c) => Beyond(),
            _ => c.ToString(),
        };
    }

    private string Class()
    {
        var end = _pattern[_at..].IndexOf(']');
        if (end == 0) end = _pattern[(_at + 1)..].IndexOf(']') + 1;
        if (end <= 0) return Beyond();

        var members = _pattern.Slice(_at, end);
        _at += end + 1;
        if (members[0] == '\\' && members.Length > 1) return members[1] is 'd' ? "0" : members[1] is 'w' ? "a" : members[1] is 's' ? " " : members[1].ToString();
        if (members[0] != '^') return members[0].ToString();

        foreach (var candidate in "x0_ -")
        {
            if (Regex.IsMatch(candidate.ToString(), $"[{members}]", RegexOptions.CultureInvariant)) return candidate.ToString();
        }

        return Beyond();
    }

    private string Group()
    {
        if (_pattern[_at..].StartsWith("?:"))
        {
            _at += 2;
        }
        else if (_pattern[_at..].StartsWith("?<") && !_pattern[_at..].StartsWith("?<=") && !_pattern[_at..].StartsWith("?<!"))
        {
            _at += _pattern[_at..].IndexOf('>') + 1;
        }
        else if (_pattern[_at..].StartsWith("?"))
        {
            return Beyond();
        }

        var inside = Alternatives();
        if (_at >= _pattern.Length || _pattern[_at] != ')') return Beyond();
        _at++;
        return inside;
    }

    /// <summary>How often the piece before is needed at least; lazy marks change nothing.</summary>
    private int Repeats()
    {
        if (_at >= _pattern.Length) return 1;
        var times = _pattern[_at] switch
        {
            '*' or '?' => 0,
            '+' => 1,
            '{' => Counted(),
            _ => -1,
        };
        if (times < 0) return 1;

        _at += _pattern[_at] == '{' ? _pattern[_at..].IndexOf('}') + 1 : 1;
        if (_at < _pattern.Length && _pattern[_at] == '?') _at++;
        return times;
    }

    /// <summary>-1: the brace is a brace.</summary>
    private readonly int Counted()
    {
        var end = _pattern[_at..].IndexOf('}');
        if (end < 0) return -1;
        var least = _pattern.Slice(_at + 1, end - 1);
        var comma = least.IndexOf(',');
        return int.TryParse(comma < 0 ? least : least[..comma], out var times) ? Math.Min(times, MostRepeats) : -1;
    }

    private string Beyond()
    {
        _isBeyond = true;
        return "";
    }
}
