using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Unicode;
using Stoker.Json;

namespace Stoker.Streams.Json;

/// <summary>Reads one JSON text (RFC 8259) into a tape. One per thread, used again for each text.</summary>
internal sealed class JsonScanner
{
    private readonly List<JsonRemark> _remarks = [];
    private readonly NameStack _names = new();
    private Frame[] _open = new Frame[16];
    private int _depth;
    private int _at;
    private JsonFault _fault;

    public JsonTape Tape { get; } = new();

    public IReadOnlyList<JsonRemark> Remarks => _remarks;

    public JsonFault Scan(ReadOnlyMemory<byte> text)
    {
        Tape.Begin(text);
        _remarks.Clear();
        _names.Cut(0);
        (_depth, _at, _fault) = (0, 0, default);
        var span = text.Span;
        if (!Utf8.IsValid(span)) return new JsonFault(JsonFaultKind.NotUtf8, FirstInvalid(span));
        SkipSpace(span);
        if (_at == span.Length) return new JsonFault(JsonFaultKind.Empty, _at);
        while (BeginValue(span, out var isOpen))
        {
            while (!isOpen)
            {
                if (_depth == 0) return AtEnd(span);
                if (!AfterValue(span, out isOpen)) return _fault;
            }
        }

        return _fault;
    }

    /// <summary>Where the last fault is: the containers that were open, and the place in each.</summary>
    public string FaultPath()
    {
        var path = "$";
        for (var i = 0; i < _depth; i++)
        {
            if (i == JsonModule.MaxDepth) return path + "…";
            var frame = _open[i];
            path = frame.Kind == JsonKind.Array ? $"{path}[{frame.Count}]" : frame.Name > 0 ? JsonPath.Join(path, Tape.TextOf(frame.Name)) : path;
        }

        return path;
    }

    private JsonFault AtEnd(ReadOnlySpan<byte> text)
    {
        SkipSpace(text);
        return _at == text.Length ? default : new JsonFault(JsonFaultKind.Trailing, _at, text[_at]);
    }

    /// <summary>Reads a scalar or opens a container. <paramref name="isOpen"/>: another value is to be read, in it.</summary>
    private bool BeginValue(ReadOnlySpan<byte> text, out bool isOpen)
    {
        isOpen = false;
        if (_at >= text.Length) return Fail(JsonFaultKind.Ended, text);
        switch (text[_at])
        {
            case (byte)'"':
                return ReadString(text, JsonKind.String);
            case (byte)'{':
                return Open(text, JsonKind.Object, (byte)'}', out isOpen) && (!isOpen || ReadName(text));
            case (byte)'[':
                return Open(text, JsonKind.Array, (byte)']', out isOpen);
            case (byte)'t':
                return ReadWord(text, "true"u8, JsonKind.True);
            case (byte)'f':
                return ReadWord(text, "false"u8, JsonKind.False);
            case (byte)'n':
                return ReadWord(text, "null"u8, JsonKind.Null);
            case (byte)'-' or >= (byte)'0' and <= (byte)'9':
                return ReadNumbers(text);
            default:
                return Fail(JsonFaultKind.Unexpected, text);
        }
    }

    private bool Open(ReadOnlySpan<byte> text, JsonKind kind, byte close, out bool isOpen)
    {
        isOpen = false;
        var token = Tape.Add(kind, _at++, 1);
        if (_depth == _open.Length) Array.Resize(ref _open, _depth * 2);
        if (_depth == JsonModule.HardDepth) return Fail(JsonFaultKind.TooDeep, text);
        _open[_depth++] = new Frame(token, _names.Count, kind);
        if (_depth == JsonModule.MaxDepth + 1 && !Remark(JsonRemarkKind.TooDeep, token, text)) return false;
        SkipSpace(text);
        if (_at < text.Length && text[_at] == close)
        {
            Close();
            return true;
        }

        isOpen = true;
        return true;
    }

    private bool AfterValue(ReadOnlySpan<byte> text, out bool isOpen)
    {
        isOpen = false;
        ref var frame = ref _open[_depth - 1];
        frame.Count++;
        SkipSpace(text);
        if (_at >= text.Length) return Fail(JsonFaultKind.Ended, text);
        if (text[_at] == ',')
        {
            _at++;
            SkipSpace(text);
            isOpen = true;
            return frame.Kind == JsonKind.Array || ReadName(text);
        }

        if (text[_at] != (frame.Kind == JsonKind.Array ? ']' : '}')) return Fail(JsonFaultKind.Unexpected, text);
        Close();
        return true;
    }

    private void Close()
    {
        ref var frame = ref _open[--_depth];
        _names.Cut(frame.Names);
        Tape.Close(frame.Token, ++_at, frame.Count);
    }

