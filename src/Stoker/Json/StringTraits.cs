namespace Stoker.Json;

/// <summary>What a string of JSON has in it.</summary>
[Flags]
internal enum StringTraits
{
    None = 0,

    /// <summary>At least one escape.</summary>
    Escaped = 1,

    /// <summary>Bytes that are no ASCII, so that whether it is UTF-8 must be asked. Also told of some that stand close behind it.</summary>
    BeyondAscii = 2,
}
