namespace Stoker.Json;

/// <summary>
/// Goes over a JSON text from value to value: what is in a value is checked and not kept, so that a reader who wants a few members of an object pays for no others. After a call that
/// failed <see cref="At"/> is where the text goes wrong.
/// </summary>
/// <param name="maxDepth">How deep values may be nested in the one that is skipped; at most 128.</param>
internal ref struct JsonCursor(ReadOnlySpan<byte> text, int maxDepth)
{
    private readonly ReadOnlySpan<byte> _text = text;

    private StringTraits _traits;

    public int At { get; private set; } = JsonGrammar.SkipSpace(text, 0);

    /// <summary>That is why a value could not be skipped.</summary>
    public bool IsTooDeep { get; private set; }

    /// <summary>What <see cref="NextMember"/> or <see cref="TakeValue"/> found is no JSON: from then on both find nothing.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Nothing that was passed over so far is other than ASCII: what is JSON there is UTF-8 too.</summary>
    public readonly bool IsAscii => (_traits & StringTraits.BeyondAscii) == 0;

    public readonly bool IsAtEnd => At >= _text.Length;

    /// <summary>The byte that is next; 0: there is none.</summary>
    public readonly byte Next => IsAtEnd ? (byte)0 : _text[At];

    public void SkipSpace() => At = JsonGrammar.SkipSpace(_text, At);

    /// <summary>Passes over one byte of punctuation and the white space behind it.</summary>
    /// <returns>False: it does not stand here.</returns>
    public bool Take(byte punctuation)
    {
        if (IsAtEnd || _text[At] != punctuation) return false;
        At = JsonGrammar.SkipSpace(_text, At + 1);
        return true;
    }

    /// <summary>The name of a member, its colon and the white space behind it.</summary>
    /// <param name="name">Between its quotation marks, as it is written.</param>
    public bool SkipName(out Range name, out bool isEscaped)
    {
        var start = At + 1;
        name = default;
        isEscaped = false;
        if (IsAtEnd || _text[At] != '"' || !SkipString(out isEscaped)) return false;
        name = start..(At - 1);
        At = JsonGrammar.SkipSpace(_text, At);
        return Take((byte)':');
    }

    /// <summary>
    /// The members of an object whose brace has been taken, one after the other, each to be left behind its value: <c>while (cursor.NextMember(ref count, out var name)) …</c>.
    /// At its end the object's closing brace is taken.
    /// </summary>
    /// <param name="count">Members so far; 0 before the first.</param>
    /// <param name="name">Between its quotation marks, as it is written.</param>
    /// <returns>False: there are no more, or <see cref="IsBroken"/>.</returns>
    public bool NextMember(ref int count, out ReadOnlySpan<byte> name)
    {
        name = default;
        if (!NextOf(ref count, (byte)'}')) return false;
        IsBroken = !SkipName(out var range, out _);
        if (!IsBroken) name = _text[range];
        return !IsBroken;
    }

    /// <summary>The same for the elements of an array.</summary>
    public bool NextElement(ref int count) => NextOf(ref count, (byte)']');

    /// <summary>The next value as it is written; empty when <see cref="IsBroken"/>.</summary>
    public ReadOnlySpan<byte> TakeValue()
    {
        var at = At;
        IsBroken |= !SkipValue();
        return IsBroken ? default : _text[at..At];
    }

    /// <summary>One value of any kind; the cursor is right behind it.</summary>
    public bool SkipValue()
    {
        // A bit for each container that is open, the innermost lowest: whether it is an object.
        var (kinds, depth) = (UInt128.Zero, 0);
        while (true)
        {
            if (IsAtEnd) return false;
            if (_text[At] is (byte)'{' or (byte)'[')
            {
                var isObject = _text[At] == '{';
                if (depth == maxDepth)
                {
                    IsTooDeep = true;
                    return false;
                }

                depth++;
                kinds = (kinds << 1) | (isObject ? UInt128.One : UInt128.Zero);
                At = JsonGrammar.SkipSpace(_text, At + 1);
                if (IsAtEnd) return false;
                if (_text[At] != (isObject ? '}' : ']'))
                {
                    if (isObject && !SkipName(out _, out _)) return false;
                    continue;
                }
            }
            else if (!SkipScalar())
            {
                return false;
            }
            else if (depth == 0)
            {
                return true;
            }

            if (!SkipToNext(ref kinds, ref depth)) return false;
            if (depth == 0) return true;
        }
    }

    private bool NextOf(ref int count, byte end)
    {
        if (IsBroken) return false;
        SkipSpace();
        if (Take(end)) return false;
        IsBroken = count++ > 0 && !Take((byte)',');
        return !IsBroken;
    }

    /// <summary>Behind a value or at the end of an empty container: to the value that is next, or out of all that is open.</summary>
    private bool SkipToNext(ref UInt128 kinds, ref int depth)
    {
        while (true)
        {
            At = JsonGrammar.SkipSpace(_text, At);
            if (IsAtEnd) return false;
            var isObject = (kinds & 1) != 0;
            if (_text[At] == ',')
            {
                At = JsonGrammar.SkipSpace(_text, At + 1);
                return !isObject || SkipName(out _, out _);
            }

            if (_text[At] != (isObject ? '}' : ']')) return false;
            At++;
            kinds >>= 1;
            if (--depth == 0) return true;
        }
    }

    private bool SkipScalar()
    {
        switch (_text[At])
        {
            case (byte)'"':
                return SkipString(out _);
            case (byte)'t':
                return SkipWord("true"u8);
            case (byte)'f':
                return SkipWord("false"u8);
            case (byte)'n':
                return SkipWord("null"u8);
            case (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                var at = At;
                var isNumber = JsonGrammar.SkipNumber(_text, ref at);
                At = at;
                return isNumber;
            default:
                return false;
        }
    }

    private bool SkipString(out bool isEscaped)
    {
        At = JsonGrammar.EndOfString(_text, At + 1, out var traits);
        isEscaped = (traits & StringTraits.Escaped) != 0;
        _traits |= traits;
        if (IsAtEnd || _text[At] != '"') return false;
        At++;
        return true;
    }

    private bool SkipWord(ReadOnlySpan<byte> word)
    {
        var same = _text[At..].CommonPrefixLength(word);
        At += same;
        return same == word.Length;
    }
}
