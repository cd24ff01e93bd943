namespace Stoker.Streams.Json;

internal enum JsonKind
{
    Null,
    False,
    True,
    Number,
    String,

    /// <summary>The name of a property; its value is the next token.</summary>
    Name,
    Array,
    Object,
}
