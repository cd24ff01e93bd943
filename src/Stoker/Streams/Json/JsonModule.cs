namespace Stoker.Streams.Json;

/// <summary>
/// JSON read where it lies: one pass over the bytes makes a tape of tokens, and everything else (fields, schemas, vectors, paths)
/// looks at the tape and the bytes.
/// <code>
/// bytes → JsonScanner → JsonTape (kind, place, length, where the next begins) + remarks (a key twice, too deep, broken Unicode)
/// </code>
/// Promises: nothing is allocated per document once the arrays have grown; malformed text is an answer with its place, never an
/// exception; a path (<c>$.embedding[17]</c>) is made only where something is wrong.
/// Refuses: comments, trailing commas, other encodings than UTF-8, and what stores cannot keep (half a surrogate pair, U+0000).
/// </summary>
internal static class JsonModule
{
    /// <summary>An event nested deeper than this is refused.</summary>
    public const int MaxDepth = 64;

    /// <summary>An object with more keys than this is refused.</summary>
    public const int MaxKeys = 4096;

    /// <summary>A text nested deeper than this is not read on.</summary>
    public const int HardDepth = 4096;

    /// <summary>A text with more remarks than this is not read on.</summary>
    public const int MaxRemarks = 10_000;
}