    private bool ReadName(ReadOnlySpan<byte> text)
    {
        if (_at >= text.Length) return Fail(JsonFaultKind.Ended, text);
        if (text[_at] != '"') return Fail(JsonFaultKind.Unexpected, text);
        var token = Tape.Length;
        if (!ReadString(text, JsonKind.Name)) return false;
        ref var frame = ref _open[_depth - 1];
        frame.Name = token;
        if (frame.Count == JsonModule.MaxKeys && !Remark(JsonRemarkKind.TooManyKeys, frame.Token, text)) return false;
        if (frame.Count < JsonModule.MaxKeys
            && !_names.Add(Tape, token, text.Slice(Tape.Start(token), _at - 1 - Tape.Start(token)), frame.Names)
            && !Remark(JsonRemarkKind.DuplicateKey, token, text))
        {
            return false;
        }

        SkipSpace(text);
        if (_at >= text.Length) return Fail(JsonFaultKind.Ended, text);
        if (text[_at] != ':') return Fail(JsonFaultKind.Unexpected, text);
        _at++;
        SkipSpace(text);
        return true;
    }

    private bool ReadString(ReadOnlySpan<byte> text, JsonKind kind)
    {
        var start = ++_at;
        var isEscaped = false;
        while (true)
        {
            _at = JsonGrammar.EndOfRun(text, _at);
            if (_at == text.Length) return Fail(JsonFaultKind.Ended, text);
            if (text[_at] == '"') break;
            if (text[_at] != '\\') return Fail(JsonFaultKind.ControlCharacter, text);
            isEscaped = true;
            if (!SkipEscape(text)) return false;
        }

        Tape.Add(kind, start, _at++ - start, isEscaped);
        return true;
    }

    /// <summary>Remarks of a string are of the token that it will become.</summary>
    private bool SkipEscape(ReadOnlySpan<byte> text)
    {
        var length = JsonGrammar.LengthOfEscape(text, _at);
        if (length <= 0) return Fail(length == 0 ? JsonFaultKind.Ended : JsonFaultKind.Escape, text);
        if (length == 2)
        {
            _at += 2;
            return true;
        }

        var unit = JsonGrammar.Hex4(text[(_at + 2)..]);
        if (char.IsHighSurrogate((char)unit) && text.Length > _at + 7 && text[_at + 6] == '\\' && text[_at + 7] == 'u'
            && JsonGrammar.Hex4(text[(_at + 8)..]) is var second && second >= 0 && char.IsLowSurrogate((char)second)) length = 12;
        else if (char.IsSurrogate((char)unit) && !Remark(JsonRemarkKind.Surrogate, Tape.Length, text)) return false;
        if (unit == 0 && !Remark(JsonRemarkKind.Nul, Tape.Length, text)) return false;
        _at += length;
        return true;
    }

    /// <summary>Numbers of an array come by the hundred: they are read one after the other here.</summary>
    private bool ReadNumbers(ReadOnlySpan<byte> text)
    {
        do
        {
            if (!ReadNumber(text)) return false;
        }
        while (AnotherFollows(text));
        return true;
    }

    private bool AnotherFollows(ReadOnlySpan<byte> text)
    {
        var at = _at;
        if (_depth == 0 || at + 2 >= text.Length || text[at] != ',') return false;
        if (text[++at] == ' ') at++;
        if (text[at] != '-' && (uint)(text[at] - '0') > 9) return false;
        ref var frame = ref _open[_depth - 1];
        if (frame.Kind != JsonKind.Array) return false;
        frame.Count++;
        _at = at;
        return true;
    }

    private bool ReadNumber(ReadOnlySpan<byte> text)
    {
        var start = _at;
        var at = start;
        if (!JsonGrammar.SkipNumber(text, ref at)) return FailNumber(text, start, at);
        Tape.Add(JsonKind.Number, start, at - start);
        _at = at;
        return true;
    }

    private bool FailNumber(ReadOnlySpan<byte> text, int start, int at)
    {
        _at = at >= text.Length ? at : start;
        return Fail(at >= text.Length ? JsonFaultKind.Ended : JsonFaultKind.Number, text);
    }

    private bool ReadWord(ReadOnlySpan<byte> text, ReadOnlySpan<byte> word, JsonKind kind)
    {
        if (!text[_at..].StartsWith(word))
        {
            var same = text[_at..].CommonPrefixLength(word);
            _at += same;
            return Fail(_at == text.Length ? JsonFaultKind.Ended : JsonFaultKind.Unexpected, text);
        }

        Tape.Add(kind, _at, word.Length);
        _at += word.Length;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SkipSpace(ReadOnlySpan<byte> text) => _at = JsonGrammar.SkipSpace(text, _at);

    private bool Remark(JsonRemarkKind kind, int token, ReadOnlySpan<byte> text)
    {
        if (_remarks.Count == JsonModule.MaxRemarks) return Fail(JsonFaultKind.TooManyRemarks, text);
        _remarks.Add(new JsonRemark(kind, token));
        return true;
    }

    private bool Fail(JsonFaultKind kind, ReadOnlySpan<byte> text)
    {
        _fault = new JsonFault(kind, _at, _at < text.Length ? text[_at] : (byte)0);
        return false;
    }

    private static int FirstInvalid(ReadOnlySpan<byte> text)
    {
        var at = 0;
        while (System.Text.Rune.DecodeFromUtf8(text[at..], out _, out var length) == OperationStatus.Done) at += length;
        return at;
    }

    private struct Frame(int token, int names, JsonKind kind)
    {
        public readonly int Token = token, Names = names;
        public readonly JsonKind Kind = kind;
        public int Count, Name;
    }
}
