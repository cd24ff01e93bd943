namespace Stoker.Streams.Json;

/// <summary>Why a text cannot be read on; <see cref="Message"/> is for people.</summary>
internal enum JsonFaultKind
{
    None,

    /// <summary>There is nothing but white space.</summary>
    Empty,
    NotUtf8,

    /// <summary>It ends in the middle.</summary>
    Ended,

    /// <summary>A byte that cannot stand there.</summary>
    Unexpected,

    /// <summary>A line break or another control character in a string.</summary>
    ControlCharacter,
    Escape,
    Number,

    /// <summary>More after the value.</summary>
    Trailing,
    TooDeep,
    TooManyRemarks,
}

/// <param name="Offset">Bytes from the beginning of the text.</param>
internal readonly record struct JsonFault(JsonFaultKind Kind, int Offset, byte Byte = 0)
{
    public bool IsNone => Kind == JsonFaultKind.None;

    public string Message => Kind switch
    {
        JsonFaultKind.None => "",
        JsonFaultKind.Empty => "there is no JSON in it",
        JsonFaultKind.NotUtf8 => $"the bytes are not UTF-8 from byte {Offset} on",
        JsonFaultKind.Ended => $"the JSON ends in the middle, after {Offset} bytes",
        JsonFaultKind.Unexpected when Byte is (byte)'N' or (byte)'I' => $"{Shown} cannot stand there, at byte {Offset}: JSON has no NaN and no Infinity",
        JsonFaultKind.Unexpected => $"{Shown} cannot stand there, at byte {Offset}",
        JsonFaultKind.ControlCharacter => $"{Shown} in a string must be escaped, at byte {Offset}",
        JsonFaultKind.Escape => $"a backslash is not followed by an escape of JSON, at byte {Offset}",
        JsonFaultKind.Number => $"a number is not one of JSON, at byte {Offset}",
        JsonFaultKind.Trailing => $"{Shown} follows the end of the JSON, at byte {Offset}",
        JsonFaultKind.TooDeep => $"it is nested more than {JsonModule.HardDepth} deep, at byte {Offset}",
        JsonFaultKind.TooManyRemarks => $"more than {JsonModule.MaxRemarks} places are wrong; the last is at byte {Offset}",
    };

    private string Shown => Byte is >= 0x21 and <= 0x7e ? $"`{(char)Byte}`" : $"byte 0x{Byte:x2}";
}
