namespace Stoker.Streams.Json;

/// <summary>What is wrong at one place of a text that can be read on.</summary>
internal enum JsonRemarkKind
{
    DuplicateKey,
    TooDeep,
    TooManyKeys,

    /// <summary>Half a surrogate pair.</summary>
    Surrogate,

    /// <summary>U+0000, which not every store can keep.</summary>
    Nul,
}

internal readonly record struct JsonRemark(JsonRemarkKind Kind, int Token);
