using System.Globalization;
using System.Text;

namespace Stoker.Streams.Schemas;

/// <summary>
/// An expression of ECMA-262 (Unicode flag) as one of .NET. .NET counts UTF-16 units where ECMA-262 counts code points, so a set that
/// may have characters beyond U+FFFF becomes a choice between one unit and a pair.
/// </summary>
internal sealed class PatternTranslation(string pattern)
{
    private const string Digits = "0-9", Word = "A-Za-z0-9_", Space = @"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff",
        NotDigits = @"\0-/:-\ud7ff\ue000-\uffff", NotWord = @"\0-/:-@\[-\^`{-\ud7ff\ue000-\uffff",
        NotSpace = @"\0-\x08\x0e-\x1f!-\u009f\u00a1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff\u3001-\ud7ff\ue000-\ufefe\uff00-\uffff",
        Pair = @"[\ud800-\udbff][\udc00-\udfff]";

    private static readonly Dictionary<string, string> Categories = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Letter"] = "L", ["Uppercase_Letter"] = "Lu", ["Lowercase_Letter"] = "Ll", ["Titlecase_Letter"] = "Lt", ["Mark"] = "M", ["Number"] = "N",
        ["Decimal_Number"] = "Nd", ["digit"] = "Nd", ["Punctuation"] = "P", ["punct"] = "P", ["Symbol"] = "S", ["Separator"] = "Z", ["Other"] = "C",
    };

    private readonly StringBuilder _out = new();
    private int _at;
    private string? _reason;

    public bool TryTranslate(out string expression, out string? reason)
    {
        while (_reason is null && _at < pattern.Length) Step();
        (expression, reason) = (_out.ToString(), _reason);
        return reason is null;
    }

    private void Step()
    {
        var letter = pattern[_at++];
        switch (letter)
        {
            case '\\':
                if (Escape() is { } atom) _out.Append(Alone(atom));
                break;
            case '[':
                Set();
                break;
            case '(':
                Group();
                break;
            case '.':
                _out.Append(Set(@"\n\r\u2028\u2029", isNegated: true));
                break;
            case '$':
                _out.Append(@"\z");
                break;
            case ']':
                _out.Append(@"\]");
                break;
            case '{' when !IsCount():
                _out.Append(@"\{");
                break;
            case var high when char.IsHighSurrogate(high) && _at < pattern.Length:
                _out.Append("(?:").Append(high).Append(pattern[_at++]).Append(')');
                break;
            default:
                _out.Append(letter);
                break;
        }
    }

    private bool IsCount()
    {
        var end = pattern.IndexOf('}', _at);
        var parts = end < 0 ? [] : pattern[_at..end].Split(',');
        return parts.Length is 1 or 2 && parts[0].Length > 0 && parts.All(part => part.All(char.IsAsciiDigit));
    }

    private void Group()
    {
        if (_at >= pattern.Length || pattern[_at] != '?')
        {
            _out.Append("(?:");
            return;
        }

        var rest = pattern[(_at + 1)..];
        if (rest.StartsWith(':')) _at += 2;
        else if (rest.StartsWith('<') && rest.Length > 1 && char.IsLetter(rest[1]) && rest.IndexOf('>') is > 1 and var end) _at += end + 2;
        else _reason = "look-ahead and look-behind cannot be matched in linear time";
        _out.Append("(?:");
    }

    /// <summary>Reads what follows a backslash as a set's members: characters, ranges or a category.</summary>
    private Atom? Escape()
    {
        if (_at >= pattern.Length) return Refuse("it ends with a backslash");
        var letter = pattern[_at++];
        switch (letter)
        {
            case 'd': return new Atom(Digits);
            case 'D': return new Atom(NotDigits, BeyondToo: true);
            case 'w': return new Atom(Word);
            case 'W': return new Atom(NotWord, BeyondToo: true);
            case 's': return new Atom(Space);
            case 'S': return new Atom(NotSpace, BeyondToo: true);
            case 't' or 'n' or 'r' or 'v' or 'f': return new Atom($@"\{letter}", IsOne: true);
            case '0' when _at >= pattern.Length || !char.IsAsciiDigit(pattern[_at]): return new Atom(@"\0", IsOne: true);
            case 'c' when _at < pattern.Length && char.IsAsciiLetter(pattern[_at]): return Unit(pattern[_at++] & 0x1f);
            case 'x': return Digit(2) is >= 0 and var two ? Unit(two) : Refuse(@"\x needs two hexadecimal digits");
            case 'u': return CodePoint();
            case 'p' or 'P': return Category(letter);
            case 'b' or 'B': return Refuse($@"\{letter} cannot be matched as ECMA-262 means it");
            case 'k' or (>= '1' and <= '9'): return Refuse("a reference back to a group cannot be matched in linear time");
            default: return "^$\\.*+?()[]{}|/-".Contains(letter, StringComparison.Ordinal) ? new Atom($@"\{letter}", IsOne: true) : Refuse($@"\{letter} is not an escape of ECMA-262");
        }
    }

    private Atom? CodePoint()
    {
        int point;
        if (_at < pattern.Length && pattern[_at] == '{')
        {
            var end = pattern.IndexOf('}', _at);
            if (end < 0 || !int.TryParse(pattern.AsSpan(_at + 1, end - _at - 1), NumberStyles.AllowHexSpecifier, null, out point) || !Rune.IsValid(point)) return Refuse(@"\u{…} is not a code point");
            _at = end + 1;
        }
        else
        {
            point = Digit(4);
            if (point < 0) return Refuse(@"\u needs four hexadecimal digits");
            if (char.IsHighSurrogate((char)point) && pattern.AsSpan(_at).StartsWith(@"\u", StringComparison.Ordinal))
            {
                _at += 2;
                var low = Digit(4);
                if (low < 0 || !char.IsLowSurrogate((char)low)) return Refuse("half a surrogate pair");
                point = char.ConvertToUtf32((char)point, (char)low);
            }
        }

        return point <= 0xffff ? Unit(point) : new Atom(char.ConvertFromUtf32(point), IsOne: true);
    }

    private Atom? Category(char letter)
    {
        var end = _at < pattern.Length && pattern[_at] == '{' ? pattern.IndexOf('}', _at) : -1;
        if (end < 0) return Refuse($@"\{letter} needs a category in braces");
        var name = pattern[(_at + 1)..end];
        _at = end + 1;
        name = name.StartsWith("General_Category=", StringComparison.Ordinal) ? name["General_Category=".Length..] : name.StartsWith("gc=", StringComparison.Ordinal) ? name[3..] : name;
        name = Categories.GetValueOrDefault(name, name);
        if (name.Length is 0 or > 2 || !"LMNPSZC".Contains(name[0], StringComparison.Ordinal)) return Refuse($@"only general categories can stand in \{letter}{{…}}");

        // Two halves have no category: beyond U+FFFF \p{…} has nothing and \P{…} everything.
        return new Atom($@"\{letter}{{{name}}}", BeyondToo: letter == 'P');
    }

    private void Set()
    {
        var isNegated = _at < pattern.Length && pattern[_at] == '^';
        if (isNegated) _at++;
        var members = new StringBuilder();
        var beyond = false;
        while (_at < pattern.Length && pattern[_at] != ']')
        {
            var letter = pattern[_at++];
            if (char.IsSurrogate(letter))
            {
                Refuse("characters beyond U+FFFF in a set");
                return;
            }

            if (letter == '\\')
            {
                if (Escape() is not { } atom) return;
                if (atom.IsOne && atom.Text.Length == 2 && char.IsHighSurrogate(atom.Text[0]))
                {
                    Refuse("characters beyond U+FFFF in a set");
                    return;
                }

                members.Append(atom.Text);
                beyond |= atom.BeyondToo;
            }
            else
            {
                // In .NET a bracket in a set may begin a subtraction.
                members.Append(letter == '[' ? @"\[" : letter == '^' ? @"\^" : letter);
            }
        }

        if (_at >= pattern.Length) Refuse("a set is not closed");
        else _at++;
        _out.Append(members.Length == 0 ? isNegated ? $@"(?:[^\ud800-\udfff]|{Pair})" : "[^\\0-\\uffff]" : Set(members.ToString(), isNegated, beyond));
    }

    private static string Set(string members, bool isNegated, bool beyondToo = false)
    {
        if (isNegated) return beyondToo ? $@"[^{members}\ud800-\udfff]" : $@"(?:[^{members}\ud800-\udfff]|{Pair})";
        return beyondToo ? $"(?:[{members}]|{Pair})" : $"[{members}]";
    }

    private static string Alone(Atom atom) => !atom.IsOne ? Set(atom.Text, isNegated: false, atom.BeyondToo)
        : atom.Text.Length == 2 && char.IsHighSurrogate(atom.Text[0]) ? $"(?:{atom.Text})" : atom.Text;

    private static Atom Unit(int value) => new($@"\u{value:x4}", IsOne: true);

    private int Digit(int count)
    {
        if (_at + count > pattern.Length || !int.TryParse(pattern.AsSpan(_at, count), NumberStyles.AllowHexSpecifier, null, out var value)) return -1;
        _at += count;
        return value;
    }

    private Atom? Refuse(string reason)
    {
        _reason ??= reason;
        return null;
    }

    /// <param name="BeyondToo">Characters beyond U+FFFF are among them.</param>
    /// <param name="IsOne">One character, which may begin or end a range.</param>
    private sealed record Atom(string Text, bool BeyondToo = false, bool IsOne = false);
}
