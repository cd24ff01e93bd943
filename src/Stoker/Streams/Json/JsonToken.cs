namespace Stoker.Streams.Json;

/// <summary>One token of a tape, 16 bytes.</summary>
internal struct JsonToken
{
    private const int KindBits = 0xf, EscapedBit = 0x10, CountShift = 5;

    private int _kindAndCount;

    /// <summary>Where it begins; of strings and names behind the quotation mark.</summary>
    public int Start;

    /// <summary>Bytes; of strings and names without the quotation marks.</summary>
    public int Length;

    /// <summary>The token behind this one and all that is in it.</summary>
    public int Next;

    public JsonToken(JsonKind kind, int start, int length, int next, bool isEscaped = false)
    {
        _kindAndCount = (int)kind | (isEscaped ? EscapedBit : 0);
        (Start, Length, Next) = (start, length, next);
    }

    public readonly JsonKind Kind => (JsonKind)(_kindAndCount & KindBits);

    /// <summary>A string or name with a backslash in it.</summary>
    public readonly bool IsEscaped => (_kindAndCount & EscapedBit) != 0;

    /// <summary>Items of an array, properties of an object.</summary>
    public readonly int Count => _kindAndCount >> CountShift;

    public void Close(int end, int next, int count)
    {
        Length = end - Start;
        Next = next;
        _kindAndCount = (int)Kind | (count << CountShift);
    }
}
