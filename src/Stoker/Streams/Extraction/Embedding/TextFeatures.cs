namespace Stoker.Streams.Extraction.Embedding;

/// <summary>Words and their triples of letters, in lower case; digits are alike, so that lines that differ in numbers are near.</summary>
internal static class TextFeatures
{
    private const int LongestWord = 64;

    public static void Add(string text, HashedVector vector)
    {
        Span<char> padded = stackalloc char[LongestWord + 2];
        var rest = text.AsSpan();
        while (NextWord(ref rest) is { IsEmpty: false } word)
        {
            if (word.Length > LongestWord) word = word[..LongestWord];
            var letters = padded[..(word.Length + 2)];
            (letters[0], letters[^1]) = ('^', '$');
            for (var i = 0; i < word.Length; i++) letters[i + 1] = char.IsDigit(word[i]) ? '0' : char.ToLowerInvariant(word[i]);
            vector.Add(letters, 1);
            for (var i = 0; i + 3 <= letters.Length && letters.Length > 3; i++) vector.Add(letters.Slice(i, 3), 0.3);
        }
    }

    private static ReadOnlySpan<char> NextWord(ref ReadOnlySpan<char> rest)
    {
        var from = 0;
        while (from < rest.Length && !char.IsLetterOrDigit(rest[from])) from++;
        var to = from;
        while (to < rest.Length && char.IsLetterOrDigit(rest[to])) to++;
        var word = rest[from..to];
        rest = rest[to..];
        return word;
    }
}
